/** What the job has reported so far, read on while it runs. */
import { isActive } from "../../src/jobs/words.ts";
import { messageOf } from "../shared/errors.ts";
import { ask } from "./ask.ts";
import { createFigures } from "./figures.ts";
import { forgetLog, isFollowing, readLogOn } from "./logOnHand.ts";
import { draw, ofJob, panel } from "./panel.ts";

/** Milliseconds between two looks at what a running job has reported. */
const LOOK = 1500;

export const figures = createFigures();
/** What has been read of the events: of which attempt, and how far. */
let read = { attempt: 0, offset: 0 };

let reading: Promise<void> | undefined;
let again = false;
/** Reads what is new of the job: one round at a time, and another when somebody asked meanwhile. */
export function readOn(): Promise<void> {
  if (reading) {
    again = true;
    return reading;
  }
  reading = readAll().finally(() => {
    reading = undefined;
    if (!again) return;
    again = false;
    void readOn();
  });
  return reading;
}

async function readAll(): Promise<void> {
  try {
    await readEvents();
    if (isFollowing()) await readLogOn();
    panel.failure = null;
  } catch (error) {
    panel.failure = messageOf(error);
  }
  draw();
  schedule();
}

let timer: ReturnType<typeof setTimeout> | undefined;
function schedule(): void {
  clearTimeout(timer);
  if (panel.job && isActive(panel.job)) timer = setTimeout(() => void readOn(), LOOK);
}

async function readEvents(): Promise<void> {
  for (;;) {
    const { attempt, events, offset, more } = await ask("clf/jobs/events", { ...ofJob(), offset: read.offset });
    if (attempt !== read.attempt) {
      // A resumed job: its newest attempt, from the beginning.
      const first = read.attempt === 0;
      read = { attempt, offset: 0 };
      figures.clear();
      forgetLog();
      if (!first) continue;
    }
    for (const event of events) if (event.type === "metric") figures.add(event);
    read.offset = offset;
    if (!more) return;
  }
}

/** What it was made from and has made, and what differs from the last run. */
export async function loadDetail(): Promise<void> {
  try {
    panel.detail = await ask("clf/jobs/detail", ofJob());
  } catch (error) {
    panel.failure = messageOf(error);
  }
  draw();
}
