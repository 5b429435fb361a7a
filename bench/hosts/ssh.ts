/**
 * What an ssh host costs: re-attaching, latency of events, bytes and processes of following, upload beside scp. Needs root and sshd, as the
 * tests do: `node bench/hosts/ssh.ts [minutes of following, default 1]`. Prints one table; asserts nothing.
 */
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sshHost } from "../../server/src/jobs/hosts/ssh/ssh.ts";
import { startSshd, whyNoSshd } from "../../test/jobs/sshd.ts";
import { newJob, processesNaming, removeFolder, temporaryFolder, testManager } from "../../test/jobs/support.ts";

const why = whyNoSshd();
if (why) throw new Error(`An sshd cannot be started here: ${why}.`);
const minutes = Number(process.argv[2] ?? 1);
const FINISHED = 100;
const RUNNING = 20;
const MEGABYTES = 60;

const sshd = await startSshd(["bash"]);
const top = await temporaryFolder();
const user = sshd.user("bash");
const script = join(sshd.folder, "runner.sh");
writeFileSync(
  script,
  `cd "$1"; e=attempts/$CLF_ATTEMPT/events.jsonl
echo '{"seq":1,"time":"2026-01-01T00:00:00Z","type":"state","state":"running"}' >"$e"
if [ -e quick ]; then echo '{"seq":2,"time":"2026-01-01T00:00:00Z","type":"state","state":"succeeded"}' >>"$e"; exit; fi
exec sleep 3600`,
);
const connect = () => sshHost({ name: "remote", address: user.address, workdir: "~/clf", program: sshd.program });
const made = (of: ReturnType<typeof connect>) =>
  testManager(join(top, "jobs"), { host: () => of, runner: () => ({ command: ["sh", script] }) });
const submit = (of: ReturnType<typeof made>, quick: boolean) =>
  of.submit("b", async (folder) => {
    if (quick) writeFileSync(join(folder, "quick"), "");
    return newJob({}, "remote");
  });

const rows: [string, string][] = [];
const row = (what: string, value: string) => {
  rows.push([what, value]);
  console.log(`${what.padEnd(64)} ${value}`);
};

try {
  // One finished job, copied: its folders are what matters.
  let host = connect();
  let manager = made(host);
  await manager.start();
  const first = await submit(manager, true);
  await manager.ended(first.id);
  await manager.arrived(first.id);
  const there = (id: string) => join(user.home, "clf/jobs", id);
  for (let tries = 0; tries < 100 && !existsSync(join(manager.store.folder(first.id), "attempts/1/exit.json")); tries++)
    await sleep(100);
  for (let n = 1; n < FINISHED; n++) {
    const id = first.id.replace(/[0-9a-f]{4}$/, n.toString(16).padStart(4, "0"));
    for (const folder of [manager.store.folder, there]) {
      cpSync(folder(first.id), folder(id), { recursive: true });
      const job = join(folder(id), "job.json");
      writeFileSync(job, readFileSync(job, "utf8").replaceAll(first.id, id));
    }
  }
  const running: string[] = [];
  for (let n = 0; n < RUNNING; n++) running.push((await submit(manager, false)).id);
  for (const id of running) {
    for await (const update of manager.follow(id)) if (update.type === "state" && update.state === "running") break;
  }
  await manager.close();
  host.close();

  // Re-attaching: a new manager, as after a restart of the editor.
  for (const id of running) appendFileSync(join(there(id), "attempts/1/events.jsonl"), event(2));
  host = connect();
  const before = { up: sshd.line.up(), down: sshd.line.down() };
  const started = performance.now();
  let connected = 0;
  const connection = host.read(first.id, "job.json", 0).then(() => {
    connected = performance.now() - started;
  });
  manager = made(host);
  const start = manager.start();
  const attached = await Promise.all(
    running.map(async (id) => {
      for await (const update of manager.follow(id)) if (update.type === "event" && update.event.seq === 2) break;
      return performance.now() - started;
    }),
  );
  const last = Math.max(...attached);
  await Promise.all([start, connection]);
  row(`connection and a first answer`, `${Math.round(connected)} ms`);
  row(
    `${FINISHED} finished and ${RUNNING} running jobs re-attached, the last one`,
    `${Math.round(last)} ms after the start`,
  );
  row("bytes for it", `${sshd.line.up() - before.up} up, ${sshd.line.down() - before.down} down`);

  // Latency: an event written there until the follower here has it.
  const latencies: number[] = [];
  for (let seq = 3; seq < 33; seq++) {
    const id = running[seq % RUNNING]!;
    const at = join(manager.store.folder(id), "attempts/1/events.jsonl");
    const size = readFileSync(at).length;
    await sleep(100 + Math.random() * 400);
    const written = performance.now();
    const n = Math.floor((seq - 3) / RUNNING) + 3;
    appendFileSync(join(there(id), "attempts/1/events.jsonl"), event(n));
    while (readFileSync(at).length === size) await sleep(5);
    latencies.push(performance.now() - written);
  }
  latencies.sort((a, b) => a - b);
  row(
    "an event there, until it is in the folder here: median, worst of 30",
    `${Math.round(latencies[15]!)} ms, ${Math.round(latencies.at(-1)!)} ms`,
  );

  // Following: nothing happens, then an event a second.
  for (const [what, perSecond] of [
    ["quiet", 0],
    ["an event a second in all", 1],
  ] as const) {
    const from = { up: sshd.line.up(), down: sshd.line.down(), made: sshd.line.made() };
    const clients = new Set<string>();
    const until = Date.now() + minutes * 60_000;
    let n = 100;
    while (Date.now() < until) {
      for (const line of processesNaming(sshd.config)) clients.add(line.trim().split(/\s+/)[0]!);
      if (perSecond) appendFileSync(join(there(running[n % RUNNING]!), "attempts/1/events.jsonl"), event(n++));
      await sleep(1000);
    }
    const hour = 60 / minutes;
    row(
      `following ${RUNNING} jobs for an hour, ${what} (${minutes} min measured)`,
      `${Math.round(((sshd.line.up() - from.up) * hour) / 1000)} kB up, ${Math.round(((sshd.line.down() - from.down) * hour) / 1000)} kB down, ${clients.size} ssh process(es), ${sshd.line.made() - from.made} new connections`,
    );
  }

  // Upload beside scp, of the same files, one after the other, twice.
  const data = join(top, "upload");
  mkdirSync(join(data, "data"), { recursive: true });
  for (let n = 0; n < 10; n++) writeFileSync(join(data, "data", `part-${n}`), randomBytes((MEGABYTES / 10) << 20));
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let n = 0; n < 2; n++) {
    const job = `20260101-0000-upload-000${n}`;
    let begin = performance.now();
    await host.put(job, data, ["data"]);
    ours.push(performance.now() - begin);
    await host.put(job, data, []).catch(() => {});
    spawnSync("rm", ["-rf", join(user.home, "clf/jobs", job), join(user.home, "up")]);
    begin = performance.now();
    // Not in one go: the line to the server runs in this process.
    const scp = spawn("scp", ["-q", "-r", "-F", sshd.config, join(data, "data"), `${user.address}:up`], {
      stdio: "ignore",
    });
    const [status] = await once(scp, "exit");
    if (status !== 0) throw new Error(`scp ended with ${status}`);
    theirs.push(performance.now() - begin);
    spawnSync("rm", ["-rf", join(user.home, "up")]);
  }
  const best = (times: number[]) => `${(MEGABYTES / (Math.min(...times) / 1000)).toFixed(0)} MiB/s`;
  row(`upload of ${MEGABYTES} MiB in 10 files, checksums included (best of 2)`, best(ours));
  row("the same by scp -r", best(theirs));
  row("ratio, ours to scp", (Math.min(...theirs) / Math.min(...ours)).toFixed(2));
  await Promise.all(running.map((id) => manager.cancel(id)));
  await manager.close();
  host.close();
} finally {
  await sshd.close();
  await removeFolder(top);
}
process.exit();

function event(seq: number): string {
  return `{"seq":${seq},"time":"2026-01-01T00:00:00Z","type":"progress","step":"s","done":${seq},"total":null}\n`;
}
