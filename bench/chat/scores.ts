/**
 * Confidences from the log-probabilities of answers beside direct scoring of the same model, on Banking77 (20 labels):
 *
 *     CLF_CHAT_MODEL=1 node bench/chat/scores.ts [ROWS]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Scored, scoredBoth } from "../../test/cli/chat-model/agreement.ts";
import { startModelServer } from "../../test/cli/chat-model/server.ts";
import { writeBanking77 } from "../../test/cli/chat-model/subsets.ts";
import { readCsv } from "../linear/csv.ts";

const rows = Number(process.argv[2] ?? 20);
const folder = mkdtempSync(join(tmpdir(), "clf-scores-"));
const server = await startModelServer();
if ("why" in server) throw new Error(server.why);
try {
  const path = join(folder, "data.csv");
  await writeBanking77(path, 20, { train: 1, validation: 0, test: Math.ceil(rows / 20) });
  const test = readCsv(path).filter(({ split }) => split === "test");
  const labels = [...new Set(test.map(({ label }) => label!))].sort();
  const texts = test.slice(0, rows).map(({ text }) => text!);
  for (const codes of [true, false])
    print(codes ? "codes" : "names", await scoredBoth(server, { labels, texts, codes }));
} finally {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

/** Clf's probabilities are of what is covered and of what is not; among the labels they are the larger the more is not covered. */
function print(what: string, scored: readonly Scored[]): void {
  const answered = [...new Set(scored.map(({ row }) => row))];
  const among = ({ clf, uncovered }: Scored) => (uncovered < 1 ? clf / (1 - uncovered) : 0);
  const outside = scored.map(({ clf, uncovered, decided }) => Math.max(clf - decided, decided - clf - uncovered, 0));
  const difference = (of: "decided" | "whole") => scored.map((one) => Math.abs(among(one) - one[of]));
  const most = (list: readonly number[]) => Math.max(...list).toFixed(4);
  const mean = (list: readonly number[]) => (list.reduce((a, b) => a + b, 0) / list.length).toFixed(4);
  const best = (row: number, of: "clf" | "decided" | "whole") =>
    scored.filter((one) => one.row === row).reduce((a, b) => (b[of] > a[of] ? b : a)).label;
  const same = (of: "decided" | "whole") => answered.filter((row) => best(row, "clf") === best(row, of)).length;
  console.log(`${what}: ${answered.length} of ${rows} rows answered`);
  console.log(`  outside [p, p + uncovered]: at most ${most(outside)}`);
  for (const kind of ["decided", "whole"] as const) {
    const list = difference(kind);
    console.log(
      `  among the labels, against ${kind}: at most ${most(list)}, mean ${mean(list)}; same best label on ${same(kind)} rows`,
    );
  }
  console.log(`  uncovered: mean ${mean(scored.map(({ uncovered }) => uncovered))}`);
}
