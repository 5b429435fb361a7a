import { setImmediate as nextTurn } from "node:timers/promises";
import { createKernel, type Kernel } from "./kernel.ts";
import { type LinearModel, restoreWeights } from "./model.ts";
import { softmaxInto } from "./softmax.ts";
import { BIAS } from "./solver.ts";
import { lowerCase, visitTerms } from "./terms.ts";
import { SUBLINEAR } from "./weighting.ts";

/** Hash → feature of a model by open addressing, at most half full. */
export class Vocabulary {
  private readonly slots: Int32Array;
  private readonly hashes: Int32Array;

  constructor(hashes: Int32Array) {
    this.hashes = hashes;
    this.slots = new Int32Array(1 << (32 - Math.clz32(Math.max(1, hashes.length * 2 - 1))));
    const mask = this.slots.length - 1;
    for (let feature = 0; feature < hashes.length; feature++) {
      let slot = hashes[feature]! & mask;
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
      this.slots[slot] = feature + 1;
    }
  }

  /** -1 when the term is no feature. */
  find(hash: number): number {
    const mask = this.slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = this.slots[slot]!;
      if (entry === 0) return -1;
      if (this.hashes[entry - 1] === hash) return entry - 1;
    }
  }
}

/** A model ready to score texts: its weights in a kernel, its vocabulary in a table. Made once a model, when first needed. */
export class Predictor {
  readonly model: LinearModel;
  readonly vocabulary: Vocabulary;
  readonly kernel: Kernel;
  private readonly slotOf: Int32Array;

  constructor(model: LinearModel) {
    const { hashes, classes } = model;
    this.model = model;
    this.vocabulary = new Vocabulary(hashes);
    this.kernel = createKernel(hashes.length + 1, classes, hashes.length + 1);
    restoreWeights(model, this.kernel);
    this.slotOf = new Int32Array(hashes.length).fill(-1);
  }

  /** Puts a row and the bias into the kernel, each known term once; returns the number of entries. The row has length 1. */
  fill(texts: readonly string[]): number {
    const { kernel, slotOf, vocabulary, model } = this;
    const { columns, values } = kernel;
    let n = 0;
    for (let column = 0; column < texts.length; column++) {
      visitTerms(lowerCase(texts[column]!), column, model.options, (hash) => {
        const feature = vocabulary.find(hash);
        if (feature < 0) return;
        const slot = slotOf[feature]!;
        if (slot < 0) {
          slotOf[feature] = n;
          columns[n] = feature;
          values[n++] = 1;
        } else values[slot]!++;
      });
    }
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const feature = columns[i]!;
      slotOf[feature] = -1;
      values[i] = SUBLINEAR[Math.min(255, values[i]!)]! * model.idf[feature]!;
      squares += values[i]! * values[i]!;
    }
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let i = 0; i < n; i++) values[i]! *= scale;
    columns[n] = model.hashes.length;
    values[n] = BIAS;
    return n + 1;
  }
}

const predictors = new WeakMap<LinearModel, Predictor>();

export function predictorOf(model: LinearModel): Predictor {
  let predictor = predictors.get(model);
  if (!predictor) predictors.set(model, (predictor = new Predictor(model)));
  return predictor;
}

const ROWS_A_TURN = 500;

/**
 * Probabilities of all labels for every row: rows × classes, each row summing to 1.
 * @param texts for every row the text of each input column, in the order trained on
 * @throws the signal's reason when aborted
 */
export async function predictProbabilities(
  model: LinearModel,
  texts: readonly (readonly string[])[],
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (rows: number) => void } = {},
): Promise<Float32Array> {
  const predictor = predictorOf(model);
  const { kernel } = predictor;
  const result = new Float32Array(texts.length * model.classes);
  for (let row = 0; row < texts.length; row++) {
    if (row % ROWS_A_TURN === 0) {
      onProgress?.(row);
      await nextTurn();
      signal?.throwIfAborted();
    }
    kernel.scores(predictor.fill(texts[row]!));
    softmaxInto(kernel.output, model.classes, result, row * model.classes);
  }
  onProgress?.(texts.length);
  return result;
}

/** The `k` most probable labels, best first; on a tie the lower label number. */
export function topK(probabilities: Float32Array, k: number): { label: number; probability: number }[] {
  return Array.from(probabilities, (probability, label) => ({ label, probability }))
    .sort((a, b) => b.probability - a.probability || a.label - b.label)
    .slice(0, k);
}
