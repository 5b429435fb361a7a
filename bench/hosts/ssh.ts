/**
 * What an ssh host costs: re-attaching, latency of events, bytes and processes of following, upload and fetch beside scp, over loopback and
 * over a line of 100 Mbit/s. Needs root and sshd, as the tests do: `node bench/hosts/ssh.ts [minutes of following, default 1]`; with 0
 * minutes upload and fetch alone. Prints one table; asserts nothing.
 */
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sshHost } from "../../server/src/jobs/hosts/ssh/ssh.ts";
import { makeNetwork } from "../../test/jobs/network.ts";
import { type Sshd, startSshd, whyNoSshd } from "../../test/jobs/sshd.ts";
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

const row = (what: string, value: string) => console.log(`| ${what} | ${value} | ${loadavg()[0]!.toFixed(1)} |`);
console.log("| what | measured | load |\n| --- | --- | --- |");

/** Re-attaching, latency and following. */
async function followMany(): Promise<void> {
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

  // Re-attaching: a new manager, as after a restart of the editor. An event has come meanwhile.
  for (const id of running) appendFileSync(join(there(id), "attempts/1/events.jsonl"), event(2));
  host = connect();
  const before = { up: sshd.line.up(), down: sshd.line.down() };
  const opened = performance.now();
  await host.read(first.id, "job.json", 0);
  row("connection and a first answer", `${Math.round(performance.now() - opened)} ms`);
  const started = performance.now();
  manager = made(host);
  const start = manager.start();
  const attached = await Promise.all(
    running.map(async (id) => {
      for await (const update of manager.follow(id)) if (update.type === "event" && update.event.seq === 2) break;
      return performance.now() - started;
    }),
  );
  await start;
  row(
    `${FINISHED} finished and ${RUNNING} running jobs re-attached, from the connection on: first, last`,
    `${Math.round(Math.min(...attached))} ms, ${Math.round(Math.max(...attached))} ms`,
  );
  row("bytes for both", `${sshd.line.up() - before.up} up, ${sshd.line.down() - before.down} down`);

  // Latency: an event written there until whoever follows the job here has it, as the Jobs view does.
  const latencies: number[] = [];
  for (let n = 0; n < 40; n++) {
    const id = running[n % RUNNING]!;
    const seq = Math.floor(n / RUNNING) + 3;
    const stop = new AbortController();
    const came = (async () => {
      for await (const update of manager.follow(id, { signal: stop.signal }))
        if (update.type === "event" && update.event.seq === seq) return;
    })();
    await sleep(300 + Math.random() * 400);
    const written = performance.now();
    appendFileSync(join(there(id), "attempts/1/events.jsonl"), event(seq));
    await came;
    latencies.push(performance.now() - written);
    stop.abort();
  }
  latencies.sort((a, b) => a - b);
  row(
    "an event there, until who follows has it here: median, 95 of 100, worst of 40",
    `${[19, 37, 39].map((n) => Math.round(latencies[n]!)).join(", ")} ms`,
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

  await Promise.all(running.map((id) => manager.cancel(id)));
  await manager.close();
  host.close();
}

/** Upload and fetch beside scp, of the same files, by turns, past the line that counts. Three times; the best counts. */
async function transferMany(what: string, of: Sshd): Promise<void> {
  const { address, home } = of.user("bash");
  const data = join(top, "upload");
  mkdirSync(join(data, "model"), { recursive: true });
  for (let n = 0; n < 10; n++) writeFileSync(join(data, "model", `part-${n}`), randomBytes((MEGABYTES / 10) << 20));
  const host = sshHost({ name: "remote", address, workdir: "~/clf", program: of.direct });
  const times = { put: [] as number[], scpUp: [] as number[], fetch: [] as number[], scpDown: [] as number[] };
  const clock = async (into: number[], work: () => Promise<unknown>) => {
    const begin = performance.now();
    await work();
    into.push(performance.now() - begin);
  };
  const scp = async (...words: string[]) => {
    const [status] = await once(
      spawn("scp", ["-q", "-r", ...of.direct.slice(1), ...words], { stdio: "ignore" }),
      "exit",
    );
    if (status !== 0) throw new Error(`scp ended with ${status}`);
  };
  for (let n = 0; n < 3; n++) {
    const job = `20260101-0000-upload-000${n}`;
    const back = join(top, `back-${n}`);
    await host.read(job, "job.json", 0);
    await clock(times.put, () => host.put(job, data, ["model"]));
    await clock(times.scpUp, () => scp(join(data, "model"), `${address}:up`));
    await clock(times.fetch, () => host.fetch(job, back, ["model"]));
    await clock(times.scpDown, () => scp(`${address}:up`, join(top, `scp-${n}`)));
    await host.put(job, join(top, "nothing"), []);
    spawnSync("rm", ["-rf", join(home, "up"), back, join(top, `scp-${n}`)]);
  }
  host.close();
  const best = (which: number[]) => Math.min(...which);
  const compare = (ours: number[], theirs: number[]) =>
    `${[ours, theirs].map((which) => (MEGABYTES / (best(which) / 1000)).toFixed(0)).join(" / ")} MiB/s: ${(best(theirs) / best(ours)).toFixed(2)}`;
  row(
    `upload of ${MEGABYTES} MiB in 10 files, checksums included / scp -r of them, ${what}: ratio of speeds`,
    compare(times.put, times.scpUp),
  );
  row(`fetch of them / scp -r, ${what}: ratio`, compare(times.fetch, times.scpDown));
}

try {
  if (minutes > 0) await followMany();
  await transferMany("loopback", sshd);
} finally {
  await sshd.close();
}
const network = makeNetwork();
try {
  if (network?.limit(100)) {
    const far = await startSshd(["bash"], network);
    await transferMany("100 Mbit/s", far).finally(far.close);
  }
} finally {
  network?.close();
  await removeFolder(top);
}
process.exit();

function event(seq: number): string {
  return `{"seq":${seq},"time":"2026-01-01T00:00:00Z","type":"progress","step":"s","done":${seq},"total":null}\n`;
}
