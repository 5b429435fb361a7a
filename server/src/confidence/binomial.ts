/**
 * The binomial distribution, exactly: tails, Clopper–Pearson bounds and the Wilson interval.
 *
 * P[Bin(n, p) ≤ k] = I_{1−p}(n − k, k + 1), the regularised incomplete beta function (DLMF 8.17.5), evaluated by
 * its continued fraction (DLMF 8.17.22, modified Lentz). ln Γ by Lanczos' approximation (g = 7, 9 terms; Godfrey).
 */

const LANCZOS = [
  0.9999999999998099, 676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
  -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
];

/** ln Γ(x) for x > 0; relative error about 1e-15. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const z = x - 1;
  let sum = LANCZOS[0]!;
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i]! / (z + i);
  const t = z + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** The regularised incomplete beta function I_x(a, b), a, b > 0, 0 ≤ x ≤ 1. */
export function regularizedBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const logFront = logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x);
  const front = Math.exp(logFront);
  // The fraction converges quickly only below the mean; above it, use the symmetry I_x(a, b) = 1 − I_{1−x}(b, a).
  if (x < (a + 1) / (a + b + 2)) return (front * betaFraction(x, a, b)) / a;
  return 1 - (front * betaFraction(1 - x, b, a)) / b;
}

function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  // About √max(a, b) terms are needed; the cap is never the limit for a, b below 1e9.
  const limit = 200 + 20 * Math.ceil(Math.sqrt(Math.max(a, b)));
  let c = 1;
  let d = 1 - ((a + b) * x) / (a + 1);
  d = 1 / (Math.abs(d) < tiny ? tiny : d);
  let fraction = d;
  for (let m = 1; m <= limit; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 + even * d;
    d = 1 / (Math.abs(d) < tiny ? tiny : d);
    c = 1 + even / c;
    if (Math.abs(c) < tiny) c = tiny;
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 + odd * d;
    d = 1 / (Math.abs(d) < tiny ? tiny : d);
    c = 1 + odd / c;
    if (Math.abs(c) < tiny) c = tiny;
    const step = d * c;
    fraction *= step;
    if (Math.abs(step - 1) < 1e-15) break;
  }
  return fraction;
}

/** P[Bin(n, p) ≤ k]. */
export function binomialAtMost(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  if (k >= n) return 1;
  return regularizedBeta(1 - p, n - k, k + 1);
}

/** P[Bin(n, p) ≥ k]. */
export function binomialAtLeast(k: number, n: number, p: number): number {
  if (k <= 0) return 1;
  if (k > n) return 0;
  return regularizedBeta(p, k, n - k + 1);
}

/** The value p at which the decreasing (or increasing) function crosses `target`, by bisection to the last bit. */
function bisect(target: number, decreasing: boolean, f: (p: number) => number): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (f(middle) > target === decreasing) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function checkCounts(k: number, n: number): void {
  if (!(Number.isInteger(k) && Number.isInteger(n) && k >= 0 && k <= n)) {
    throw new RangeError(`A count of ${k} out of ${n} is not possible.`);
  }
}

/**
 * One-sided exact upper bound: with probability at least 1 − delta over the draw, the true proportion is at most this.
 * Clopper & Pearson (1934). With n = 0 nothing is known: 1.
 */
export function clopperPearsonUpper(k: number, n: number, delta: number): number {
  checkCounts(k, n);
  if (k === n) return 1;
  return bisect(delta, true, (p) => binomialAtMost(k, n, p));
}

/** One-sided exact lower bound; see {@link clopperPearsonUpper}. With n = 0: 0. */
export function clopperPearsonLower(k: number, n: number, delta: number): number {
  checkCounts(k, n);
  if (k === 0) return 0;
  return bisect(delta, false, (p) => binomialAtLeast(k, n, p));
}

/** A measured value with the limits of its interval. */
export interface Interval {
  /** Lower limit. */
  low: number;
  /** Upper limit. */
  high: number;
}

/** Wilson's score interval (1927) of a proportion, two-sided, at the given level (default 0.95). n = 0: [0, 1]. */
export function wilson(k: number, n: number, level = 0.95): Interval {
  checkCounts(k, n);
  return wilsonProportion(n === 0 ? 0 : k / n, n, level);
}

/** Wilson's interval for a proportion over an effective number of rows, which need not be whole. */
export function wilsonProportion(proportion: number, n: number, level = 0.95): Interval {
  if (n <= 0) return { low: 0, high: 1 };
  const z = normalQuantile(0.5 + level / 2);
  const z2 = z * z;
  const centre = (proportion + z2 / (2 * n)) / (1 + z2 / n);
  const half = (z * Math.sqrt((proportion * (1 - proportion)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
  return {
    low: proportion <= 0 ? 0 : Math.max(0, centre - half),
    high: proportion >= 1 ? 1 : Math.min(1, centre + half),
  };
}

/** The quantile of the standard normal distribution; Wichura's algorithm AS 241 (1988), relative error about 1e-16. */
export function normalQuantile(p: number): number {
  if (p <= 0) return -Infinity;
  if (p >= 1) return Infinity;
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (
      (q *
        polynomial(
          r,
          [
            3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987,
            67265.7709270087, 33430.57558358813, 2509.0809287301227,
          ],
        )) /
      polynomial(
        r,
        [
          1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
          28729.085735721943, 5226.495278852546,
        ],
      )
    );
  }
  let r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  let value: number;
  if (r <= 5) {
    r -= 1.6;
    value =
      polynomial(
        r,
        [
          1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
          0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
        ],
      ) /
      polynomial(
        r,
        [
          1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
          0.0005475938084995345, 1.0507500716444169e-9,
        ],
      );
  } else {
    r -= 5;
    value =
      polynomial(
        r,
        [
          6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
          0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
        ],
      ) /
      polynomial(
        r,
        [
          1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 1.8463183175100548e-5,
          1.421511758316446e-7, 2.0442631033899397e-15,
        ],
      );
  }
  return q < 0 ? -value : value;
}

function polynomial(x: number, coefficients: readonly number[]): number {
  let value = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) value = value * x + coefficients[i]!;
  return value;
}
