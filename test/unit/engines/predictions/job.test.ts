/** Another system's predictions through whole jobs: project file, job folder, runner, report. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { JobEvent } from "../../../../schemas/events.ts";
import type { Job } from "../../../../schemas/job.ts";
import type { Report, TargetReport } from "../../../../schemas/report.ts";
import { seededRandom } from "../../../../server/src/confidence/random.ts";
import { loadProject } from "../../../../server/src/project/load.ts";
import { readReport } from "../../../../server/src/workflow/artifacts.ts";
import { readData } from "../../../../server/src/workflow/data.ts";
import { openSession } from "../../../../server/src/workflow/session.ts";
import { startJob } from "../../../../server/src/workflow/start.ts";

const REAL = fileURLToPath(new URL("../../../../../shared/data/calibration/", import.meta.url));

interface Evaluated {
  job: Job;
  report: Report;
  figures: TargetReport;
  warnings: string[];
}

/** Evaluates model `other` of the project in `folder`. */
async function evaluate(folder: string): Promise<Evaluated> {
  const { project, problems } = await loadProject(join(folder, "p.clf.yaml"));
  assert.ok(project, JSON.stringify(problems));
  const session = openSession(project);
  try {
    const data = await readData(session);
    const job = await startJob(session, data, { kind: "evaluate", models: ["other"], threads: 1 });
    const warnings: string[] = [];
    for await (const update of session.jobs.follow(job.id)) {
      const event = update.type === "event" ? (update.event as JobEvent) : null;
      if (event?.type === "log" && event.level === "warning") warnings.push(event.message);
    }
    const { state, attempt } = await session.jobs.store.read(job.id);
    assert.equal(state, "succeeded", attempt.events.error?.message);
    const report = await readReport(session, job.id);
    return { job, report: report!, figures: report!.models.other!.targets.label!.report!, warnings };
  } finally {
    await session.close();
  }
}

function folderWith(files: Record<string, string | Buffer>): string {
  const folder = mkdtempSync(join(tmpdir(), "clf-other-system-"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) <= 1e-4, `${actual} is not ${expected}`);

describe("engine predictions, in jobs", function () {
  this.timeout(120_000);
  const folders: string[] = [];
  const made = (files: Record<string, string | Buffer>) => {
    const folder = folderWith(files);
    folders.push(folder);
    return folder;
  };
  after(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  it("get calibration, certificate and figures, from a copy of the file; a changed file is another use", async () => {
    const random = seededRandom(7);
    let data = "id,text,label\n";
    const lines: string[] = [];
    for (let i = 0; i < 1200; i++) {
      const given = i % 3;
      const p = 0.4 + 0.6 * random.uniform();
      const right = random.uniform() < p;
      data += `${i},text number ${i},${"abc"[given]}\n`;
      lines.push(`${i},${"abc"[right ? given : (given + 1) % 3]},${p}`);
    }
    const predictions = (rows: string[]) => `id,prediction,probability\n${rows.join("\n")}\n`;
    const folder = made({
      "data.csv": data,
      "other.csv": predictions(lines),
      "p.clf.yaml": `version: 1
dataset: { source: data.csv, id: id, split: { train: 0.3, validation: 0.5, test: 0.2 } }
task: { inputs: [text], targets: [{ column: label }] }
models: { other: { engine: predictions, source: other.csv } }
confidence: { accept: { risk: 0.2 } }
`,
    });
    const first = await evaluate(folder);
    const model = first.report.models.other!;
    assert.equal(first.figures.failed, 0);
    assert.ok(first.report.rows.tune! > 0 && first.report.rows.test === first.figures.n);
    assert.equal(model.targets.label!.calibrator.fittedOn, "validation");
    const rule = model.accept[0]!.rule!;
    assert.ok("population" in rule && rule.certified, model.accept[0]!.why);
    assert.match(rule.population, /if none of them was among the rows that "other" was trained on/);
    assert.equal(rule.modelFingerprint, first.job.models[0]!.source!.sha256);
    assert.equal(rule.uses, 1);
    const verdict = first.report.verdict.join("\n");
    assert.match(verdict, /Nothing is known of what "other" was trained on\./);
    assert.match(verdict, /only the predicted label's probability is known\. Log loss and Brier score take the rest/);
    const jobFolder = join(folder, ".clf", "jobs", first.job.id);
    assert.equal(readFileSync(join(jobFolder, first.job.models[0]!.source!.path), "utf8"), predictions(lines));

    assert.equal((await evaluateUses(folder)).uses, 1);
    writeFileSync(join(folder, "other.csv"), predictions(lines.slice(0, -5)));
    const changed = await evaluateUses(folder);
    assert.equal(changed.uses, 2);
    assert.match(changed.warnings.join("\n"), /without a prediction in other\.csv/);
  });

  async function evaluateUses(folder: string) {
    const { report, warnings } = await evaluate(folder);
    const { rule } = report.models.other!.accept[0]!;
    assert.ok(rule && "uses" in rule);
    return { uses: rule.uses, warnings };
  }

  /** A project whose test rows are the file's; `label` and a row number are all it tells of them. */
  function real(name: string, labels: number, calibration: string): string {
    const packed = readFileSync(join(REAL, name));
    const lines = gunzipSync(packed).toString("utf8").trim().split("\n").slice(1);
    const head = "row,text,label\n";
    const row = (line: string) => {
      const [id, label] = line.split(",");
      return `${id},row ${id},${label}\n`;
    };
    const train = Array.from({ length: 4 * labels }, (_, i) => `t${i},train ${i},${i % labels}\n`).join("");
    return made({
      [name]: packed,
      "train.csv": head + train,
      "test.csv": head + lines.map(row).join(""),
      "p.clf.yaml": `version: 1
dataset: { source: { train: train.csv, test: test.csv }, id: row, split: { train: 1, validation: 0 } }
task: { inputs: [text], targets: [{ column: label }] }
models: { other: { engine: predictions, source: ${name} } }
confidence: { calibration: ${calibration} }
`,
    });
  }

  it("published figures of a neural network's probabilities", async function () {
    if (!existsSync(join(REAL, "wideresnet_cifar10.csv.gz"))) this.skip();
    const folder = real("wideresnet_cifar10.csv.gz", 10, "none");
    const { figures } = await evaluate(folder);
    assert.equal(figures.n, 10_000);
    near(figures.averages.accuracy.value, 0.9109);
    near(figures.calibration.ece, 0.0537);
    near(figures.logLoss!.value, 0.3778);
    near(figures.brier!.value, 0.1439);
  });

  it("calibrated on one half of it, the other half's calibration error is repaired", async function () {
    if (!existsSync(join(REAL, "wideresnet_cifar10.csv.gz"))) this.skip();
    const folder = real("wideresnet_cifar10.csv.gz", 10, "temperature");
    const [head, ...lines] = readFileSync(join(folder, "test.csv"), "utf8").trim().split("\n");
    writeFileSync(join(folder, "validation.csv"), [head, ...lines.slice(5000)].join("\n"));
    writeFileSync(join(folder, "test.csv"), [head, ...lines.slice(0, 5000)].join("\n"));
    const path = join(folder, "p.clf.yaml");
    const text = readFileSync(path, "utf8").replace("test: test.csv", "validation: validation.csv, test: test.csv");
    writeFileSync(path, text.replace(", split: { train: 1, validation: 0 }", ""));
    const { report, figures } = await evaluate(folder);
    const { map } = report.models.other!.targets.label!.calibrator;
    assert.ok(map.kind === "temperature" && map.temperature >= 2 && map.temperature <= 2.05, JSON.stringify(map));
    assert.ok(figures.calibration.ece <= 0.015, String(figures.calibration.ece));
  });

  it("published figures of cross-validated probabilities of two labels", async function () {
    if (!existsSync(join(REAL, "imdb_crossval.csv.gz"))) this.skip();
    const folder = real("imdb_crossval.csv.gz", 2, "none");
    const { figures } = await evaluate(folder);
    assert.equal(figures.n, 25_000);
    near(figures.averages.accuracy.value, 0.8958);
    near(figures.calibration.ece, 0.0404);
    near(figures.logLoss!.value, 0.3006);
  });
});
