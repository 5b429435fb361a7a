/** What passes between the language server's thread and the worker thread that reads data for it. */
import type { Problem } from "../../../schemas/problem.ts";
import type { ProjectFileInput } from "../../../schemas/project.ts";
import type { Project } from "../project/project.ts";
import type { Path } from "../project/yaml.ts";
import type { DataFigures } from "./figures.ts";

/** A problem of the data. One of the project file says which key it is about: the text may have changed meanwhile. */
export type DataProblem = Problem & { path?: Path };

/** A column as the first rows of the files show it. */
export interface SampledColumn {
  name: string;
  /** Rows looked at, and those of them without a value. */
  rows: number;
  empty: number;
  /** The different values, most frequent first; shortened to a hundred characters. Cut at MOST_VALUES. */
  values: [value: string, rows: number][];
  /** How many there are; null when more than MOST_VALUES. */
  distinct: number | null;
}

export const MOST_VALUES = 1000;

export interface DataResult {
  figures: DataFigures;
  problems: DataProblem[];
}

export type DataRequest =
  /** The columns and their values, from the first rows; also for a project that is not finished. */
  | { do: "sample"; id: number; folder: string; source: ProjectFileInput["dataset"]["source"] }
  /** All checks of the data. */
  | { do: "check"; id: number; project: Project }
  | { do: "cancel"; id: number };

export type DataAnswer =
  | { id: number; ok: true; result: unknown }
  | { id: number; ok: false; cancelled: boolean; message: string };
