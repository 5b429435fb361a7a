import type { ProjectFile } from "../../../schemas/project.ts";
import type { SplitShares } from "./split.ts";

/** An input column, with the name prompts, rows and screens use. */
export interface Input {
  column: string;
  name: string;
}

export interface Label {
  name: string;
  description?: string;
  aliases?: string[];
}

export interface Target {
  column: string;
  name: string;
  /** The labels of the project file (or its labels file), in order; undefined: taken from the data. */
  labels?: Label[];
  /** Never accepted without a person. */
  never: string[];
  /** Stricter risks by label. */
  risk: Record<string, number>;
}

/** A project file, read, checked and with every default filled in. Paths here are absolute; those of `spec` stay relative. */
export interface Project {
  /** Absolute path of the `.clf.yaml`. */
  file: string;
  /** Its folder: everything the project names lies in it. */
  folder: string;
  name: string;
  /** `<folder>/.clf`: jobs and caches, not committed. */
  stateFolder: string;
  /** `<project>.splits.jsonl` beside the project file, committed. */
  splitsFile: string;
  /** The decisions file, committed. */
  decisionsFile: string;
  inputs: Input[];
  targets: Target[];
  /** Shares of the splits, defaults filled in; all 0 when `spec.dataset.split.column` says the splits. */
  shares: SplitShares;
  /** The model behind Flagged and inline confidence. */
  reviewModel: string;
  /** The file's content with defaults. */
  spec: ProjectFile;
}
