/**
 * Writes a seeded csv for timing: `rows` rows of about `bytes` bytes, 20 labels, a share of duplicates and near-duplicates.
 * Usage: node bench/dataset/make-rows.ts FILE [ROWS] [BYTES]
 */

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { seededRandom } from "../../server/src/confidence/random.ts";

const [file, rows = "1000000", bytes = "200"] = process.argv.slice(2);
if (!file) throw new Error("Usage: node bench/dataset/make-rows.ts FILE [ROWS] [BYTES]");
const random = seededRandom(7);
// A Zipf-like vocabulary of made-up words.
const letters = "etaoinshrdlucmfwypvbgk";
const words = Array.from({ length: 20_000 }, () =>
  Array.from({ length: 2 + random.below(8) }, () => letters[random.below(letters.length)]).join(""),
);
const word = (): string => words[Math.floor(words.length ** random.uniform()) - 1]!;

const out = createWriteStream(file);
out.write("id,text,label,employer\n");
const recent: string[] = [];
for (let i = 0; i < Number(rows); i++) {
  let text = "";
  const kind = random.uniform();
  if (kind < 0.01 && recent.length > 0) text = recent[random.below(recent.length)]!;
  else if (kind < 0.03 && recent.length > 0) text = `${recent[random.below(recent.length)]!} ${word()}`;
  else {
    while (text.length < Number(bytes) - 40) text += `${word()}${random.uniform() < 0.1 ? ", " : " "}`;
    recent[recent.length < 1000 ? recent.length : random.below(1000)] = text;
  }
  const line = `${i},"${text.trim()}",label ${random.below(20)},employer ${random.below(Number(rows) / 4)}\n`;
  if (!out.write(line)) await once(out, "drain");
}
out.end();
await finished(out);
