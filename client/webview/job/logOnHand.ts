/** The part of the log that is on hand, and how another is read. */
import type { LogHit } from "../../../schemas/jobPanel.ts";
import { ask } from "./ask.ts";
import { endOf, type LogWindow, NO_LOG, startOf, withEarlier, withLater } from "./log.ts";
import { attempt, draw, element, ofJob } from "./panel.ts";

let log: LogWindow = NO_LOG;
/** New lines are shown as they come. */
let following = true;

export const logOnHand = (): LogWindow => log;
export const isFollowing = (): boolean => following;
export function stopFollowing(): void {
  following = false;
}
/** Of another attempt: from its end. */
export function forgetLog(): void {
  log = NO_LOG;
  following = true;
}

/** Reads what has come since, or, of a log that was not read yet, its end. */
export async function readLogOn(): Promise<void> {
  const known = log.pieces.length > 0;
  const piece = await ask("clf/jobs/log", {
    ...ofJob(),
    ...(known ? { offset: endOf(log) } : { before: Number.MAX_SAFE_INTEGER }),
  });
  log = withLater(log, piece, piece.size);
  if (piece.text !== "" && piece.offset < piece.size) await readLogOn();
}

export const earlier = () =>
  attempt(async () => {
    const box = element("log");
    const below = box ? box.scrollHeight - box.scrollTop : 0;
    const piece = await ask("clf/jobs/log", { ...ofJob(), before: startOf(log) });
    following = false;
    log = withEarlier(log, piece, piece.size);
    draw();
    // The line that was on top stays where it is.
    if (box) box.scrollTop = box.scrollHeight - below;
  });

export const later = () =>
  attempt(async () => {
    const piece = await ask("clf/jobs/log", { ...ofJob(), offset: endOf(log) });
    log = withLater(log, piece, piece.size);
    draw();
  });

export const newest = () =>
  attempt(async () => {
    if (endOf(log) < log.size) log = NO_LOG;
    following = true;
    await readLogOn();
    draw();
  });

export const goTo = ({ offset }: LogHit) =>
  attempt(async () => {
    following = false;
    const piece = await ask("clf/jobs/log", { ...ofJob(), offset });
    log = withLater(NO_LOG, piece, piece.size);
    draw();
    const box = element("log");
    box?.scrollTo(0, 0);
    box?.focus();
  });
