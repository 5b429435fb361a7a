/**
 * Platt scaling: p = 1 / (1 + exp(A f + B)), fitted by Newton's method with backtracking on smoothed targets
 * (N₊ + 1)/(N₊ + 2) and 1/(N₋ + 2). Platt (1999); the algorithm is that of Lin, Lin & Weng (2007), "A note on Platt's
 * probabilistic outputs for support vector machines".
 */

/** The two parameters of Platt's sigmoid. A is negative when larger f means more often right. */
export interface PlattParameters {
  a: number;
  b: number;
}

/** P(right) at f. */
export function applyPlatt({ a, b }: PlattParameters, f: number): number {
  const z = a * f + b;
  return z >= 0 ? Math.exp(-z) / (1 + Math.exp(-z)) : 1 / (1 + Math.exp(z));
}

/**
 * Fits the sigmoid.
 * @param f any real scores
 * @param right 1 where the prediction was right (or the class is positive), else 0
 * @throws RangeError without rows.
 */
export function fitPlatt(f: ArrayLike<number>, right: ArrayLike<number>): PlattParameters {
  const n = f.length;
  if (n === 0) throw new RangeError("Platt scaling cannot be fitted without labelled rows.");
  let positives = 0;
  for (let i = 0; i < n; i++) if (right[i]! > 0) positives++;
  const highTarget = (positives + 1) / (positives + 2);
  const lowTarget = 1 / (n - positives + 2);
  let a = 0;
  let b = Math.log((n - positives + 1) / (positives + 1));

  const loss = (a: number, b: number): number => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const z = a * f[i]! + b;
      const target = right[i]! > 0 ? highTarget : lowTarget;
      sum += z >= 0 ? target * z + Math.log1p(Math.exp(-z)) : (target - 1) * z + Math.log1p(Math.exp(z));
    }
    return sum;
  };

  let current = loss(a, b);
  for (let iteration = 0; iteration < 200; iteration++) {
    let h11 = 1e-12;
    let h22 = 1e-12;
    let h21 = 0;
    let g1 = 0;
    let g2 = 0;
    for (let i = 0; i < n; i++) {
      const p = applyPlatt({ a, b }, f[i]!);
      const weight = p * (1 - p);
      h11 += f[i]! * f[i]! * weight;
      h22 += weight;
      h21 += f[i]! * weight;
      const gap = (right[i]! > 0 ? highTarget : lowTarget) - p;
      g1 += f[i]! * gap;
      g2 += gap;
    }
    if (Math.abs(g1) < 1e-10 * n && Math.abs(g2) < 1e-10 * n) break;
    const determinant = h11 * h22 - h21 * h21;
    const stepA = -(h22 * g1 - h21 * g2) / determinant;
    const stepB = -(-h21 * g1 + h11 * g2) / determinant;
    const descent = g1 * stepA + g2 * stepB;
    let size = 1;
    let moved = false;
    while (size >= 1e-10) {
      const next = loss(a + size * stepA, b + size * stepB);
      if (next < current + 1e-4 * size * descent) {
        a += size * stepA;
        b += size * stepB;
        current = next;
        moved = true;
        break;
      }
      size /= 2;
    }
    if (!moved) break;
  }
  return { a, b };
}
