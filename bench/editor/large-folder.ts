/** A project with one large table of unlabelled rows, evaluated, so that every row of it has a confidence. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

const SYLLABLES = ["ba", "den", "for", "gil", "ka", "lom", "mer", "no", "pas", "ri", "sto", "tur", "ven", "wi", "zel"];
const EVENTS = {
  Fractures: ["fell and broke a wrist", "slipped and broke an ankle", "was struck and fractured two ribs"],
  Burns: ["was scalded by hot oil", "touched a live wire and was burned", "was burned by steam"],
  Amputations: ["lost the tip of a finger", "had a thumb cut off", "caught a hand, and a finger was amputated"],
  Cuts: ["cut a hand on sheet metal", "was cut by a broken pane", "cut the left arm with a blade"],
};
const LABELS = Object.keys(EVENTS) as (keyof typeof EVENTS)[];

/** A word of a made-up language of 3,375 words. */
const word = (n: number) => [15, 7, 11].map((factor) => SYLLABLES[(n * factor + (n >> 3)) % 15]).join("");

/** The nth sentence: a few words that tell the label among others, so that no two rows are near duplicates. */
function sentence(n: number, label: keyof typeof EVENTS): string {
  let state = (n + 1) * 2_654_435_761;
  const next = () => {
    state = Math.imul(state ^ (state >>> 15), 2_246_822_519) >>> 0;
    return word(state % 100_003);
  };
  const some = (count: number) => Array.from({ length: count }, next).join(" ");
  return `${some(4)} ${EVENTS[label][n % 3]} ${some(4)}, ${n}`;
}

export interface LargeFolder {
  path: string;
  /** The large table, in the folder. */
  file: string;
  bytes: number;
  /** Seconds that the evaluation, with the prediction of all rows, took. */
  evaluated: number | null;
  remove(): void;
}

/** @param made a folder that an earlier run made and kept: it is used as it is, and kept again */
export function largeFolder(rows: number, made?: string): LargeFolder {
  if (made) {
    const { size } = statSync(join(made, "rows.csv"));
    return { path: made, file: "rows.csv", bytes: size, evaluated: null, remove: () => {} };
  }
  const path = mkdtempSync(join(tmpdir(), "clf-large-"));
  const labelled = Array.from({ length: 1000 }, (_, n) => {
    const label = LABELS[n % 4]!;
    // Some labels are wrong, as in every table.
    return `"${sentence(n, label)}",${n % 29 === 0 ? LABELS[(n + 1) % 4] : label}`;
  });
  writeFileSync(join(path, "labelled.csv"), `text,label\n${labelled.join("\n")}\n`);
  let bytes = 0;
  const out = openSync(join(path, "rows.csv"), "w");
  bytes += writeSync(out, "text\n");
  for (let n = 0; n < rows; n += 10_000) {
    let lines = "";
    for (let i = n; i < Math.min(rows, n + 10_000); i++)
      lines += `"${sentence(i + 5000, LABELS[(i * 7 + (i >> 4)) % 4]!)}"\n`;
    bytes += writeSync(out, lines);
  }
  closeSync(out);
  writeFileSync(
    join(path, "large.clf.yaml"),
    `version: 1
name: large
dataset: { source: labelled.csv, pool: rows.csv }
task: { inputs: [text], targets: [{ column: label }] }
models: { baseline: { engine: linear, char_ngrams: [3, 3], word_ngrams: [1, 1] } }
confidence: { accept: { threshold: 0.9 } }
review: { model: baseline }
`,
  );
  const began = performance.now();
  execFileSync(process.execPath, [join(root, "dist/cli.mjs"), "evaluate", path, "--model", "baseline"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const evaluated = (performance.now() - began) / 1000;
  return { path, file: "rows.csv", bytes, evaluated, remove: () => rmSync(path, { recursive: true, force: true }) };
}
