import { seededRandom } from "../../../../server/src/engines/linear/random.ts";

const openings = ["please", "hello", "hi there", "could you", "I think", "today"];
const topics = [
  ["card arrived late", "card delivery", "new card missing", "waiting for my card"],
  ["wrong exchange rate", "currency rate", "rate was bad abroad", "exchange fee"],
  ["transfer failed", "transfer pending", "money transfer stuck", "my transfer is gone"],
  ["forgot my passcode", "reset passcode", "passcode blocked", "locked out of the app"],
  ["refund my payment", "refund please", "payment charged twice", "double charge"],
];

/** Short texts on a few topics, from a seed; a share of the labels is wrong. */
export function topicCorpus(rows: number, seed: number, noise = 0.05) {
  const random = seededRandom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const labels = new Int32Array(rows);
  const texts: string[][] = [];
  for (let i = 0; i < rows; i++) {
    const topic = Math.floor(random() * topics.length);
    texts.push([`${pick(openings)} ${pick(topics[topic]!)} ${pick(topics[topic]!)} ${pick(openings)}`]);
    labels[i] = random() < noise ? Math.floor(random() * topics.length) : topic;
  }
  return { texts, labels, classes: topics.length };
}

export function range(from: number, to: number): Int32Array {
  return Int32Array.from({ length: to - from }, (_, i) => from + i);
}

export function accuracy(probabilities: Float32Array, labels: Int32Array, classes: number): number {
  let right = 0;
  for (let i = 0; i < labels.length; i++) {
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    if (row.indexOf(Math.max(...row)) === labels[i]) right++;
  }
  return right / labels.length;
}
