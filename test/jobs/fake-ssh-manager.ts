/** A manager of jobs on a test sshd, in a process of its own: `ROOT ADDRESS CONFIG RUNNER ROWS PAUSE COUNT`. Prints "ready", then ids, then "done". */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sshHost } from "../../server/src/jobs/hosts/ssh/ssh.ts";
import { newJob, testManager } from "./support.ts";

const [root, address, config, script, rows, pause, count] = process.argv.slice(2) as [
  string,
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
const ids: string[] = [];
for (let n = 0; n < Number(count); n++) {
  const { id } = await manager.submit("baseline", async (folder) => {
    await mkdir(join(folder, "data"));
    await writeFile(join(folder, "data", "rows.jsonl"), "x".repeat(200_000));
    return newJob({}, "remote");
  });
  ids.push(id);
  console.log(id);
}
await Promise.all(ids.map((id) => manager.ended(id)));
console.log("done");
await manager.close();
host.close();
