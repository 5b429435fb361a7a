/** What every host must do (DESIGN §4). Call it in a test file with a way to make the host. */
import assert from "node:assert/strict";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessIdentity } from "../../schemas/job.ts";
import { Exit, Launch, RunnerIdentity } from "../../schemas/job.ts";
import type { Host } from "../../server/src/jobs/hosts/host.ts";
import { removeFolder, temporaryFolder } from "./support.ts";

export interface HostUnderTest {
  host: Host;
  /** The job folder as the manager sees it: the host's own when it is shared. */
  folder(job: string): string;
  /** Ends whatever the host needed, and removes its files. */
  close(): Promise<void>;
}

/** The jobs are shell scripts: a host need have nothing more. */
export function conformsAsHost(name: string, make: () => Promise<HostUnderTest>): void {
  describe(`host ${name}`, function () {
    this.timeout(60_000);
    let made: HostUnderTest;
    let host: Host;
    let scratch: string;
    let count = 0;

    before(async () => {
      made = await make();
      host = made.host;
      scratch = await temporaryFolder();
      // Jobs of a host may run as another user.
      await chmod(scratch, 0o777);
    });
    after(async () => {
      await made.close();
      await removeFolder(scratch);
    });

    /** A job whose first attempt can be launched. */
    async function newFolder(files: Record<string, string> = {}): Promise<string> {
      const job = `20260101-0000-conformance-${(++count).toString(16).padStart(4, "0")}`;
      const folder = made.folder(job);
      await mkdir(join(folder, "attempts", "1"), { recursive: true });
      for (const [path, text] of Object.entries({ "job.json": "{}", ...files })) {
        await mkdir(join(folder, path, ".."), { recursive: true });
        await writeFile(join(folder, path), text);
      }
      if (!host.shared) await host.put(job, folder, ["job.json", ...Object.keys(files)]);
      return job;
    }

    const launch = (job: string, script: string, more: { env?: Record<string, string>; lock?: string } = {}) =>
      host.launch(job, 1, { command: ["sh", "-c", script, "runner"], ...more });

    async function text(job: string, path: string): Promise<string | null> {
      return (await host.read(job, path, 0))?.data.toString("utf8") ?? null;
    }

    async function when<T>(get: () => Promise<T | null | undefined | false>): Promise<T> {
      for (let tries = 0; tries < 200; tries++) {
        const value = await get();
        if (value) return value;
        await sleep(50);
      }
      throw new Error("It did not happen within ten seconds.");
    }

    const read = async <T>(job: string, name: string, shape: { parse(value: unknown): T }): Promise<T> =>
      shape.parse(JSON.parse(await when(() => text(job, `attempts/1/${name}`))));
    const exit = (job: string): Promise<Exit> => read(job, "exit.json", Exit);
    const runner = (job: string): Promise<RunnerIdentity> => read(job, "runner.json", RunnerIdentity);
    const supervisor = (job: string): Promise<Launch> => read(job, "launch.json", Launch);
    const gone = (identity: ProcessIdentity) => when(async () => (await host.alive(identity)) === "gone");

    it("checks itself: every lack has a remedy", async () => {
      const checks = await host.check();
      assert.ok(checks.length > 0);
      for (const check of checks) assert.ok(check.ok || check.remedy, check.name);
    });

    it("runs a command in the job's folder, says how it ended, and keeps its output", async () => {
      const job = await newFolder({ "data/rows.jsonl": "one\n" });
      assert.equal(await launch(job, 'cat data/rows.jsonl; echo "attempt $CLF_ATTEMPT of $1"; exit 3'), "launched");
      const end = await exit(job);
      assert.deepEqual([end.code, end.signal, end.cancelled, end.events], [3, null, false, 0]);
      const log = await text(job, "attempts/1/log.txt");
      assert.match(log ?? "", new RegExp(`^one\nattempt 1 of .*${job}\n$`));
      await gone(await supervisor(job));
    });

    it("launches an attempt once, however often it is asked", async () => {
      const job = await newFolder();
      const answers = await Promise.all(Array.from({ length: 5 }, () => launch(job, "echo started; sleep 0.3")));
      assert.deepEqual(answers.sort(), [...Array(4).fill("already launched"), "launched"]);
      await exit(job);
      assert.equal(await launch(job, "echo started"), "already launched");
      assert.equal(await text(job, "attempts/1/log.txt"), "started\n");
    });

    it("counts the whole lines of events, and no torn one", async () => {
      const job = await newFolder();
      await launch(job, 'printf "a\\nb\\ntorn" > attempts/1/events.jsonl');
      assert.equal((await exit(job)).events, 2);
    });

    it("reads from any offset, and tells the size", async () => {
      const job = await newFolder({ "data/text": "0123456789" });
      const at = async (offset: number, limit?: number) => {
        const piece = await host.read(job, "data/text", offset, limit);
        return [piece?.data.toString(), piece?.size];
      };
      assert.deepEqual(await at(0), ["0123456789", 10]);
      assert.deepEqual(await at(4), ["456789", 10]);
      assert.deepEqual(await at(4, 3), ["456", 10]);
      assert.deepEqual(await at(10), ["", 10]);
      assert.deepEqual(await at(99), ["", 10]);
      assert.equal(await host.read(job, "no/such", 0), null);
    });

    it("keeps bytes as they are", async () => {
      const job = await newFolder();
      await launch(job, "printf '\\000\\377\\r\\n\\303\\244' > bytes");
      await exit(job);
      assert.deepEqual((await host.read(job, "bytes", 0))?.data, Buffer.from([0, 255, 13, 10, 0xc3, 0xa4]));
    });

    it("knows who lives and who does not", async () => {
      const job = await newFolder();
      await launch(job, "sleep 30");
      const [one, two] = [await supervisor(job), await runner(job)];
      assert.equal(await host.alive(one), "alive");
      assert.equal(await host.alive(two), "alive");
      assert.equal(await host.alive({ ...two, started: "1" }), "gone", "another process with the pid");
      assert.equal(await host.alive({ ...two, boot: "another" }), "gone", "before a restart");
      assert.equal(await host.alive({ ...two, boot: "another", machine: "another" }), "elsewhere");
      await host.signal(two, "SIGKILL");
      await gone(two);
      await gone(one);
      const end = await exit(job);
      assert.deepEqual([end.code, end.signal], [137, "KILL"]);
    });

    it("signals the whole process group, and nobody else", async () => {
      const job = await newFolder();
      await launch(job, 'sleep 31 & echo "$!" > child; wait');
      const identity = await runner(job);
      const child = Number(await when(() => text(job, "child")));
      await host.signal({ ...identity, started: "1" }, "SIGKILL");
      assert.equal(await host.alive(identity), "alive");
      await host.signal(identity, "SIGTERM");
      const end = await exit(job);
      assert.deepEqual([end.code, end.signal], [143, "TERM"]);
      assert.equal(await host.alive({ ...identity, pid: child }), "gone");
      await host.signal(identity, "SIGTERM");
    });

    it("finds what a killed runner left when the supervisor is dead too", async () => {
      const job = await newFolder();
      await launch(job, "sleep 32 & wait");
      const [one, two] = [await supervisor(job), await runner(job)];
      // As a crash would have it: only these processes, not their group.
      await launchOn("kill -9", [one.pid, two.pid]);
      await when(async () => (await host.alive(two)) === "leftover");
      await host.signal(two, "SIGKILL");
      await gone(two);
      await gone(one);
      assert.equal(await text(job, "attempts/1/exit.json"), null);
    });

    it("leaves the runner alone when the supervisor is killed", async () => {
      const job = await newFolder();
      await launch(job, "sleep 3; echo done > result");
      const [one, two] = [await supervisor(job), await runner(job)];
      await host.signal(one, "SIGKILL");
      await gone(one);
      assert.equal(await host.alive(two), "alive");
      assert.equal(await when(() => text(job, "result")), "done\n");
      await gone(two);
    });

    it("starts no runner when the job was cancelled before, and says so", async () => {
      const job = await newFolder({ cancel: "" });
      await launch(job, "echo started > result");
      const end = await exit(job);
      assert.equal(end.cancelled, true);
      assert.equal(await text(job, "result"), null);
      assert.equal(await text(job, "attempts/1/runner.json"), null);
    });

    it("lets one job at a time have the lock, for as long as its runner lives", async () => {
      const lock = join(scratch, "a lock");
      const [first, second] = [await newFolder(), await newFolder()];
      await launch(first, "sleep 1.5; date +%s%N > end", { lock });
      await runner(first);
      await launch(second, "date +%s%N > begin", { lock });
      assert.equal((await supervisor(second)).lock, true);
      // The lock is the runner's.
      await host.signal(await supervisor(first), "SIGKILL");
      assert.equal(await text(second, "attempts/1/runner.json"), null);
      await exit(second);
      const [end, begin] = [await text(first, "end"), await text(second, "begin")];
      assert.ok(end && begin && BigInt(end) <= BigInt(begin), `${end} ${begin}`);
    });

    it("ends the wait for the lock on SIGTERM", async () => {
      const lock = join(scratch, "lock");
      const first = await newFolder();
      await launch(first, "sleep 33", { lock });
      const holder = await runner(first);
      // Several, because the first moments after the supervisor has recorded itself are delicate.
      for (let n = 0; n < 5; n++) {
        const second = await newFolder();
        await launch(second, "true", { lock });
        const waiting = await supervisor(second);
        await host.signal(waiting, "SIGTERM");
        await gone(waiting);
        assert.equal((await exit(second)).signal, "TERM");
      }
      await host.signal(holder, "SIGKILL");
      await exit(first);
    });

    it("hands environment variables to the runner, whatever is in them", async () => {
      const job = await newFolder();
      const value = "a 'b' \"c\" $HOME `id` \\ = ü";
      await launch(job, 'printf %s "$SECRET" > value', { env: { SECRET: value } });
      await exit(job);
      assert.equal(await text(job, "value"), value);
    });

    it("passes arguments as they are", async () => {
      const job = await newFolder();
      const odd = "a  'b' \"c\" $HOME `id` \\ * -n";
      await host.launch(job, 1, { command: ["sh", "-c", 'printf "%s" "$1" > value', "runner", odd] });
      await exit(job);
      assert.equal(await text(job, "value"), odd);
    });

    it("says when a command cannot be found", async () => {
      const job = await newFolder();
      await host.launch(job, 1, { command: ["no-such-command-of-clf"] });
      assert.equal((await exit(job)).code, 127);
      assert.match((await text(job, "attempts/1/log.txt")) ?? "", /no-such-command-of-clf.*not found/);
    });

    it("fetches files and folders whole, leaves out what is absent, and puts what changed", async () => {
      const job = await newFolder({ "model/a.json": "A", "model/deep/b.json": "B", "report.json": "R" });
      const to = join(scratch, "fetched");
      await host.fetch(job, to, ["model", "report.json", "no-such"]);
      assert.equal(await readFile(join(to, "model/deep/b.json"), "utf8"), "B");
      assert.equal(await readFile(join(to, "report.json"), "utf8"), "R");
      if (host.shared) return;
      const folder = made.folder(job);
      await writeFile(join(folder, "cancel"), "");
      await writeFile(join(folder, "report.json"), "R2");
      await host.put(job, folder, ["cancel", "report.json"]);
      assert.deepEqual([await text(job, "cancel"), await text(job, "report.json")], ["", "R2"]);
      await rm(join(folder, "cancel"));
      await host.put(job, folder, ["cancel"]);
      assert.equal(await text(job, "cancel"), null);
      await rm(folder, { recursive: true });
      await host.put(job, folder, []);
      assert.equal(await text(job, "job.json"), null);
    });

    it("does not lead out of the job's folder", async () => {
      const job = await newFolder();
      await writeFile(join(scratch, "secret"), "secret");
      for (const path of ["../../../etc/passwd", "/etc/passwd", ".."]) {
        await assert.rejects(host.read(job, path, 0), /leads out/, path);
        await assert.rejects(host.fetch(job, scratch, [path]), /leads out/, path);
      }
      await assert.rejects(host.read("..", "job.json", 0), /leads out/);
      await launch(job, `mkdir model; ln -s ${scratch}/secret model/link; echo ok > model/file`);
      await exit(job);
      const to = join(scratch, "links");
      await host.fetch(job, to, ["model"]);
      assert.equal(await readFile(join(to, "model/file"), "utf8"), "ok\n");
      await assert.rejects(readFile(join(to, "model/link")));
    });

    /** Runs a command over processes on the host, by a job of its own. */
    async function launchOn(command: string, pids: number[]): Promise<void> {
      const job = await newFolder();
      await launch(job, `${command} ${pids.join(" ")}`);
      await exit(job);
    }
  });
}
