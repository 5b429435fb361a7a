import type { TermOptions } from "./terms.ts";

/** A fitted classifier for one target: plain data, the same whether just fitted or read from a file. */
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
  readonly weights: Float32Array<ArrayBuffer>;
}
