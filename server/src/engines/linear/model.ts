import type { Kernel } from "./kernel.ts";
import type { TermOptions } from "./terms.ts";

/**
 * A fitted classifier for one target: plain data, the same whether just fitted or read from a file.
 *
 * Weights are 8-bit: the weight of a feature for a label is `weights × scales[feature]`, with the feature's largest at ±127. That
 * makes a model four times smaller, and changes log loss and accuracy by less than one row in a thousand (bench/linear/README.md).
 */
export interface LinearModel {
  /** Number of labels; probabilities stand in label order. */
  readonly classes: number;
  /** Input columns a row has. */
  readonly columns: number;
  readonly options: TermOptions;
  /** Inverse regularisation strength it was fitted with. */
  readonly c: number;
  /** By feature: the hash of its term. */
  readonly hashes: Int32Array<ArrayBuffer>;
  /** By feature: inverse document frequency. */
  readonly idf: Float32Array<ArrayBuffer>;
  /** (features + 1) × classes; the last row holds the intercepts. */
  readonly weights: Int8Array<ArrayBuffer>;
  /** By feature, and last for the intercepts. */
  readonly scales: Float32Array<ArrayBuffer>;
}

/** The weights of a kernel as a model keeps them. */
export function quantise({ weights, stride }: Kernel, classes: number): Pick<LinearModel, "weights" | "scales"> {
  const rows = weights.length / stride;
  const quantised = new Int8Array(rows * classes);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let largest = 0;
    for (let k = 0; k < classes; k++) largest = Math.max(largest, Math.abs(weights[row * stride + k]!));
    scales[row] = largest / 127;
    if (scales[row] === 0) continue;
    for (let k = 0; k < classes; k++)
      quantised[row * classes + k] = Math.round(weights[row * stride + k]! / scales[row]!);
  }
  return { weights: quantised, scales };
}

/** Writes a model's weights into a kernel of its size. */
export function restoreWeights({ weights, scales, classes }: LinearModel, kernel: Kernel): void {
  for (let row = 0; row < scales.length; row++) {
    const scale = scales[row]!;
    const to = row * kernel.stride;
    for (let k = 0; k < classes; k++) kernel.weights[to + k] = weights[row * classes + k]! * scale;
  }
}
