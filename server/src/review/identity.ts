import { userInfo } from "node:os";
import { execa } from "execa";

/** Who decides: git's `user.name` as it is set for `folder`, else the name of the operating system's user. */
export async function whoDecides(folder: string): Promise<string> {
  const git = await execa("git", ["config", "--get", "user.name"], {
    cwd: folder,
    reject: false,
    timeout: 5000,
    stdin: "ignore",
  }).catch(() => undefined);
  const name = git?.exitCode === 0 ? git.stdout.trim() : "";
  return name || osUser();
}

function osUser(): string {
  try {
    return userInfo().username || "unknown";
  } catch {
    // No entry in the user database, as in some containers.
    return process.env.USER || process.env.USERNAME || "unknown";
  }
}
