/**
 * A manager in a process of its own, for being killed: `ROOT JOBS`. Submits jobs one after the other, every other one failing at first and
 * resumed, and looks after them. Prints "ready", then the id of each job once its submission has returned.
 */
import { newJob, testManager } from "./support.ts";

const [root, count] = [process.argv[2]!, Number(process.argv[3])];
const manager = testManager(root);
await manager.start();
console.log("ready");
const ends: Promise<void>[] = [];
for (let n = 0; n < count; n++) {
  const job = await manager.submit("baseline", async () =>
    newJob({ rows: 8, pause: 10, compact: 20, ...(n % 2 === 1 ? { fail_at: 3 } : {}) }),
  );
  console.log(job.id);
  ends.push(
    (async () => {
      if ((await manager.ended(job.id)).state === "failed") await manager.resume(job.id);
    })(),
  );
}
await Promise.all(ends);
await manager.close();
