/** A seeded project of which every row of the pool is flagged, many of them between the same two labels and much alike. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "../../server/src/confidence/random.ts";

export const LABELS: Record<string, { parts: string[]; what: string[] }> = {
  Crushing: { parts: ["finger", "toe", "hand"], what: ["was crushed by the press", "was crushed under a pallet"] },
  Fractures: {
    parts: ["arm", "wrist", "ankle"],
    what: ["broke in a fall from the ladder", "was broken on the stairs"],
  },
  Burns: { parts: ["hand", "face", "arm"], what: ["was burned by hot oil", "was scalded by steam"] },
  Cuts: { parts: ["finger", "palm", "hand"], what: ["was cut by a knife", "was cut on sheet metal"] },
};
const PLACES = ["the warehouse", "the kitchen", "the yard", "hall two", "the loading dock", "the workshop"];
const PEOPLE = ["An employee", "A driver", "The operator", "A temporary worker", "Our technician"];
/** What cannot be told apart: the words of two labels in one sentence. */
const BETWEEN = [
  "A forklift rolled over the toe, which was crushed or broke in the fall",
  "The hand was crushed by the press and broke on the stairs",
];

export interface ReviewProject {
  folder: string;
  file: string;
  /** The rows of the pool: text by id, and the ids by text. */
  texts: Map<string, string>;
  ids: Map<string, string>;
}

/** Call it where a hook may be: the folder is removed after the tests. */
export function reviewProject(): ReviewProject {
  const folder = mkdtempSync(join(tmpdir(), "clf-review-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const random = seededRandom(8);
  const one = <T>(of: readonly T[]): T => of[random.below(of.length)]!;
  const sentence = (label: string, n: number) => {
    const { parts, what } = LABELS[label]!;
    return `${one(PEOPLE)} in ${one(PLACES)}: the ${one(parts)} ${one(what)}, report ${n}`;
  };
  const labels = Object.keys(LABELS);
  const labelled = Array.from({ length: 480 }, (_, n) => {
    const label = labels[n % labels.length]!;
    // Labels are as wrong as people's are: no row is certain.
    return `t${n},"${sentence(label, n)}",${random.below(8) === 0 ? one(labels) : label}`;
  });
  const pool = Array.from({ length: 190 }, (_, n) =>
    n < 90 ? `${one(BETWEEN)}, ${one(PLACES)}, report ${1000 + n}` : sentence(one(labels), 1000 + n),
  );
  writeFileSync(join(folder, "reports.csv"), `id,narrative,nature\n${labelled.join("\n")}\n`);
  writeFileSync(join(folder, "inbox.csv"), `id,narrative\n${pool.map((text, n) => `p${n},"${text}"`).join("\n")}\n`);
  const file = join(folder, "reports.clf.yaml");
  writeFileSync(
    file,
    `version: 1
name: reports
dataset: { source: reports.csv, pool: inbox.csv, id: id }
task:
  inputs: [narrative]
  targets: [{ column: nature }]
models:
  baseline: { engine: linear }
  second: { engine: linear, word_ngrams: [1, 1] }
confidence: { accept: { threshold: 1 } }
`,
  );
  const texts = new Map(pool.map((text, n) => [`p${n}`, text]));
  return { folder, file, texts, ids: new Map([...texts].map(([id, text]) => [text, id])) };
}
