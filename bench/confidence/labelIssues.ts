/**
 * Label issues on real label errors, beside cleanlab on the same probabilities.
 *
 *   node bench/confidence/labelIssues.ts FOLDER_OF_noisy_ag_news [PYTHON_WITH_CLEANLAB]
 *
 * Out-of-fold probabilities of the linear engine on the noisy labels; rows ranked by suspicion against `is_error`.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fullDistribution } from "../../server/src/confidence/distribution.ts";
import { findLabelIssues, suspicionOrder } from "../../server/src/confidence/labelIssues.ts";
import { estimateLabelNoise } from "../../server/src/confidence/labelNoise.ts";
import { seededPermutation } from "../../server/src/confidence/random.ts";
import { outOfFoldRows } from "../../server/src/confidence/roles.ts";
import { isCorrect, scoredRows } from "../../server/src/confidence/scoredRows.ts";
import { extractFeatures, fitLinear, outOfFold } from "../../server/src/engines/linear/index.ts";
import { coverageAtRisk, rankRows } from "../../server/src/evaluation/ranking.ts";
import { readCsv } from "../linear/csv.ts";

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
const lines = readCsv(join(folder, "train_noisy_10000.csv"));
const column = (name: string): string[] => lines.map((line) => line[name]!);
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

// What the noise does to a promise: 5 % against the given labels, counted against the true ones, and what blind judging finds.
const right = Uint8Array.from(lines, (_, i) => (isCorrect(rows.rows, i) ? 1 : 0));
const { coverage, threshold } = coverageAtRisk(rankRows(rows.rows.confidence, right), 0.05);
const trueLabels = column("true_label");
const predicted = (i: number): string => names[rows.rows.predicted[i]!]!;
const taken = [...all].filter((i) => rows.rows.confidence[i]! >= threshold!);
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const wrong = taken.filter((i) => predicted(i) !== trueLabels[i]).length / taken.length;
console.log(
  `the ${percent(coverage)} most confident rows: 5 % wrong against the given labels, ${percent(wrong)} against the true ones`,
);
const judgements = [...seededPermutation(lines.length, 7)].slice(0, 1000).map((i) => ({
  given: names[labels[i]!]!,
  judged: trueLabels[i]!,
  predicted: predicted(i),
  accepted: rows.rows.confidence[i]! >= threshold!,
}));
const { noise, riskAgainstGiven, riskAgainstJudged } = estimateLabelNoise(judgements);
const shown = (share: typeof noise): string =>
  share === null ? "" : `${percent(share.value)} (${percent(share.low)} to ${percent(share.high)}, ${share.n} rows)`;
console.log(
  `1,000 random rows judged blind: noise ${shown(noise)}; accepted rows wrong against the given labels ${shown(riskAgainstGiven)}, against what was judged ${shown(riskAgainstJudged)}`,
);

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
