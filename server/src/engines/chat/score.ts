/** From the answers to a row to its prediction lines: label, score, the next best labels, or why there is no answer. */
import type * as z from "zod";
import { type Prediction, TOP_LABELS } from "../../../../schemas/predictions.ts";
import type { ModelConfidence } from "../../../../schemas/project.ts";
import type { JobRow } from "../../../../schemas/rows.ts";
import { type Distribution, rescaled, rounded } from "../prediction.ts";
import type { Choice } from "./journal.ts";
import {
  comparableSpellings,
  type LabelMasses,
  labelMasses,
  normalised,
  perToken,
  textStart,
  withoutPrior,
} from "./logprobs.ts";
import type { PromptPlan } from "./prompt.ts";
import { type Problem, type Read, readAnswer } from "./read-answer.ts";

/** Labels by position. */
type Scored = Distribution<number>;

export type Outcome = Scored | { problem: Problem; answer: string };

export interface Scorer {
  /** By target: what one answer with its log-probabilities says; without any, nothing is known of the label, and its score is 0. */
  fromLogprobs(choice: Choice): Outcome[];
  fromVotes(choices: readonly Choice[]): Outcome[];
  /** By target: label masses of one answer, where it can be read. */
  masses(choice: Choice): (LabelMasses | null)[];
  /** Signals of `clf signals`, by target. */
  signals(single: Choice | null, votes: readonly Choice[]): Record<string, [label: string | null, score: number]>[];
}

interface ScorerOptions {
  bias: z.output<typeof ModelConfidence>["length_bias"];
  /** By target: what the model says of rows without content; only for `content-free` and the bake-off. */
  priors?: readonly (Float64Array | null)[];
  /** Answers are held to a schema of the labels. */
  held: boolean;
}

export function createScorer(plan: PromptPlan, { bias, priors = [], held }: ScorerOptions): Scorer {
  const spellings = plan.targets.map((target) => comparableSpellings(target, held));
  const shape = { json: plan.json, reasoned: plan.reasoned };
  const read = ({ text, finish, refused }: Choice) =>
    readAnswer({ text, refused, cut: finish === "length" }, plan.targets, shape);

  function massesOf({ tokens, text }: Choice, reads: readonly Read[]): (LabelMasses | null)[] {
    const start = tokens && textStart(tokens, text);
    return reads.map((one, t) => {
      if ("problem" in one || !tokens || start === null) return null;
      const at = { start: start + one.at.start, end: start + one.at.end };
      return labelMasses(tokens, at, plan.targets[t]!, spellings[t]!);
    });
  }

  function scored(one: Read, found: LabelMasses | null, choice: Choice, t: number): Outcome {
    if ("problem" in one) return { problem: one.problem, answer: choice.text };
    const prior = bias === "content-free" ? (priors[t] ?? null) : null;
    const masses = found && prior ? withoutPrior(found, prior) : found;
    const known = masses && normalised(masses);
    if (!known) return { labels: [one.label], probabilities: [0], rest: 1, uncovered: 1 };
    // Of equally likely labels the one that was written is the answer.
    const order = known.probabilities.toSorted(
      (a, b) => b[1] - a[1] || Number(b[0] === one.label) - Number(a[0] === one.label),
    );
    const labels = order.map(([label]) => label);
    const probabilities = order.map(([, p]) => p);
    const plain = { labels, probabilities, rest: known.uncovered, uncovered: known.uncovered };
    return bias === "geometric" && labels[0] === one.label ? rescaled(plain, perToken(masses)) : plain;
  }

  function counts(choices: readonly Choice[]) {
    const votes = plan.targets.map(() => new Map<number, number>());
    const problems = plan.targets.map((): Problem[] => []);
    for (const choice of choices) {
      for (const [t, one] of read(choice).entries()) {
        if ("problem" in one) problems[t]!.push(one.problem);
        else votes[t]!.set(one.label, (votes[t]!.get(one.label) ?? 0) + 1);
      }
    }
    return { votes, problems };
  }

  function fromVotes(choices: readonly Choice[]): Outcome[] {
    const { votes, problems } = counts(choices);
    return votes.map((of, t): Outcome => {
      if (of.size === 0) return { problem: problems[t]![0] ?? "failed", answer: choices[0]?.text ?? "" };
      // Of equals the one that was said first: maps keep that order, and the sort is stable.
      const order = [...of].sort((a, b) => b[1] - a[1]);
      const lost = problems[t]!.length / choices.length;
      return {
        labels: order.map(([label]) => label),
        probabilities: order.map(([, n]) => n / choices.length),
        rest: lost,
        uncovered: lost,
      };
    });
  }

  function fromLogprobs(choice: Choice): Outcome[] {
    const reads = read(choice);
    const masses = massesOf(choice, reads);
    return reads.map((one, t) => scored(one, masses[t]!, choice, t));
  }

  return {
    fromLogprobs,
    fromVotes,
    masses: (choice) => massesOf(choice, read(choice)),
    signals(single, votes) {
      const reads = single ? read(single) : plan.targets.map((): Read => ({ problem: "failed" }));
      const masses = single ? massesOf(single, reads) : reads.map(() => null);
      const shares = fromVotes(votes);
      return plan.targets.map(({ labels }, t) => {
        const one = reads[t]!;
        const found = masses[t]!;
        const share = shares[t]!;
        const named = (label: number | undefined) => (label === undefined ? null : labels[label]!.name);
        const signals: Record<string, [string | null, number]> = {};
        const put = (name: string, label: number | undefined, score: number) => {
          signals[name] = label === undefined ? [null, 0] : [named(label), rounded(score)];
        };
        const answered = "label" in one ? one.label : undefined;
        const voteOf = (label: number | undefined) =>
          "problem" in share || label === undefined ? 0 : (share.probabilities[share.labels.indexOf(label)] ?? 0);
        if (single?.tokens) {
          const known = found && normalised(found);
          const [best, second] = known?.probabilities ?? [];
          put("logprobs", best?.[0] ?? answered, best?.[1] ?? 0);
          put("margin", best?.[0] ?? answered, best ? best[1] - (second?.[1] ?? 0) : 0);
          put(
            "entropy",
            best?.[0] ?? answered,
            known ? certainty(known.probabilities, known.uncovered, labels.length) : 0,
          );
          put("whole label", answered, found?.sequence.probability ?? 0);
          put("per token", answered, found ? perToken(found) : 0);
          put("first token", answered, found?.first ?? 0);
          const prior = priors[t];
          if (prior) {
            const [free] = (found && normalised(withoutPrior(found, prior)))?.probabilities ?? [];
            put("content-free", free?.[0] ?? answered, free?.[1] ?? 0);
          }
          if (votes.length > 0)
            put("logprobs × votes", best?.[0] ?? answered, (best?.[1] ?? 0) * voteOf(best?.[0] ?? answered));
        }
        if (votes.length > 0) {
          put(
            "votes",
            "problem" in share ? undefined : share.labels[0],
            "problem" in share ? 0 : share.probabilities[0]!,
          );
        }
        return signals;
      });
    },
  };
}

/** 1 less the entropy over its greatest value; uncovered mass counts as one more outcome. */
function certainty(probabilities: readonly [number, number][], uncovered: number, labels: number): number {
  const terms = [...probabilities.map(([, p]) => p), uncovered].filter((p) => p > 0);
  const entropy = -terms.reduce((sum, p) => sum + p * Math.log(p), 0);
  return labels < 2 ? 1 : Math.max(0, 1 - entropy / Math.log(labels + 1));
}

const LONGEST_ANSWER = 200;

/** The prediction line of an outcome. */
export function predictionOfOutcome(
  outcome: Outcome,
  row: Pick<JobRow, "row" | "split">,
  of: { target: string; model: string; labels: readonly string[]; fold?: number | undefined },
): Prediction {
  const head = {
    row: row.row,
    target: of.target,
    model: of.model,
    split: row.split,
    ...(of.fold === undefined ? {} : { fold: of.fold }),
  };
  if ("problem" in outcome) {
    const answer = outcome.answer.trim().slice(0, LONGEST_ANSWER);
    return {
      ...head,
      label: null,
      score: 0,
      top: [],
      rest: 0,
      problem: outcome.problem,
      ...(answer === "" ? {} : { answer }),
    };
  }
  const { labels, probabilities, rest, uncovered } = outcome;
  const top = labels
    .slice(0, TOP_LABELS)
    .map((label, i): [string, number] => [of.labels[label]!, rounded(probabilities[i]!)]);
  const left = probabilities.slice(TOP_LABELS).reduce((sum, p) => sum + p, rest);
  return {
    ...head,
    label: top[0]![0],
    score: top[0]![1],
    top,
    rest: rounded(left),
    ...(uncovered > 0 ? { uncovered: rounded(uncovered) } : {}),
  };
}
