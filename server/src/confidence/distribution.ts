/**
 * One row's answer for one target: the probabilities of some labels, and what is left for the others.
 */

/**
 * The k most probable labels (or all of them), by number in the target's label list, and the mass that is left.
 *
 * `rest` is spread evenly over the `restCount` labels that are not listed. With `restCount` 0 it is *uncovered* mass: it
 * belongs to no label we know (for example what a chat endpoint's top log-probabilities cannot see), is kept as one
 * block, and is never given to a label. Listed probabilities and `rest` add up to 1 (checked to 0.01, for rounded input).
 */
export interface Distribution {
  /** Label numbers, each at most once. */
  labels: ArrayLike<number>;
  /** Probability of each listed label, in [0, 1]. */
  probabilities: ArrayLike<number>;
  /** Probability mass of everything not listed, in [0, 1]. */
  rest: number;
  /** Over how many further labels `rest` is spread evenly; 0: uncovered mass. */
  restCount: number;
}

/** A full probability vector as a distribution: label number = position. */
export function fullDistribution(probabilities: ArrayLike<number>): Distribution {
  const labels = new Int32Array(probabilities.length);
  for (let i = 0; i < labels.length; i++) labels[i] = i;
  return { labels, probabilities, rest: 0, restCount: 0 };
}

/** The position of the most probable listed label; the first of equals. −1 when none is listed. */
export function topPosition(distribution: Distribution): number {
  const { probabilities } = distribution;
  let best = probabilities.length > 0 ? 0 : -1;
  for (let i = 1; i < probabilities.length; i++) if (probabilities[i]! > probabilities[best]!) best = i;
  return best;
}

/** What metrics need of a row's (calibrated) distribution. */
export interface ShownFigures {
  /** Probability of the predicted label, in [0, 1]. */
  confidence: number;
  /** Probability of the given label, in [0, 1]; 0 without one. */
  truthProbability: number;
  /** See {@link squaredSum}. */
  squaredSum: number;
}

/** The figures of a distribution as it stands. `truth` is −1 without a given label. */
export function shownFigures(distribution: Distribution, predicted: number, truth: number): ShownFigures {
  return {
    confidence: Math.min(1, probabilityOf(distribution, predicted)),
    truthProbability: truth < 0 ? 0 : Math.min(1, probabilityOf(distribution, truth)),
    squaredSum: squaredSum(distribution),
  };
}

/** The probability the distribution gives to a label; an even share of `rest` when it is not listed. */
export function probabilityOf(distribution: Distribution, label: number): number {
  const { labels, probabilities, rest, restCount } = distribution;
  for (let i = 0; i < labels.length; i++) if (labels[i] === label) return probabilities[i]!;
  return restCount > 0 && label >= 0 ? rest / restCount : 0;
}

/** The sum of squared probabilities over all labels (uncovered mass counts as one further outcome). */
export function squaredSum(distribution: Distribution): number {
  const { probabilities, rest, restCount } = distribution;
  let sum = 0;
  for (let i = 0; i < probabilities.length; i++) sum += probabilities[i]! * probabilities[i]!;
  return sum + (restCount > 0 ? (rest * rest) / restCount : rest * rest);
}

/**
 * Refuses what is not a distribution over `labelCount` labels.
 * @throws RangeError that names what is wrong.
 */
export function checkDistribution(distribution: Distribution, labelCount: number): void {
  const { labels, probabilities, rest, restCount } = distribution;
  if (labels.length !== probabilities.length) {
    throw new RangeError(`${labels.length} labels but ${probabilities.length} probabilities.`);
  }
  if (labels.length === 0) throw new RangeError("An answer must list at least one label.");
  if (!(rest >= 0 && rest <= 1 + 1e-3)) throw new RangeError(`The rest of the probability is ${rest}, outside [0, 1].`);
  if (!(Number.isInteger(restCount) && restCount >= 0)) throw new RangeError(`restCount is ${restCount}.`);
  let sum = rest;
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    const probability = probabilities[i]!;
    // `>>> 0` is the quick test for a whole number that is not negative.
    if (label >>> 0 !== label || label >= labelCount) {
      throw new RangeError(`Label number ${label} is outside the list of ${labelCount} labels.`);
    }
    if (!(probability >= 0 && probability <= 1 + 1e-3)) {
      throw new RangeError(`A probability is ${probability}, outside [0, 1].`);
    }
    sum += probability;
  }
  if (Math.abs(sum - 1) > 0.01) throw new RangeError(`The probabilities add up to ${sum}, not to 1.`);
}
