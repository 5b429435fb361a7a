/**
 * How many calls are in flight: up to the endpoint's limit; fewer when it says that it is too many, and slowly more again.
 * Additive increase, multiplicative decrease, as TCP does it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import PQueue from "p-queue";

export interface Pace {
  /** Runs a call when its turn comes. */
  turn<T>(call: () => Promise<T>): Promise<T>;
  /** The endpoint said that it is too much: nothing starts for `after` milliseconds. */
  limited(after: number): void;
  /** A call was answered. `wait`: milliseconds until the endpoint has room again, when it says that it has none now. */
  answered(wait: number): void;
}

/** A burst of refusals counts as one: calls that were under way when the first came say nothing new. */
const ONE_BURST = 1000;

export function createPace(limit: number): Pace {
  const queue = new PQueue({ concurrency: limit });
  let width = limit;
  let lastCut = Number.NEGATIVE_INFINITY;
  let pausedUntil = 0;

  function pause(milliseconds: number): void {
    const until = Date.now() + milliseconds;
    if (milliseconds <= 0 || until <= pausedUntil) return;
    pausedUntil = until;
    queue.pause();
    setTimeout(() => {
      if (Date.now() + 1 >= pausedUntil) queue.start();
    }, milliseconds).unref();
  }

  return {
    turn: (call) => queue.add(call) as ReturnType<typeof call>,
    limited(after) {
      pause(after);
      const now = Date.now();
      if (now - lastCut < ONE_BURST) return;
      lastCut = now;
      width = Math.max(1, width / 2);
      queue.concurrency = Math.max(1, Math.floor(width));
    },
    answered(wait) {
      pause(wait);
      if (width >= limit) return;
      // One more for each full round of answers.
      width = Math.min(limit, width + 1 / width);
      queue.concurrency = Math.floor(width);
    },
  };
}

/** Tries of one call. */
export const TRIES = 8;
const FIRST_WAIT = 500;
const LONGEST = 60_000;

/** Milliseconds before try number `tries` + 1: doubles from half a second to a minute, half of it by chance. */
export function backOff(tries: number): number {
  const most = Math.min(LONGEST, FIRST_WAIT * 2 ** (tries - 1));
  return most / 2 + (most / 2) * Math.random();
}

/** Waits, or throws the signal's reason. */
export async function pauseFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted());
}
