/** The figures that hints and hovers show. The data's come from the data check; the models' from whoever runs jobs. */
import type { EvaluationSummary } from "../../../schemas/protocol.ts";

/** What the newest evaluation says of one model. */
export interface ModelFigures {
  evaluation: EvaluationSummary;
  /** Target name → label → rows of test with that label, and how many of them were predicted right. */
  labels?: Record<string, Record<string, { rows: number; right: number }>>;
}

/** Where the models' figures come from. Called often: answers from memory, or quickly. */
export interface ProjectFigures {
  /** By model name; models without a succeeded evaluation are absent. */
  models(projectFile: string): Promise<Record<string, ModelFigures>>;
  /** Calls back when a project's figures have changed. */
  onDidChange(listener: (projectFile: string) => void): void;
}

/** Before anything has been evaluated. */
export const noFigures: ProjectFigures = { models: async () => ({}), onDidChange: () => {} };

export interface LabelRows {
  name: string;
  train: number;
  validation: number;
  test: number;
}

/** What a project file's hints, hovers and completions say of its data. */
export interface DataFigures {
  /** Labelled rows that take part. */
  rows: number;
  splits: { train: number; validation: number; test: number };
  pool: number;
  /** Rows whose text an earlier row has too. */
  duplicates: number;
  /** `median`: length of the texts in characters, null when all are empty. */
  inputs: { column: string; empty: number; median: number | null }[];
  /** By column of the target. Labels: most frequent first. */
  targets: Record<string, { labelled: number; labels: LabelRows[] }>;
}

export const rowsOf = (label: LabelRows) => label.train + label.validation + label.test;

export const count = (n: number) => n.toLocaleString("en-US");

/** `1 row`, `2 rows`. */
export const counted = (n: number, noun: string) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;

/** 0.7134 → `71 %`. */
export const percent = (share: number) => `${Math.round(share * 100)} %`;

/** 0.8312 → `0.83`; 1 → `1.00`. */
export const decimals = (value: number) => value.toFixed(2);

/** How long ago, in the largest unit that fits. */
export function age(time: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(time)) / 1000);
  if (!Number.isFinite(seconds)) return "";
  for (const [unit, length] of [
    ["year", 31_557_600],
    ["month", 2_629_800],
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
  ] as const) {
    if (seconds >= length) return `${counted(Math.floor(seconds / length), unit)} ago`;
  }
  return "just now";
}
