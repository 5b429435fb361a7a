/**
 * Label issues on real label errors, beside cleanlab on the same probabilities.
 *
 *   node bench/confidence/labelIssues.ts FOLDER_OF_noisy_ag_news [PYTHON_WITH_CLEANLAB]
 *
 * Out-of-fold probabilities of the linear engine on the noisy labels; rows ranked by suspicion against `is_error`.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fullDistribution } from "../../server/src/confidence/distribution.ts";
import { findLabelIssues, suspicionOrder } from "../../server/src/confidence/labelIssues.ts";
import { outOfFoldRows } from "../../server/src/confidence/roles.ts";
import { scoredRows } from "../../server/src/confidence/scoredRows.ts";
import { extractFeatures, fitLinear, outOfFold } from "../../server/src/engines/linear/index.ts";

/** Rows of a CSV with quotes doubled or escaped by a backslash. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = "";
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quoted) {
      if (c === '"' && text[i + 1] === '"') field += text[++i];
      else if (c === '"') quoted = false;
      else field += c;
    } else if (c === '"') quoted = true;
    else if (c === ",") {
      row.push(field);
      field = "";
    } else if (c === "\n") {
      row.push(field.replace(/\r$/, ""));
      rows.push(row);
      row = [];
      field = "";
    } else field += c;
  }
  return rows;
}

/** Average precision of a ranking, and precision among the first k. */
function judge(order: readonly number[], isError: Uint8Array): string {
  const total = isError.reduce((a, b) => a + b, 0);
  let hits = 0;
  let sum = 0;
  const at = new Map<number, number>();
  order.forEach((row, i) => {
    if (isError[row]) sum += ++hits / (i + 1);
    at.set(i + 1, hits / (i + 1));
  });
  return `average precision ${(sum / total).toFixed(4)}, precision in first 500 ${at.get(500)!.toFixed(3)}, in first ${total} ${at.get(total)!.toFixed(3)}`;
}

const folder = process.argv[2]!;
const python = process.argv[3];
const [header, ...lines] = parseCsv(readFileSync(join(folder, "train_noisy_10000.csv"), "utf8"));
const column = (name: string): string[] => lines.map((line) => line[header!.indexOf(name)]!);
const names = [...new Set(column("label"))].sort();
const labels = Int32Array.from(column("label"), (label) => names.indexOf(label));
const isError = Uint8Array.from(column("is_error"), Number);
console.log(`${lines.length} rows, ${isError.reduce((a, b) => a + b, 0)} label errors`);

const features = await extractFeatures(column("text").map((text) => [text]));
const shared = { features, labels, classes: names.length, seed: 42, threads: 2 };
const all = Int32Array.from(lines, (_, i) => i);
// C is chosen on a tenth of the rows, against the noisy labels, as a project would.
const { chosen } = await fitLinear({
  ...shared,
  train: all.filter((i) => i % 10 !== 0),
  tune: all.filter((i) => i % 10 === 0),
});
let started = performance.now();
const { probabilities } = await outOfFold({ ...shared, rows: all, c: chosen.c });
console.log(`C = ${chosen.c}, out-of-fold ${((performance.now() - started) / 1000).toFixed(1)} s`);

const rows = outOfFoldRows(
  scoredRows(
    lines.map((_, i) => ({
      split: "train" as const,
      seen: "out-of-fold" as const,
      truth: labels[i]!,
      distribution: fullDistribution(
        Float64Array.from(probabilities.subarray(i * names.length, (i + 1) * names.length)),
      ),
    })),
    { labels: names, keepDistributions: true },
  ),
);
started = performance.now();
const found = findLabelIssues(rows);
const seconds = (performance.now() - started) / 1000;
// Issues first, most suspicious first, then the other rows by the same score.
const issue = new Set(found.issues.map((one) => one.row));
const byMargin = [...all].sort((a, b) => found.quality.normalizedMargin[a]! - found.quality.normalizedMargin[b]!);
const bySelf = [...suspicionOrder(found.quality)];
const issuesFirst = [...byMargin.filter((row) => issue.has(row)), ...byMargin.filter((row) => !issue.has(row))];
console.log(
  `ours: ${found.issues.length} issues, ${found.issues.filter((one) => isError[one.row]).length} of them errors, estimated noise ${found.noise.toFixed(3)}, ${seconds.toFixed(3)} s`,
);
console.log(`  issues first, normalised margin: ${judge(issuesFirst, isError)}`);
console.log(`  normalised margin alone: ${judge(byMargin, isError)}`);
console.log(`  self-confidence alone (as shown): ${judge(bySelf, isError)}`);

if (python) {
  const work = mkdtempSync(join(tmpdir(), "clf-cleanlab-"));
  writeFileSync(join(work, "p.bin"), Buffer.from(probabilities.buffer));
  writeFileSync(join(work, "y.bin"), Buffer.from(labels.buffer));
  const script = `
import numpy as np, time, json, sys
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
p = np.fromfile("${join(work, "p.bin")}", dtype=np.float32).reshape(-1, ${names.length}).astype(float)
p /= p.sum(1, keepdims=True)
y = np.fromfile("${join(work, "y.bin")}", dtype=np.int32)
out = {}
for method in ("normalized_margin", "self_confidence"):
    t = time.perf_counter()
    issues = find_label_issues(y, p, filter_by="confident_learning", return_indices_ranked_by=method, n_jobs=1)
    quality = get_label_quality_scores(y, p, method=method)
    seconds = time.perf_counter() - t
    rest = [int(i) for i in np.argsort(quality, kind="stable") if i not in set(issues.tolist())]
    out[method] = {"issues": len(issues), "seconds": seconds, "order": [int(i) for i in issues] + rest, "alone": [int(i) for i in np.argsort(quality, kind="stable")]}
print(json.dumps(out))
`;
  const result = spawnSync(python, ["-c", script], { encoding: "utf8", maxBuffer: 1e9 });
  rmSync(work, { recursive: true });
  if (result.status !== 0) throw new Error(result.stderr);
  for (const [method, { issues, seconds, order, alone }] of Object.entries(
    JSON.parse(result.stdout) as Record<string, { issues: number; seconds: number; order: number[]; alone: number[] }>,
  )) {
    console.log(`cleanlab, ${method}: ${issues} issues, ${seconds.toFixed(3)} s`);
    console.log(`  issues first: ${judge(order, isError)}`);
    console.log(`  score alone: ${judge(alone, isError)}`);
  }
}
