/** Following jobs over the long-lived process of a connection: the host tells what is new, for all jobs in one stream. */
import type { ProcessIdentity } from "../../../../../schemas/job.ts";
import { type Following, type FollowOptions, HostUnreachable } from "../host.ts";
import type { Channel } from "./channel.ts";
import type { Connection } from "./connection.ts";
import { jobName, jobPath } from "./paths.ts";

/** Milliseconds between tries to connect again, doubling. */
const AGAIN = { first: 1000, most: 60_000 };
/** Milliseconds within which the host must have taken in what it was told to follow. */
const SYNC = 30_000;
/** A piece may not be larger: host.sh sends at most half of this. */
const PIECE_LIMIT = 1 << 20;
/** When this machine has slept, tries begin anew. */
const SLEPT = 10_000;

interface Follower {
  job: string;
  options: FollowOptions;
  /** What it has registered with the present session. */
  keys: Set<number>;
  live: boolean;
  /** Told when it is live, or cannot be. */
  synced: PromiseWithResolvers<void>;
}

type Registered =
  | { kind: "file"; follower: Follower; path: string; next: number }
  | { kind: "process"; follower: Follower; identity: ProcessIdentity }
  | { kind: "queue"; follower: Follower };

export interface Followers {
  follow(job: string, options: FollowOptions): Following;
  close(): void;
}

export function openFollowers(connection: Connection): Followers {
  const followers = new Set<Follower>();
  const registered = new Map<number, Registered>();
  const syncs = new Map<number, () => void>();
  let nextKey = 1;
  let session: Channel | undefined;
  let connecting = false;
  let closed = false;
  let wait = AGAIN.first;
  let retry: NodeJS.Timeout | undefined;
  /** Why there is no connection just now. */
  let trouble: Error | undefined;
  let lastBeat = Date.now();
  const clock = setInterval(() => {
    const now = Date.now();
    // Timers stand still while the machine sleeps: whatever it waited for is old then.
    if (now - lastBeat > SLEPT && retry) {
      wait = AGAIN.first;
      connectSoon(0);
    }
    lastBeat = now;
  }, 2000);
  clock.unref();

  function connectSoon(delay: number): void {
    clearTimeout(retry);
    if (closed || followers.size === 0) return;
    retry = setTimeout(() => void connect(), delay);
    retry.unref();
  }

  async function connect(): Promise<void> {
    retry = undefined;
    if (connecting || session || closed || followers.size === 0) return;
    connecting = true;
    try {
      session = await connection.session();
      wait = AGAIN.first;
      trouble = undefined;
      void listen(session);
      for (const follower of followers) void register(follower);
    } catch (error) {
      trouble = error as Error;
      for (const follower of followers) dead(follower, trouble);
      connectSoon(wait);
      wait = Math.min(wait * 2, AGAIN.most);
    } finally {
      connecting = false;
    }
  }

  function dead(follower: Follower, error: Error): void {
    follower.keys.clear();
    follower.synced.reject(error);
    follower.synced = notYetSynced();
    if (follower.live) {
      follower.live = false;
      follower.options.changed();
    }
  }

  /** Hears what the host says until the connection ends. */
  async function listen(of: Channel): Promise<void> {
    let why: Error = new HostUnreachable(`The connection to ${connection.address} has ended.`);
    try {
      while (true) await hear(await of.line(), of);
    } catch (error) {
      why = error as Error;
    }
    of.close();
    if (session !== of) return;
    session = undefined;
    registered.clear();
    syncs.clear();
    for (const follower of followers) dead(follower, why);
    connectSoon(0);
  }

  async function hear(line: string, channel: Channel): Promise<void> {
    const [what, ...numbers] = line.split(" ");
    const [key, offset, length] = numbers.map(Number) as [number, number, number];
    const found = registered.get(key);
    switch (what) {
      case "data": {
        if (!(length >= 0 && length <= PIECE_LIMIT))
          throw new HostUnreachable(`${connection.address} sends too much at once.`);
        const data = await channel.all(length);
        if (found?.kind !== "file") return;
        if (offset !== found.next) throw new HostUnreachable(`${connection.address} has left something out.`);
        found.next += length;
        await found.follower.options.data(found.path, offset, data);
        found.follower.options.changed();
        return;
      }
      case "gone":
        registered.delete(key);
        if (found?.kind === "process") {
          found.follower.options.gone(found.identity);
          found.follower.options.changed();
        }
        return;
      case "place":
        if (found?.kind === "queue") found.follower.options.place(offset > 0 ? offset : null);
        return;
      case "synced":
        syncs.get(key)?.();
        syncs.delete(key);
        return;
      case "beat":
        return;
      default:
        throw new HostUnreachable(`${connection.address} says what is not understood.`);
    }
  }

  /** Tells the host anew what a follower wants. */
  async function register(follower: Follower): Promise<void> {
    const of = session;
    if (!of) return;
    try {
      let lines = "";
      for (const key of follower.keys) {
        registered.delete(key);
        lines += `drop ${key}\n`;
      }
      follower.keys.clear();
      const add = (what: Registered, words: (key: number) => string) => {
        const key = nextKey++;
        registered.set(key, what);
        follower.keys.add(key);
        lines += `${words(key)}\n`;
      };
      // Nothing that the host has sent for the old keys is taken any more: what is here now is where it goes on.
      const { files, processes, queued } = await follower.options.wanted();
      if (session !== of || !followers.has(follower)) return;
      for (const { path, offset } of files) {
        const full = `${jobName(follower.job)}/${jobPath(follower.job, path)}`;
        if (/\s/.test(full)) throw new Error(`"${path}" cannot be followed.`);
        add({ kind: "file", follower, path, next: offset }, (key) => `file ${key} ${offset} ${full}`);
      }
      for (const identity of processes) {
        if (!/^\d+$/.test(identity.started)) continue;
        add({ kind: "process", follower, identity }, (key) => `process ${key} ${identity.pid} ${identity.started}`);
      }
      if (queued) add({ kind: "queue", follower }, (key) => `queue ${key} ${queued.pid}`);
      const number = nextKey++;
      const answered = new Promise<boolean>((resolve) => {
        const timer = setTimeout(resolve, SYNC, false);
        timer.unref();
        syncs.set(number, () => {
          clearTimeout(timer);
          resolve(true);
        });
      });
      await of.write(`${lines}sync ${number}\n`);
      if (!(await answered)) {
        if (session === of) of.close();
        return;
      }
      if (session !== of || !followers.has(follower)) return;
      follower.live = true;
      follower.synced.resolve();
      follower.options.changed();
    } catch (error) {
      dead(follower, error as Error);
    }
  }

  return {
    follow(job, options) {
      const follower: Follower = { job, options, keys: new Set(), live: false, synced: notYetSynced() };
      followers.add(follower);
      if (session) void register(follower);
      else if (!retry) connectSoon(0);
      return {
        live: () => follower.live,
        async synced() {
          if (follower.live) return;
          if (trouble && !session) throw trouble;
          await follower.synced.promise;
        },
        async refresh() {
          if (follower.live) await register(follower);
        },
        close() {
          followers.delete(follower);
          for (const key of follower.keys) {
            registered.delete(key);
            void session?.write(`drop ${key}\n`);
          }
          follower.synced.reject(new HostUnreachable("Nobody follows any more."));
          if (followers.size === 0) {
            clearTimeout(retry);
            retry = undefined;
          }
        },
      };
    },
    close() {
      closed = true;
      clearInterval(clock);
      clearTimeout(retry);
      for (const follower of followers) follower.synced.reject(new HostUnreachable("The connection was closed."));
      followers.clear();
    },
  };
}

function notYetSynced(): PromiseWithResolvers<void> {
  const made = Promise.withResolvers<void>();
  // Not everybody waits.
  made.promise.catch(() => {});
  return made;
}
