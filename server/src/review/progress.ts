/** How far one person has come, counted from the decisions file. Pure. */
import type { Decision } from "../../../schemas/decisions.ts";
import { standingLines } from "./fold.ts";

/** Decisions that stand, by what they say. */
export interface DecisionCounts {
  confirmed: number;
  corrected: number;
  none: number;
  skipped: number;
}

export interface ReviewProgress {
  who: string;
  /** This person's, since `day` and in all. */
  today: DecisionCounts;
  all: DecisionCounts;
  /** Everybody's decisions (skips are none), and how many people made them. */
  everybody: number;
  people: number;
  /** Everybody's decisions since `since`: no fine-tune has learned from them yet. */
  fresh: number;
}

/** @param times ISO times: the beginning of the person's day; of the newest fine-tune, null where there is none */
export function progressOf(
  decisions: readonly Decision[],
  who: string,
  { day, since }: { day: string; since: string | null },
): ReviewProgress {
  const counts = (): DecisionCounts => ({ confirmed: 0, corrected: 0, none: 0, skipped: 0 });
  const progress: ReviewProgress = { who, today: counts(), all: counts(), everybody: 0, people: 0, fresh: 0 };
  const people = new Set<string>();
  const from = Date.parse(day);
  const learned = since === null ? Number.NEGATIVE_INFINITY : Date.parse(since);
  for (const { kind, who: by, when } of standingLines(decisions)) {
    if (kind === "undone") continue;
    const at = Date.parse(when);
    if (by === who) {
      progress.all[kind]++;
      if (at >= from) progress.today[kind]++;
    }
    if (kind === "skipped") continue;
    people.add(by);
    progress.everybody++;
    if (at > learned) progress.fresh++;
  }
  progress.people = people.size;
  return progress;
}
