import type { Features } from "./fit.ts";
import { defaultOptions, type LinearOptions, MANY_ROWS } from "./options.ts";
import { countTerms } from "./term-counts.ts";

export { type Explanation, explain, type WordContribution } from "./explain.ts";
export {
  type Chosen,
  DEFAULT_C,
  type Features,
  fitLinear,
  outOfFold,
  type TrainingData,
} from "./fit.ts";
export { assignFolds } from "./folds.ts";
export type { LinearModel } from "./model.ts";
export { decodeModel, encodeModel, ModelFileError, readModel } from "./model-file.ts";
export { defaultOptions, type LinearOptions, type Progress, type RunOptions } from "./options.ts";
export { predictProbabilities, topK } from "./predict.ts";
export type { SearchStep } from "./tasks.ts";

/**
 * Reads the texts of all rows a job works with, once, for all targets and folds.
 * @param texts for every row the text of each input column
 * @throws the signal's reason when aborted
 */
export async function extractFeatures(
  texts: readonly (readonly string[])[],
  options: Partial<LinearOptions> = {},
  run: { signal?: AbortSignal; onProgress?: (rows: number) => void } = {},
): Promise<Features> {
  const { wordNgrams, characterNgrams, minRows } = { ...defaultOptions, ...options };
  const least = minRows === "auto" ? (texts.length < MANY_ROWS ? 1 : 2) : minRows;
  const counts = await countTerms(texts, { wordNgrams, characterNgrams, minRows: least }, run);
  return { ...counts, columns: texts[0]?.length ?? 0 };
}
