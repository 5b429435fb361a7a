/** A folder for one test, with files, removed afterwards. */
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export async function withFolder(files: Record<string, string | Uint8Array>, run: (folder: string) => Promise<void>) {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "clf-project-")));
  try {
    for (const [name, content] of Object.entries(files)) {
      const file = join(folder, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
    await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
