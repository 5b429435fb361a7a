/**
 * The job manager: submits, follows, cancels, resumes and removes jobs, and looks after those under way. All it knows is in
 * the job folders: it may die at any moment, and the next one goes on from there. Several may work on the same folders.
 */
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lock } from "proper-lockfile";
import type { Job, ProcessIdentity } from "../../../schemas/job.ts";
import { attemptFolder, attemptNumbers, readAttempt } from "./attempt.ts";
import { changes } from "./changes.ts";
import { UnreadableJob } from "./contract.ts";
import { type FollowOptions, followJob, type JobUpdate } from "./follow.ts";
import { type Following, type Host, HostUnreachable, type RunnerCommand } from "./hosts/host.ts";
import { attemptMirror, mirrorAttempt } from "./mirror.ts";
import { appendRecord } from "./records.ts";
import { expiredJobs, type Retention } from "./retention.ts";
import { cancelAsked, isTerminal } from "./states.ts";
import { JobError, type JobSnapshot, type JobStore, jobStore, type NewJob } from "./store.ts";

export interface JobManagerOptions {
  /** The `.clf/jobs` folder. */
  root: string;
  /** The host a job runs on. May throw: then nothing can be done for the job just now. */
  host(job: Job): Host | Promise<Host>;
  /** How a runner for the job is started on its host. */
  runner(job: Job): RunnerCommand | Promise<RunnerCommand>;
  /** What is left to do here once a job of another host has succeeded and its results have come; may be done again after a break. */
  finish?(snapshot: JobSnapshot): Promise<void>;
  /** Milliseconds from the cancel file to SIGTERM, and from there to SIGKILL. */
  cancelGrace?: number;
  killGrace?: number;
  /** Told when the condition of a job's host changes: a message, or null when all is well again. No state of the job. */
  onCondition?(job: string, message: string | null): void;
  /** Told when a job's place in the queue for the lock changes; null when it waits no more, or nobody knows. */
  onPlace?(job: string, place: number | null): void;
}

export interface JobManager {
  readonly store: JobStore;
  /** Makes a job and starts it. Once this resolves, the job runs whatever happens to this process. */
  submit(name: string, prepare: (folder: string, id: string) => Promise<NewJob>): Promise<Job>;
  /** Events and states of a job until its end. */
  follow(id: string, options?: FollowOptions): AsyncGenerator<JobUpdate>;
  /** The job at its end. */
  ended(id: string, options?: FollowOptions): Promise<JobSnapshot>;
  /** Resolves when what a succeeded job has made is in its folder here: at once, unless it ran on another machine. */
  arrived(id: string, options?: Pick<FollowOptions, "signal">): Promise<void>;
  /** Asks a job to stop: by a file, later by signals. Nothing happens to one that has ended. */
  cancel(id: string): Promise<JobSnapshot>;
  /** A new attempt at a job that failed, was cancelled or got lost. `started` is false when another manager was first. */
  resume(id: string): Promise<{ attempt: number; started: boolean }>;
  /**
   * Removes a job's files, on its host too. `here`: only on this machine, for a host that is no more.
   * @throws JobError while the job goes on
   */
  remove(id: string, options?: { here?: boolean }): Promise<void>;
  /** Removes what retention lets go, apart from `kept` and what jobs under way need. Returns the ids. */
  retain(retention: Retention, kept: ReadonlySet<string>): Promise<string[]>;
  /** Looks after all jobs under way once: re-attaches, starts what never started, goes on with cancels, finds what is lost. */
  recover(): Promise<void>;
  /** Recovers, then looks after jobs until `close`. Of several managers on the same folders one does so at a time. */
  start(): Promise<void>;
  /** What keeps a job's host from being asked just now. */
  condition(id: string): string | null;
  /** A waiting job's place in the queue for the lock, from 1, where its host tells. */
  place(id: string): number | null;
  /** Stops looking after jobs. The jobs go on. */
  close(): Promise<void>;
}

/** Milliseconds between two looks at a job, when nothing and when something happens. */
const LOOK = { least: 250, most: 5000, unreachable: 60_000 };
/** Milliseconds in which several pieces of news of a job count as one. */
const TOGETHER = 30;
/** Milliseconds that a runner has for going once it has reported its end. */
const LINGER = 30_000;
/** Milliseconds that a start waits for hosts that do not answer. */
const START = 5000;
/** Milliseconds after which a lock whose owner died is taken over. */
const STALE = 5000;

export function jobManager(options: JobManagerOptions): JobManager {
  const { root, cancelGrace = 10_000, killGrace = 10_000 } = options;
  const store = jobStore(root);
  const conditions = new Map<string, string>();
  /** Signals sent by this manager, so that a runner that takes its time is not asked again and again. */
  const sent = new Set<string>();
  const lingering = new Map<string, number>();
  const looks = new Map<string, { due: number; delay: number; busy: boolean; seen: string }>();
  const settled = new Set<string>();
  /** Jobs to which something has been done since they were last looked at. */
  const nudged = new Set<string>();
  const followed = new Map<string, Followed>();
  const places = new Map<string, number>();
  /** Jobs seen under way on a host that can be asked for its GPU; and since when something of an ended one has held its memory. */
  const underWay = new Set<string>();
  const heldSince = new Map<string, number>();
  /** Processes that were certainly gone: that never changes. */
  const departed = new Set<string>();
  const abort = new AbortController();
  /** Looks that go on. */
  const pending = new Set<Promise<void>>();
  /** Ends the wait between two looks. */
  let wake: () => void = () => {};
  let loop: Promise<void> | undefined;

  // --- one attempt --------------------------------------------------------------------------------------------

  /** Puts an attempt's files where it is to run and launches it. Harmless when that has been done. */
  async function launchAttempt(snapshot: JobSnapshot): Promise<void> {
    const { id, folder, job, attempt } = snapshot;
    const host = await options.host(job);
    const cancelFile = join(folder, "cancel");
    // A cancel was meant for the attempt that it is recorded for.
    if (cancelAsked(attempt.facts)) await writeFile(cancelFile, "", { flag: "a" });
    else if (attempt.number > 1) await rm(cancelFile, { force: true });
    if (!host.shared && !(await host.read(id, `attempts/${attempt.number}/launch.json`, 0))) {
      const own = new Set(["manager.jsonl", "manager.jsonl.lock", "attempts", "cancel"]);
      const inputs = attempt.number > 1 ? [] : (await readdir(folder)).filter((name) => !own.has(name));
      await host.put(id, folder, [...inputs, "cancel"]);
    }
    await host.launch(id, attempt.number, await options.runner(job));
  }

  /** Looks after one job. `over`: nothing is left to look after; `condition`: what keeps its host from being asked. */
  async function look(id: string): Promise<{ snapshot: JobSnapshot; over: boolean; condition?: string }> {
    let snapshot = await store.read(id);
    const host = await options.host(snapshot.job);
    if (host.gpuLeft && !isTerminal(snapshot.state)) underWay.add(id);
    if (!host.shared && !(isTerminal(snapshot.state) && isFetched(snapshot) && isSeenOut(snapshot))) {
      await catchUp(host, snapshot);
      snapshot = await store.read(id);
    }
    if (isTerminal(snapshot.state)) {
      if (!host.shared && !isFetched(snapshot)) await fetchResults(host, snapshot);
      if ((await lingers(host, snapshot)) || (await hasLastWord(host, snapshot))) return { snapshot, over: false };
      return { snapshot, ...(await seeGpuFreed(host, snapshot)) };
    }
    if (!snapshot.attempt.facts.launch) {
      await launchAttempt(snapshot);
      return { snapshot: await store.read(id), over: false };
    }
    const asked = cancelAsked(snapshot.attempt.facts);
    if (asked) await escalate(host, snapshot, Date.parse(asked.time));
    return settle(host, snapshot);
  }

  /** Makes this folder's copy of an attempt's files as new as the host's: by following, where the host can, else by reading. */
  async function catchUp(host: Host, snapshot: JobSnapshot): Promise<void> {
    const { id, folder, attempt } = snapshot;
    if (!host.follow || abort.signal.aborted) {
      await mirrorAttempt(host, id, folder, attempt.number);
      return;
    }
    let entry = followed.get(id);
    if (entry?.attempt !== attempt.number) {
      entry?.following.close();
      entry = followAttempt(host as Host & Required<Pick<Host, "follow">>, snapshot);
      followed.set(id, entry);
    }
    await entry.following.synced();
    if (entry.failure) {
      const { failure } = entry;
      unfollow(id);
      throw failure;
    }
    // Who the supervisor and the runner are is known only when they are: tell the host whose end matters.
    const known = [attempt.facts.launch, attempt.facts.runner].filter((identity) => identity !== undefined).length;
    if (known !== entry.known) {
      entry.known = known;
      await entry.following.refresh();
    }
  }

  function followAttempt(host: Host & Required<Pick<Host, "follow">>, { id, folder, attempt }: JobSnapshot): Followed {
    const mirror = attemptMirror(folder, attempt.number);
    const entry: Followed = {
      attempt: attempt.number,
      known: 0,
      registered: new Set(),
      watched: new Set(),
      failure: undefined,
      following: undefined!,
    };
    entry.following = host.follow(id, {
      async wanted() {
        entry.watched.clear();
        const files = await mirror.wanted();
        const { facts } = await readAttempt(folder, attempt.number, []);
        const known = [facts.launch, facts.runner].filter((identity) => identity !== undefined);
        const processes = known.filter((identity) => !departed.has(keyOf(identity)));
        entry.known = known.length;
        entry.registered = new Set(processes.map(keyOf));
        const queued = facts.launch?.lock && !facts.runner && !facts.exit ? facts.launch : undefined;
        if (!queued) setPlace(id, null);
        return { files, processes, queued };
      },
      async data(path, offset, data) {
        try {
          if (!(await mirror.data(path, offset, data))) void entry.following.refresh();
        } catch (error) {
          entry.failure = error as Error;
        }
      },
      gone(identity) {
        entry.watched.delete(keyOf(identity));
        entry.registered.delete(keyOf(identity));
      },
      place: (place) => setPlace(id, place),
      changed() {
        const look = looks.get(id);
        if (look) {
          look.due = Math.min(look.due, Date.now() + TOGETHER);
          look.delay = LOOK.least;
        }
        wake();
      },
    });
    return entry;
  }

  function unfollow(id: string): void {
    followed.get(id)?.following.close();
    followed.delete(id);
    setPlace(id, null);
  }

  function setPlace(id: string, place: number | null): void {
    if ((places.get(id) ?? null) === place) return;
    if (place === null) places.delete(id);
    else places.set(id, place);
    options.onPlace?.(id, place);
  }

  /** Asks the host, unless it has promised to tell of the process's end by itself, or the process is known to be gone. */
  async function aliveOn(host: Host, id: string, identity: ProcessIdentity): ReturnType<Host["alive"]> {
    const key = keyOf(identity);
    if (departed.has(key)) return "gone";
    const entry = followed.get(id);
    if (entry?.watched.has(key) && entry.following.live()) return "alive";
    const answer = await host.alive(identity);
    if (answer === "gone") departed.add(key);
    // Its end has not been told, and will be.
    if (answer === "alive" && entry?.following.live() && entry.registered.has(key)) entry.watched.add(key);
    return answer;
  }

  /** Whether a runner that has reported its end still runs. One that does so for long is ended: it may hold the GPU. */
  async function lingers(host: Host, snapshot: JobSnapshot): Promise<boolean> {
    const { runner, exit } = snapshot.attempt.facts;
    if (exit || !runner || (await aliveOn(host, snapshot.id, runner)) !== "alive") return false;
    const key = `${snapshot.id}/${snapshot.attempt.number}/lingers`;
    const since = lingering.get(key) ?? Date.now();
    lingering.set(key, since);
    if (Date.now() - since > LINGER) await host.signal(runner, "SIGKILL");
    return true;
  }

  /** Whether the supervisor of an ended job has yet to write the end down, far away: the log's last lines come with it. */
  async function hasLastWord(host: Host, snapshot: JobSnapshot): Promise<boolean> {
    const { launch } = snapshot.attempt.facts;
    if (host.shared || isSeenOut(snapshot) || !launch) return false;
    return (await aliveOn(host, snapshot.id, launch)) === "alive";
  }

  /**
   * The GPU's memory counts, not the processes: one may hang on in the driver. Asked once for a job that was seen under way, and again as
   * long as something of it is there.
   */
  async function seeGpuFreed(host: Host, { id, attempt }: JobSnapshot): Promise<{ over: boolean; condition?: string }> {
    const { launch, runner } = attempt.facts;
    if (!host.gpuLeft || !launch?.lock || !runner || !underWay.has(id)) return { over: true };
    const left = await host.gpuLeft(runner);
    if (left.length === 0) {
      underWay.delete(id);
      heldSince.delete(id);
      return { over: true };
    }
    // Each look ends them: what stays for long does not go by itself.
    const since = heldSince.get(id) ?? Date.now();
    heldSince.set(id, since);
    if (Date.now() - since < killGrace) return { over: false };
    const names = left.map(({ pid, name, mebibytes }) => `${name} (process ${pid}, ${mebibytes || "?"} MiB)`);
    return {
      over: false,
      condition: `The job has ended, but what is left of it on ${host.name} still holds memory of the GPU, though it was told to end: ${names.join(", ")}. If it stays, restart that machine.`,
    };
  }

  /** Marks an attempt as lost once it is certain that nothing of it runs and nothing tells how it ended. */
  async function settle(host: Host, before: JobSnapshot): ReturnType<typeof look> {
    const { id, folder } = before;
    const { launch } = before.attempt.facts;
    const { number } = before.attempt;
    const goesOn = { snapshot: before, over: false };
    if (!launch) return goesOn;
    const supervisor = await aliveOn(host, id, launch);
    if (supervisor === "elsewhere") {
      const condition = "The job was started on another machine: what becomes of it can only be seen there.";
      return { ...goesOn, condition };
    }
    if (supervisor === "alive") return goesOn;
    // The runner's identity is on the disk before the runner may start: read it after the supervisor was seen dead.
    if (!host.shared) await mirrorAttempt(host, id, folder, number);
    const between = await readAttempt(folder, number, before.records);
    const { runner } = between.facts;
    const running = runner ? await aliveOn(host, id, runner) : "gone";
    if (running === "alive") return goesOn;
    // What a dead runner or supervisor left running works for nobody.
    if (supervisor === "leftover") await host.signal(launch, "SIGKILL");
    if (runner && running === "leftover") await host.signal(runner, "SIGKILL");
    if (!host.shared) await mirrorAttempt(host, id, folder, number);
    // All that the attempt will ever say is on the disk now.
    await appendRecord(folder, async (records) => {
      const after = await readAttempt(folder, number, records);
      if (isTerminal(after.state)) return null;
      const message = runner
        ? "The runner and its supervisor are gone and left no word of how the run ended. The machine may have been restarted, or have run out of memory."
        : "The supervisor is gone, and the runner never began.";
      return { type: "lost", attempt: number, events: after.facts.events, message };
    });
    const snapshot = await store.read(id);
    // The next look fetches what an ended job has made far away.
    return { snapshot, over: isTerminal(snapshot.state) && host.shared };
  }

  /** The cancel file asks; signals make sure. Goes by the time of the asking, so that any manager can go on with it. */
  async function escalate(host: Host, snapshot: JobSnapshot, askedAt: number): Promise<void> {
    const { id, folder, attempt } = snapshot;
    await writeFile(join(folder, "cancel"), "", { flag: "a" });
    if (!host.shared) await once(`${id}/${attempt.number}/cancel`, () => host.put(id, folder, ["cancel"]));
    const waited = Date.now() - askedAt;
    const { launch, runner } = attempt.facts;
    const target = runner ?? launch;
    if (!target) return;
    const key = `${id}/${attempt.number}/${runner ? "runner" : "supervisor"}`;
    // A supervisor that waits for the GPU has nothing to save.
    if (waited >= (runner ? cancelGrace : 0)) await once(`${key}/TERM`, () => host.signal(target, "SIGTERM"));
    if (waited >= cancelGrace + (runner ? killGrace : 0)) await host.signal(target, "SIGKILL");
  }

  async function once(key: string, action: () => Promise<void>): Promise<void> {
    if (sent.has(key)) return;
    await action();
    sent.add(key);
  }

  async function fetchResults(host: Host, snapshot: JobSnapshot): Promise<void> {
    const { id, folder, attempt } = snapshot;
    await host.fetch(id, folder, ["model", "report.json", "predictions.parquet", "predictions.jsonl"]);
    await options.finish?.(snapshot);
    await appendRecord(folder, (records) =>
      records.some((r) => r.type === "fetched" && r.attempt === attempt.number)
        ? null
        : { type: "fetched", attempt: attempt.number },
    );
  }

  // --- all jobs under way -------------------------------------------------------------------------------------

  function setCondition(id: string, message: string | null): void {
    if ((conditions.get(id) ?? null) === message) return;
    if (message === null) conditions.delete(id);
    else conditions.set(id, message);
    options.onCondition?.(id, message);
  }

  /** Looks after a job, keeping what goes wrong to that job. */
  function lookSafely(id: string): Promise<void> {
    const look = lookOnce(id).finally(() => {
      pending.delete(look);
      wake();
    });
    pending.add(look);
    return look;
  }

  async function lookOnce(id: string): Promise<void> {
    const entry = looks.get(id) ?? { due: 0, delay: LOOK.least, busy: false, seen: "" };
    looks.set(id, entry);
    if (entry.busy) return;
    entry.busy = true;
    nudged.delete(id);
    try {
      const { snapshot, over, condition } = await look(id);
      setCondition(id, condition ?? null);
      // A job resumed while it was looked at has not been seen as it is now.
      if (over && !nudged.has(id)) {
        settled.add(id);
        looks.delete(id);
        unfollow(id);
        return;
      }
      const seen = `${snapshot.attempt.number} ${snapshot.state} ${snapshot.attempt.events.end} ${snapshot.records.length}`;
      entry.delay = seen === entry.seen ? Math.min(entry.delay * 2, LOOK.most) : LOOK.least;
      // A cancel has its hours: do not sleep through them.
      if (cancelAsked(snapshot.attempt.facts)) entry.delay = Math.min(entry.delay, 1000);
      entry.seen = seen;
    } catch (error) {
      if (error instanceof UnreadableJob || error instanceof JobError) {
        settled.add(id);
        looks.delete(id);
        unfollow(id);
        return;
      }
      setCondition(id, (error as Error).message);
      entry.delay = Math.min(entry.delay * 2, LOOK.unreachable);
    } finally {
      entry.busy = false;
    }
    entry.due = Date.now() + entry.delay;
  }

  async function lookAtAll(dueOnly: boolean): Promise<void> {
    const ids = await store.ids();
    await Promise.all(
      ids.map(async (id) => {
        if (settled.has(id) || looks.get(id)?.busy) return;
        if (dueOnly && (looks.get(id)?.due ?? 0) > Date.now()) return;
        await lookSafely(id);
      }),
    );
  }

  async function keepLooking(): Promise<void> {
    await mkdir(root, { recursive: true });
    const watcher = changes([root]);
    abort.signal.addEventListener("abort", () => watcher.close());
    let release: (() => Promise<void>) | undefined;
    let rescan = Date.now() + 30_000;
    wake = () => watcher.wake();
    try {
      while (!abort.signal.aborted) {
        release ??= await lock(join(root, ".following"), {
          realpath: false,
          stale: STALE,
          onCompromised: () => {
            release = undefined;
          },
        }).catch(() => undefined);
        // Another manager follows now.
        if (!release) for (const id of [...followed.keys()]) unfollow(id);
        if (release) {
          // Another manager may have resumed a job that had ended.
          if (Date.now() > rescan) {
            settled.clear();
            rescan = Date.now() + 30_000;
          }
          // Not waited for: a host that does not answer keeps nobody else's jobs waiting.
          void lookAtAll(true).catch(() => {});
        }
        await watcher.next(untilDue());
      }
    } finally {
      watcher.close();
      await release?.().catch(() => {});
    }
  }

  /** Milliseconds until the next look is due. */
  function untilDue(): number {
    const idle = [...looks.values()].filter((entry) => !entry.busy);
    const due = Math.min(...idle.map((entry) => entry.due), Date.now() + STALE);
    return Math.max(10, due - Date.now());
  }

  /** Something has been done to a job: look at it soon, here or wherever jobs are looked after. */
  async function nudge(id: string): Promise<void> {
    settled.delete(id);
    nudged.add(id);
    const entry = looks.get(id);
    if (entry) entry.due = 0;
    await writeFile(join(root, ".changed"), `${id}\n`).catch(() => {});
  }

  // --- ending -------------------------------------------------------------------------------------------------

  /**
   * Waits until no process of an ended job is left: a runner that has reported its end may take a moment to go.
   * @throws JobError when one stays
   */
  async function processesGone(snapshot: JobSnapshot): Promise<void> {
    const host = await options.host(snapshot.job);
    const identities: ProcessIdentity[] = [];
    for (const number of await attemptNumbers(snapshot.folder)) {
      const { facts } = await readAttempt(snapshot.folder, number, []);
      if (facts.launch) identities.push(facts.launch);
      if (facts.runner) identities.push(facts.runner);
    }
    const patience = Date.now() + cancelGrace;
    for (const identity of identities) {
      for (let delay = 20; ; delay = Math.min(delay * 2, 500)) {
        const state = await host.alive(identity);
        if (state === "gone") break;
        if (state === "elsewhere")
          throw new JobError(`Job ${snapshot.id} was started on another machine. Go on with it there.`);
        if (state === "leftover") await host.signal(identity, "SIGKILL");
        if (Date.now() > patience) {
          throw new JobError(
            `Job ${snapshot.id} has ended, but its process ${identity.pid} still runs. End it, then try again.`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, delay));
      }
    }
  }

  const manager: JobManager = {
    store,

    async submit(name, prepare) {
      const job = await store.create(name, prepare);
      try {
        await launchAttempt(await store.read(job.id));
      } catch (error) {
        // The job is there, and is started as soon as its host can be reached.
        setCondition(job.id, (error as Error).message);
        if (!(error instanceof HostUnreachable)) throw error;
      } finally {
        await nudge(job.id);
      }
      return job;
    },

    follow: (id, followOptions) => followJob(store, id, followOptions),

    async ended(id, followOptions) {
      for await (const update of followJob(store, id, followOptions)) {
        if (update.type === "state" && isTerminal(update.state)) return update.snapshot;
      }
      throw new JobError(`Following job ${id} was broken off.`);
    },

    async arrived(id, { signal } = {}) {
      const { job, folder } = await store.read(id);
      if ((await options.host(job)).shared) return;
      const watcher = changes([folder]);
      const stop = () => watcher.close();
      signal?.addEventListener("abort", stop);
      try {
        while (!signal?.aborted && !isFetched(await store.read(id))) await watcher.next();
      } finally {
        signal?.removeEventListener("abort", stop);
        watcher.close();
      }
    },

    async cancel(id) {
      const { folder } = await store.read(id);
      await appendRecord(folder, async () => {
        const { state, attempt } = await store.read(id);
        if (isTerminal(state) || cancelAsked(attempt.facts)) return null;
        return { type: "cancel-asked", attempt: attempt.number };
      });
      await nudge(id);
      await lookSafely(id);
      return store.read(id);
    },

    async resume(id) {
      const snapshot = await store.read(id);
      if (!isTerminal(snapshot.state)) return { attempt: snapshot.attempt.number, started: false };
      if (snapshot.state === "succeeded")
        throw new JobError(`Job ${id} has succeeded: there is nothing left to resume.`);
      await processesGone(snapshot);
      const number = snapshot.attempt.number + 1;
      let started = true;
      try {
        // Exclusive: of two managers one makes the attempt.
        await mkdir(attemptFolder(snapshot.folder, number));
        await appendRecord(snapshot.folder, () => ({ type: "resumed", attempt: number }));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        started = false;
      }
      const next = await store.read(id);
      if (!next.attempt.facts.launch && next.attempt.number === number) await launchAttempt(next);
      await nudge(id);
      return { attempt: number, started };
    },

    async remove(id, { here = false } = {}) {
      let snapshot: JobSnapshot;
      try {
        snapshot = await store.read(id);
      } catch (error) {
        // What cannot be read can still be thrown away, when the user says so.
        if (!(error instanceof UnreadableJob)) throw error;
        return store.remove(id);
      }
      if (!isTerminal(snapshot.state)) throw new JobError(`Job ${id} is ${snapshot.state}. Cancel it first.`);
      if (here) return store.remove(id);
      await processesGone(snapshot);
      const host = await options.host(snapshot.job);
      await store.remove(id);
      if (!host.shared) await host.put(id, snapshot.folder, []);
    },

    async retain(retention, kept) {
      const needed = new Set(kept);
      const jobs = await store.list();
      for (const { id, state } of jobs) {
        if (state === undefined || isTerminal(state)) continue;
        const { job } = await store.read(id);
        for (const model of job.models) if (model.artifact) needed.add(model.artifact.job);
      }
      const removed: string[] = [];
      for (const id of expiredJobs(jobs, retention, needed)) {
        try {
          await manager.remove(id);
          removed.push(id);
        } catch (error) {
          setCondition(id, (error as Error).message);
        }
      }
      return removed;
    },

    async recover() {
      await store.clean();
      settled.clear();
      await lookAtAll(false);
    },

    async start() {
      if (loop) return;
      await atMost(START, manager.recover());
      loop = keepLooking();
    },

    condition: (id) => conditions.get(id) ?? null,
    place: (id) => places.get(id) ?? null,

    async close() {
      abort.abort();
      await loop;
      for (const id of [...followed.keys()]) unfollow(id);
      // Looks of hosts that do not answer are left to the end of their own patience.
      await atMost(START, Promise.all(pending));
    },
  };
  return manager;
}

/** Waits for something, but not for longer than that; what it does goes on. */
async function atMost(milliseconds: number, what: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([what, patience]).finally(() => clearTimeout(timer));
}

/** A job whose host tells of it. */
interface Followed {
  attempt: number;
  following: Following;
  /** How many of its processes were known when the host was told whose end matters. */
  known: number;
  /** Processes whose end the host will tell, or has yet to. */
  registered: Set<string>;
  /** Those of them that were seen alive: as long as the connection lives, so do they. */
  watched: Set<string>;
  failure: Error | undefined;
}

function keyOf({ pid, started, boot }: ProcessIdentity): string {
  return `${pid} ${started} ${boot}`;
}

/** Whether the supervisor's last word is here, or none will come: the end of the log comes with it. */
function isSeenOut({ attempt: { facts } }: JobSnapshot): boolean {
  return facts.exit !== undefined || facts.runner === undefined || facts.records.some(({ type }) => type === "lost");
}

/** Whether what a job of another machine has made is here, or will never be. */
export function isFetched(snapshot: JobSnapshot): boolean {
  return (
    snapshot.state !== "succeeded" ||
    snapshot.records.some((record) => record.type === "fetched" && record.attempt === snapshot.attempt.number)
  );
}
