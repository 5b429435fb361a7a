/** A manager of one job on a test sshd, in a process of its own: `ROOT ADDRESS CONFIG RUNNER ROWS PAUSE`. Prints "ready", and "done" at the job's end. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sshHost } from "../../server/src/jobs/hosts/ssh/ssh.ts";
import { newJob, testManager } from "./support.ts";

const [root, address, config, script, rows, pause] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
];
const host = sshHost({ name: "remote", address, workdir: "~/clf", program: ["ssh", "-F", config] });
const manager = testManager(root, {
  host: () => host,
  runner: () => ({ command: ["sh", script, rows, pause] }),
});
await manager.start();
console.log("ready");
const { id } = await manager.submit("baseline", async (folder) => {
  await mkdir(join(folder, "data"));
  await writeFile(join(folder, "data", "rows.jsonl"), "x".repeat(200_000));
  return newJob({}, "remote");
});
await manager.ended(id);
console.log("done");
await manager.close();
host.close();
