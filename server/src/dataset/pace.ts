import { setImmediate } from "node:timers/promises";

/** Longest stretch of work, in milliseconds, between two turns of the event loop. */
const STRETCH = 20;

/**
 * Lets other work of this thread go on and throws when the signal is aborted. Long loops await it every few thousand
 * steps: it costs next to nothing until {@link STRETCH} has passed.
 */
export type Pace = () => Promise<void> | undefined;

export function keepPace(signal?: AbortSignal): Pace {
  let since = performance.now();
  return () => {
    signal?.throwIfAborted();
    if (performance.now() - since < STRETCH) return undefined;
    return setImmediate().then(() => {
      since = performance.now();
      signal?.throwIfAborted();
    });
  };
}
