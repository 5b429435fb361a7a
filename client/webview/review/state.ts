/** What a person chose in the panel, kept over reloads, and the questions that follow from it. */
import type { Requests } from "../../../schemas/protocol.ts";

type ListParams = Requests["clf/flagged/list"]["params"];
export type ReviewOrder = NonNullable<ListParams["order"]>;

/** Null: all of them. */
export interface Filter {
  /** Null: the project's review model. */
  model: string | null;
  target: string | null;
  reason: string | null;
  label: string | null;
  pair: [string, string] | null;
}

export interface ReviewState extends Filter {
  /** Null: the project's. */
  order: ReviewOrder | null;
  /** The row on screen, and its place in the list. */
  row: string | null;
  rowTarget: string | null;
  index: number;
  /** Written for the row on screen, not yet recorded with a decision. */
  note: string;
  /** The progress is open. */
  progress: boolean;
}

export const NO_FILTER: Filter = { model: null, target: null, reason: null, label: null, pair: null };
export const START: ReviewState = {
  ...NO_FILTER,
  ...{ order: null, row: null, rowTarget: null, index: 0, note: "", progress: false },
};

/** Whether rows are left out; another model shows other rows. */
export const isFiltered = ({ target, reason, label, pair }: Filter): boolean =>
  target !== null || reason !== null || label !== null || pair !== null;

/** The filter as the server takes it. */
export function asked({ model, target, reason, label, pair }: Filter) {
  return {
    ...(model === null ? {} : { model }),
    ...(target === null ? {} : { target }),
    ...(reason === null ? {} : { reason: reason as NonNullable<ListParams["reason"]> }),
    ...(label === null ? {} : { label }),
    ...(pair === null ? {} : { pair }),
  };
}

/** Order by name. */
export const ORDERS: Record<ReviewOrder, string> = {
  margin: "uncertain first (smallest margin)",
  confidence: "lowest confidence first",
  "label-issues": "likely label errors first",
  informative: "most informative first",
  random: "random",
  file: "as in the file",
};
