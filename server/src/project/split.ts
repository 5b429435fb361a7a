/** The shares of the splits, once what the project file leaves out is filled in. */
import type { ProjectFile } from "../../../schemas/project.ts";

/** Shares that are used where the project file gives none. */
export const DEFAULT_SHARES = { train: 0.64, validation: 0.16, test: 0.2 } as const;

/** How far from 1 the sum of three given shares may be. */
export const SHARE_TOLERANCE = 0.001;

/** Shares of the rows of `dataset.source` (or of its `train` files) that go to each split; they sum to 1. */
export interface SplitShares {
  train: number;
  validation: number;
  test: number;
}

export const SHARE_RULE =
  "Shares that are not given: validation 0.16, test 0.20, train the rest; with train given, the others share the rest.";

/**
 * Fills in the shares. Splits with files of their own get no share, and what is given for the others is scaled to sum
 * to 1 when it does not. With a column, every share is 0: the column says it all.
 */
export function splitShares(dataset: Pick<ProjectFile["dataset"], "source" | "split">): SplitShares {
  const { split, source } = dataset;
  if (split.column !== undefined) return { train: 0, validation: 0, test: 0 };
  const files = typeof source === "object" && !Array.isArray(source) ? source : undefined;
  // A share for a split that has files says nothing.
  const shares = {
    train: split.train,
    validation: files?.validation !== undefined ? 0 : split.validation,
    test: files?.test !== undefined ? 0 : split.test,
  };
  let { train, validation, test } = shares;
  if (train === undefined) {
    validation ??= DEFAULT_SHARES.validation;
    test ??= DEFAULT_SHARES.test;
    train = 1 - validation - test;
  } else {
    const rest = 1 - train - (validation ?? 0) - (test ?? 0);
    const open =
      (validation === undefined ? DEFAULT_SHARES.validation : 0) + (test === undefined ? DEFAULT_SHARES.test : 0);
    validation ??= (rest * DEFAULT_SHARES.validation) / open;
    test ??= (rest * DEFAULT_SHARES.test) / open;
  }
  const sum = train + validation + test;
  const clean = (share: number) => Math.round((share / sum) * 1e9) / 1e9;
  return { train: clean(train), validation: clean(validation), test: clean(test) };
}
