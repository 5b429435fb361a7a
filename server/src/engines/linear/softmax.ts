/** Writes softmax(scores[0 … classes)) to `out` from `offset` on. */
export function softmaxInto(scores: Float32Array, classes: number, out: Float32Array, offset: number): void {
  let largest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < classes; k++) largest = Math.max(largest, scores[k]!);
  let sum = 0;
  for (let k = 0; k < classes; k++) sum += Math.exp(scores[k]! - largest);
  for (let k = 0; k < classes; k++) out[offset + k] = Math.exp(scores[k]! - largest) / sum;
}
