/** Just enough measuring for the benchmarks of this folder; the product's own is in server/src/confidence and evaluation. */

export interface Measured {
  accuracy: number;
  logLoss: number;
  ece15: number;
}

/** Row i of `probabilities` divided by temperature in log space. */
function tempered(probabilities: Float32Array, classes: number, i: number, temperature: number): Float64Array {
  const row = Float64Array.from(probabilities.subarray(i * classes, (i + 1) * classes), (p) =>
    Math.log(Math.max(p, 1e-38)),
  );
  const largest = Math.max(...row);
  let sum = 0;
  for (let k = 0; k < classes; k++) sum += row[k] = Math.exp((row[k]! - largest) / temperature);
  for (let k = 0; k < classes; k++) row[k]! /= sum;
  return row;
}

export function measure(probabilities: Float32Array, labels: Int32Array, classes: number, temperature = 1): Measured {
  const bins = Array.from({ length: 15 }, () => ({ confidence: 0, right: 0 }));
  let right = 0;
  let loss = 0;
  for (let i = 0; i < labels.length; i++) {
    const row = tempered(probabilities, classes, i, temperature);
    const confidence = Math.max(...row);
    const isRight = row.indexOf(confidence) === labels[i];
    const bin = bins[Math.min(14, Math.floor(confidence * 15))]!;
    bin.confidence += confidence;
    if (isRight) bin.right++;
    if (isRight) right++;
    loss -= Math.log(Math.max(row[labels[i]!]!, 1e-38));
  }
  const n = labels.length;
  const ece15 = bins.reduce((sum, bin) => sum + Math.abs(bin.confidence - bin.right), 0) / n;
  return { accuracy: right / n, logLoss: loss / n, ece15 };
}

/** The temperature of least log loss, by golden section. */
export function fitTemperature(probabilities: Float32Array, labels: Int32Array, classes: number): number {
  const logs = probabilities.map((p) => Math.log(Math.max(p, 1e-38)));
  const loss = (logT: number) => {
    const factor = Math.exp(-logT);
    let total = 0;
    for (let i = 0; i < labels.length; i++) {
      let sum = 0;
      for (let k = i * classes; k < (i + 1) * classes; k++) sum += Math.exp(logs[k]! * factor);
      total += Math.log(sum) - logs[i * classes + labels[i]!]! * factor;
    }
    return total;
  };
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [-1.5, 1.5];
  let [a, b] = [high - ratio * (high - low), low + ratio * (high - low)];
  let [lossA, lossB] = [loss(a), loss(b)];
  while (high - low > 1e-3) {
    if (lossA < lossB) {
      [high, b, lossB] = [b, a, lossA];
      a = high - ratio * (high - low);
      lossA = loss(a);
    } else {
      [low, a, lossA] = [a, b, lossB];
      b = low + ratio * (high - low);
      lossB = loss(b);
    }
  }
  return Math.exp((low + high) / 2);
}
