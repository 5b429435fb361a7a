/**
 * A project whose report is large: 282 labels (as many as the real task has) and 20,000 test rows, with two models of engine
 * `predictions` that give every label a probability. Labels come in families that are confused, some labels are rare, no model is
 * calibrated; one label is hostile.
 *
 *     node bench/report/make-project.ts FOLDER [labels] [test rows]
 */
import { once } from "node:events";
import { createWriteStream, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../../server/src/confidence/random.ts";

const [folder, labelText = "282", testText = "20000"] = process.argv.slice(2);
if (folder === undefined) throw new Error("Usage: make-project.ts FOLDER [labels] [test rows]");
const LABELS = Number(labelText);
const ROWS = { test: Number(testText), validation: 4000, train: 4000 };
const FAMILY = 6;
const REGIONS = ["north", "south", "east", "west"];

const random = seededRandom(42);
const uniform = (): number => random.uniform();
const normal = (): number => random.normal();

const HOSTILE = '<img src=x onerror="document.title=1"> & "quoted", \u202Eright to left\u202C 👩‍👩‍👧‍👦';
const nameOf = (i: number): string =>
  i === 3
    ? HOSTILE
    : `Family ${String(Math.floor(i / FAMILY) + 1).padStart(2, "0")}: event or exposure ${i % FAMILY}, n.e.c.`;
const labels = Array.from({ length: LABELS }, (_, i) => nameOf(i));
/** Zipf's law over the labels, in an order of its own. */
const weights = labels.map((_, i) => 1 / (1 + ((i * 97) % LABELS)));
const total = weights.reduce((a, b) => a + b, 0);
const cumulative = weights.map((_, i) => weights.slice(0, i + 1).reduce((a, b) => a + b, 0) / total);
const draw = (): number => {
  const at = uniform();
  const found = cumulative.findIndex((value) => at < value);
  return found < 0 ? LABELS - 1 : found;
};

mkdirSync(folder, { recursive: true });
const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const data = createWriteStream(join(folder, "rows.csv"));
data.write("id,text,label,split,region\n");
const models = { tuned: { signal: 5.2, noise: 1, sharp: 1.5 }, zero: { signal: 3.4, noise: 1, sharp: 0.8 } };
const outs = Object.fromEntries(
  Object.keys(models).map((name) => {
    const out = createWriteStream(join(folder, `${name}.csv`));
    out.write(`${["id", ...labels.map((label) => `p_${label}`)].map(quote).join(",")}\n`);
    return [name, out];
  }),
);
let n = 0;
for (const [split, rows] of Object.entries(ROWS)) {
  for (let i = 0; i < rows; i++) {
    const label = draw();
    const id = `r${++n}`;
    const region = REGIONS[Math.floor(uniform() * REGIONS.length)]!;
    data.write(
      `${id},${quote(`Report ${n}: somebody ${split} did something of kind ${label} in the ${region}`)},${quote(labels[label]!)},${split},${region}\n`,
    );
    // Among the labels of a family the model often errs, now and then anywhere; a region is harder than the others.
    const hard = region === "west" ? 1.2 : 0;
    for (const [name, { signal, noise, sharp }] of Object.entries(models)) {
      const logits = labels.map((_, k) => {
        const near = Math.floor(k / FAMILY) === Math.floor(label / FAMILY) ? 2 : 0;
        return sharp * ((k === label ? signal - hard : near) + noise * normal());
      });
      const most = Math.max(...logits);
      const odds = logits.map((logit) => Math.exp(logit - most));
      const sum = odds.reduce((a, b) => a + b, 0);
      if (!outs[name]!.write(`${id},${odds.map((each) => (each / sum).toPrecision(4)).join(",")}\n`))
        await once(outs[name]!, "drain");
    }
  }
}
await Promise.all([data, ...Object.values(outs)].map((out) => new Promise<void>((done) => out.end(done))));
writeFileSync(
  join(folder, "large.clf.yaml"),
  `version: 1
dataset: { source: rows.csv, id: id, split: { column: split } }
task: { inputs: [text], targets: [{ column: label }] }
models:
  tuned: { engine: predictions, source: tuned.csv, id: id }
  zero: { engine: predictions, source: zero.csv, id: id }
confidence: { accept: { risk: 0.05, certainty: 0.95 } }
`,
);
console.log(`${folder}: ${n.toLocaleString("en")} rows, ${LABELS} labels`);
