/**
 * Texts that say much the same: tf–idf vectors of their words (ltc.ltc in Manning, Raghavan & Schütze 2008, ch. 6), compared by their
 * cosine, 0 to 1.
 */
import type { Pace } from "../dataset/pace.ts";
import { lowerCase, visitTerms } from "../engines/linear/terms.ts";

export interface Similarity {
  /**
   * Texts like the one at a place, the most similar first; ties in their order.
   * @param options.least cosine from which a text counts
   * @param options.among which texts are asked for
   */
  nearest(at: number, options: NearestOptions): Near[];
  /** Texts like one that is none of them: its inputs, in their order. Words that none of them has count for nothing but its length. */
  like(inputs: readonly string[], options: NearestOptions): Near[];
  /** The mean cosine of each text with all of `group`: how much of it one text stands for. */
  density(group: readonly number[]): (at: number) => number;
}

export interface NearestOptions {
  most: number;
  least: number;
  among: (at: number) => boolean;
}

export interface Near {
  at: number;
  similarity: number;
}

const WORDS = { wordNgrams: 1, characterNgrams: [0, 0] } as const;
/** Characters of an input that are compared: a text of a megabyte is known by its beginning. */
const LONGEST = 20_000;
/** A word that more texts have than this says little, and would cost most of the time. */
const COMMON = 20_000;

/** @param inputsOf the inputs of each of `count` texts; a word in two inputs is two words */
export async function similarityOf(
  count: number,
  inputsOf: (at: number) => readonly string[],
  pace: Pace,
): Promise<Similarity> {
  const ids = new Map<number, number>();
  const rows: number[] = [];
  const entries: number[] = [];
  const weights: number[] = [];
  const starts = new Uint32Array(count + 1);
  for (let i = 0; i < count; i++) {
    if ((i & 0xff) === 0) await pace();
    for (const [hash, n] of countsOf(inputsOf(i))) {
      let id = ids.get(hash);
      if (id === undefined) {
        ids.set(hash, (id = ids.size));
        rows.push(0);
      }
      rows[id]!++;
      entries.push(id);
      weights.push(1 + Math.log(n));
    }
    starts[i + 1] = entries.length;
  }
  const terms = Uint32Array.from(entries);
  const weight = Float32Array.from(weights);
  const postings = new Uint32Array(terms.length);
  const postingWeight = new Float32Array(terms.length);
  const postingStarts = new Uint32Array(ids.size + 1);
  for (let id = 0; id < ids.size; id++) postingStarts[id + 1] = postingStarts[id]! + rows[id]!;
  const fill = postingStarts.slice();
  for (let i = 0; i < count; i++) {
    if ((i & 0xff) === 0) await pace();
    let length = 0;
    for (let k = starts[i]!; k < starts[i + 1]!; k++) {
      weight[k] = weight[k]! * Math.log((1 + count) / rows[terms[k]!]!);
      length += weight[k]! ** 2;
    }
    for (let k = starts[i]!; k < starts[i + 1]!; k++) {
      weight[k] = weight[k]! / Math.sqrt(length || 1);
      const place = fill[terms[k]!]!++;
      postings[place] = i;
      postingWeight[place] = weight[k]!;
    }
  }

  function search(
    words: Iterable<readonly [id: number, weight: number]>,
    { most, least, among }: NearestOptions,
    except?: number,
  ): Near[] {
    const found = new Map<number, number>();
    for (const [id, of] of words) {
      if (rows[id]! > COMMON) continue;
      for (let p = postingStarts[id]!; p < postingStarts[id + 1]!; p++) {
        const other = postings[p]!;
        found.set(other, (found.get(other) ?? 0) + of * postingWeight[p]!);
      }
    }
    if (except !== undefined) found.delete(except);
    return [...found]
      .filter(([other, similarity]) => similarity >= least && among(other))
      .sort(([a, x], [b, y]) => y - x || a - b)
      .slice(0, most)
      .map(([other, similarity]) => ({ at: other, similarity: Math.min(1, similarity) }));
  }
  function* wordsAt(at: number): Generator<[number, number]> {
    for (let k = starts[at]!; k < starts[at + 1]!; k++) yield [terms[k]!, weight[k]!];
  }

  return {
    nearest: (at, options) => search(wordsAt(at), options, at),
    like(inputs, options) {
      const words: [id: number, weight: number][] = [];
      let length = 0;
      for (const [hash, n] of countsOf(inputs)) {
        const id = ids.get(hash);
        const of = (1 + Math.log(n)) * Math.log((1 + count) / (id === undefined ? 1 : rows[id]!));
        length += of ** 2;
        if (id !== undefined) words.push([id, of]);
      }
      const norm = Math.sqrt(length || 1);
      return search(
        words.map(([id, of]) => [id, of / norm] as const),
        options,
      );
    },
    density(group) {
      const sum = new Float64Array(ids.size);
      for (const i of group) for (let k = starts[i]!; k < starts[i + 1]!; k++) sum[terms[k]!]! += weight[k]!;
      return (at) => {
        let dot = 0;
        for (let k = starts[at]!; k < starts[at + 1]!; k++) dot += weight[k]! * sum[terms[k]!]!;
        return dot / Math.max(1, group.length);
      };
    },
  };
}

/** How often each word stands in a text, by its hash. */
function countsOf(inputs: readonly string[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const [column, text] of inputs.entries()) {
    visitTerms(lowerCase(text.slice(0, LONGEST)), column, WORDS, (hash) => {
      counts.set(hash, (counts.get(hash) ?? 0) + 1);
    });
  }
  return counts;
}
