/**
 * Seeded random numbers: the same seed gives the same numbers on every machine.
 * Generator: sfc32 (Doty-Humphrey, PractRand), seeded through a 32-bit mixing of the seed.
 */

/** A source of random numbers that depends on nothing but its seed. */
export interface Random {
  /** Uniform on [0, 1), 32 random bits. */
  uniform(): number;
  /** Uniform whole number on [0, n). */
  below(n: number): number;
  /** Standard normal (Box–Muller). */
  normal(): number;
  /** Poisson with the given mean (Knuth's product below 12, Hörmann's PTRS above). */
  poisson(mean: number): number;
}

/** Makes a seeded source. Any finite number is a seed; fractions are dropped. */
export function seededRandom(seed: number): Random {
  let a = Math.trunc(seed) | 0;
  let b = Math.trunc(seed / 4294967296) | 0;
  let c = 0x9e3779b9 | 0;
  let counter = 1;

  function next(): number {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  }
  // The first outputs still show the seed.
  for (let i = 0; i < 15; i++) next();

  const uniform = (): number => next() / 4294967296;
  let spare: number | null = null;

  function normal(): number {
    if (spare !== null) {
      const value = spare;
      spare = null;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  function poisson(mean: number): number {
    if (mean <= 0) return 0;
    if (mean < 12) {
      const limit = Math.exp(-mean);
      let product = uniform();
      let count = 0;
      while (product > limit) {
        product *= uniform();
        count++;
      }
      return count;
    }
    // Hörmann (1993), "The transformed rejection method for generating Poisson random variables", PTRS.
    const logMean = Math.log(mean);
    const scale = 0.931 + 2.53 * Math.sqrt(mean);
    const shift = -0.059 + 0.02483 * scale;
    const inverseAlpha = 1.1239 + 1.1328 / (scale - 3.4);
    const squeeze = 0.9277 - 3.6224 / (scale - 2);
    for (;;) {
      const u = uniform() - 0.5;
      const v = 1 - uniform();
      const us = 0.5 - Math.abs(u);
      const count = Math.floor(((2 * shift) / us + scale) * u + mean + 0.43);
      if (us >= 0.07 && v <= squeeze) return count;
      if (count < 0 || (us < 0.013 && v > us)) continue;
      const accept = Math.log(v) + Math.log(inverseAlpha) - Math.log(shift / (us * us) + scale);
      if (accept <= -mean + count * logMean - logFactorial(count)) return count;
    }
  }

  return { uniform, below: (n) => Math.floor(uniform() * n), normal, poisson };
}

/** ln(k!) by Stirling's series (k ≥ 10) or by multiplication. Absolute error below 1e-10. */
function logFactorial(k: number): number {
  if (k < 10) {
    let product = 1;
    for (let i = 2; i <= k; i++) product *= i;
    return Math.log(product);
  }
  const inverse = 1 / k;
  const series = inverse * (1 / 12 - inverse * inverse * (1 / 360 - (inverse * inverse) / 1260));
  return k * Math.log(k) - k + 0.5 * Math.log(2 * Math.PI * k) + series;
}

/** A seeded permutation of 0 … n−1 (Fisher–Yates). */
export function seededPermutation(n: number, seed: number): Int32Array {
  const random = seededRandom(seed);
  const order = new Int32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const held = order[i]!;
    order[i] = order[j]!;
    order[j] = held;
  }
  return order;
}
