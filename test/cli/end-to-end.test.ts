/** The main job from the command line: from a bare table to a second round with people's decisions. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  AuditDocument,
  CheckDocument,
  CompareDocument,
  EvaluateDocument,
  ExportDocument,
  FailureDocument,
  FineTuneDocument,
  FlaggedDocument,
  InitDocument,
  IssuesDocument,
  JobDocument,
  JobLogDocument,
  JobsDeletedDocument,
  JobsDocument,
  PredictFileDocument,
  PredictJobDocument,
  PredictTextDocument,
  ProfileDocument,
  RelabelDocument,
  ReportDocument,
  ReportFileDocument,
  ReviewDocument,
  RoundsDocument,
  SlicesDocument,
  UndoDocument,
} from "../../schemas/cli.ts";
import { build, clf, document, LABELLED, POOL, removeFolder, SCRIPT_LABEL, smallProject, start } from "./support.ts";

const NATURE = "NatureTitle";
const PART = "Part of Body Title";

describe("clf, end to end", function () {
  this.timeout(120_000);
  let cwd: string;
  const at = () => ({ cwd });
  before(async function () {
    this.timeout(120_000);
    build();
    cwd = await smallProject();
  });
  after(() => removeFolder(cwd));

  describe("a project from a bare table", () => {
    it("init guesses inputs, targets and id; its project is sound", async () => {
      writeFileSync(join(cwd, "data", "bare.csv"), readFileSync(join(cwd, "data", "injuries.csv")));
      const made = await document(InitDocument, ["init", "data/bare.csv"], at());
      assert.equal(made.file, join(cwd, "data", "bare.clf.yaml"));
      assert.deepEqual(made.inputs, ["Final Narrative"]);
      assert.deepEqual(made.targets, [NATURE, PART]);
      assert.equal(made.id, "report_id");
      const checked = await document(CheckDocument, ["check", "data/bare.clf.yaml"], at());
      assert.equal(checked.errors, 0, JSON.stringify(checked.problems));
    });

    it("init never overwrites, and says which columns there are", async () => {
      const text = readFileSync(join(cwd, "data", "bare.clf.yaml"), "utf8");
      const again = await clf(["init", "data/bare.csv"], at());
      assert.equal(again.code, 2);
      assert.match(again.err, /data\/bare\.clf\.yaml exists already\. Name another: --output FILE/);
      assert.equal(readFileSync(join(cwd, "data", "bare.clf.yaml"), "utf8"), text);
      const wrong = await clf(["init", "data/bare.csv", "-o", "data/b.clf.yaml", "--target", "Nature"], at());
      assert.equal(wrong.code, 2);
      assert.match(wrong.err, /has no column "Nature"\. Its columns: report_id, /);
    });
  });

  describe("look at the data", () => {
    it("check finds nothing wrong", async () => {
      const { errors, project } = await document(CheckDocument, ["check", "small.clf.yaml"], at());
      assert.equal(errors, 0);
      assert.equal(project, join(cwd, "small.clf.yaml"));
      const words = await clf(["check", "small.clf.yaml"], at());
      assert.match(words.out, /^small\.clf\.yaml: no errors, /m);
    });

    it("check writes nothing: splits are saved by what needs them", async () => {
      await clf(["check", "small.clf.yaml"], at());
      assert.equal(existsSync(join(cwd, "small.splits.jsonl")), false);
    });

    it("profile counts the rows", async () => {
      const profile = await document(ProfileDocument, ["profile", "small.clf.yaml"], at());
      assert.equal(profile.rows, LABELLED + POOL);
      assert.equal(profile.splits.pool, POOL);
      const words = await clf(["profile", "small.clf.yaml"], at());
      assert.match(words.out, new RegExp(`^${LABELLED + POOL} rows: train `));
      assert.match(words.out, /NatureTitle: 3 labels on 420 rows/);
    });
  });

  describe("a first round", () => {
    it("a folder with several projects asks which", async () => {
      const { code, err } = await clf(["check", "."], at());
      assert.equal(code, 2);
      assert.match(err, /There are 2 projects in \.: data\/bare\.clf\.yaml, small\.clf\.yaml\. Name one of them\./);
      execFileSync("rm", [join(cwd, "data", "bare.clf.yaml"), join(cwd, "data", "bare.csv")]);
    });

    it("what needs an evaluation says so", async () => {
      for (const args of [
        ["flagged", "."],
        ["export", ".", "-o", "x.csv"],
        ["report", "."],
      ]) {
        const { code, out, err } = await clf(args, at());
        assert.equal(code, 1);
        assert.equal(out, "");
        assert.match(
          err,
          /"baseline" has not been evaluated yet.* Run: clf evaluate small\.clf\.yaml --model baseline\n$/,
        );
      }
    });

    it("fine-tune makes a job; silent in a pipe", async () => {
      const { project, jobs } = await document(FineTuneDocument, ["fine-tune", ".", "--model", "baseline"], at());
      assert.equal(project, "small");
      assert.equal(jobs.length, 1);
      assert.equal(jobs[0]!.model, "baseline");
      assert.ok(existsSync(join(cwd, ".clf", "jobs", jobs[0]!.job, "model")));
      const again = await clf(["fine-tune", ".", "-m", "words"], at());
      assert.equal(again.code, 0);
      assert.equal(again.err, "");
      assert.match(again.out, /^words: fine-tuned in [\d.]+ s \(\d{8}-\d{4}-words-[0-9a-f]{8}\)\n$/);
    });

    it("predict --text without an evaluation shows no confidence", async () => {
      const { targets } = await document(PredictTextDocument, ["predict", ".", "--text", "Cut his finger."], at());
      assert.deepEqual(
        targets.map(({ target, confidence, accepted }) => [target, confidence, accepted]),
        [
          [NATURE, null, null],
          [PART, null, null],
        ],
      );
    });

    it("evaluate prints the document of DESIGN", async () => {
      const { project, models } = await document(EvaluateDocument, ["evaluate", ".", "--model", "baseline"], at());
      assert.equal(project, "small");
      const { job, targets, joint_accuracy } = models.baseline!;
      assert.match(job, /-baseline-/);
      assert.deepEqual(Object.keys(targets), [NATURE, PART]);
      for (const figures of Object.values(targets)) {
        const [low, high] = figures.accuracy_interval;
        assert.ok(low <= figures.accuracy && figures.accuracy <= high);
        assert.ok(figures.accuracy > 0.6, "three labels with plain words for them");
        assert.equal(figures.n, 84);
        assert.ok(figures.accept.certified === (figures.accept.threshold !== null));
      }
      assert.ok(joint_accuracy !== null && joint_accuracy <= targets[NATURE]!.accuracy);
    });

    it("slices tells the test figures by the values of a column, which add up to the whole", async () => {
      const { models } = await document(EvaluateDocument, ["evaluate", ".", "--model", "baseline"], at());
      const { job, targets } = await document(SlicesDocument, ["slices", ".", "--column", "Employer"], at());
      assert.equal(job, models.baseline!.job);
      for (const [target, figures] of Object.entries(models.baseline!.targets)) {
        const of = targets[target]!;
        assert.ok(of.length > 2 && of.slice(1).every(({ n, value }, i) => value === null || n <= of[i]!.n));
        assert.equal(
          of.reduce((sum, { n }) => sum + n, 0),
          figures.n,
        );
        const right = of.reduce((sum, { n, accuracy }) => sum + n * accuracy.value, 0);
        assert.ok(Math.abs(right / figures.n - figures.accuracy) < 1e-9, `${right / figures.n} ${figures.accuracy}`);
      }
      const words = await clf(["slices", ".", "--column", "Employer"], at());
      assert.match(words.out, /test rows by Employer:\n\s*Employer +n +accuracy/);
      const wrong = await clf(["slices", ".", "--column", "Emploier"], at());
      assert.equal(wrong.code, 1);
      assert.match(wrong.err, /has no column "Emploier"\. Did you mean "Employer"/);
    });

    it("compare fine-tunes what it needs and compares on the same rows", async () => {
      const report = await document(CompareDocument, ["compare", ".", "-m", "baseline", "-m", "words"], at());
      assert.deepEqual(Object.keys(report.models), ["baseline", "words"]);
      assert.ok(report.comparisons.some(({ target }) => target === NATURE));
      const one = await clf(["compare", ".", "--model", "baseline"], at());
      assert.equal(one.code, 2);
      assert.match(one.err, /two models or more/);
    });

    it("predict --text says label, confidence and words", async () => {
      const text = "An employee amputated his finger in a press.";
      const args = ["predict", ".", "--text", text, "--input", "employer=Acme"];
      const { model, targets } = await document(PredictTextDocument, args, at());
      assert.equal(model, "baseline");
      assert.equal(targets[1]!.label, "Finger");
      assert.ok(targets.every(({ confidence }) => confidence !== null && confidence > 0));
      assert.ok(targets[1]!.words.some((word) => /finger/i.test(word.text)));
      const words = await clf(args, at());
      assert.match(words.out, /^Part of Body Title: Finger [\d.]+ % (accepted|flagged: below-threshold)$/m);
      const wrong = await clf(["predict", ".", "--input", "emploier=Acme"], at());
      assert.equal(wrong.code, 2);
      assert.match(wrong.err, /NAME=TEXT with NAME one of: Final Narrative, employer/);
    });

    it("predict FILE: csv on standard output, JSON, or a file", async () => {
      const file = join("inbox", "new.csv");
      const { rows, count } = await document(PredictFileDocument, ["predict", ".", file], at());
      assert.equal(count, POOL);
      assert.equal(rows![0]!.line, 2);
      // Not through `clf`: a program gets the data as it stands, escape codes and all.
      const [head, first, second] = String((await start(["predict", ".", file], at())).stdout).split("\n");
      assert.match(head!, /^line,Final Narrative,employer,NatureTitle predicted,NatureTitle confidence,/);
      assert.match(first!, /^2,"?'=1\+1 /);
      assert.ok(second!.includes("\u001b[31m"));
      const written = await document(PredictFileDocument, ["predict", ".", file, "-o", "predicted.jsonl"], at());
      assert.equal(written.rows, null);
      const lines = readFileSync(join(cwd, "predicted.jsonl"), "utf8").trimEnd().split("\n");
      assert.equal(lines.length, POOL);
      assert.equal(JSON.parse(lines[0]!)["NatureTitle predicted"], rows![0]!.targets[0]!.label);
      assert.match(JSON.parse(lines[0]!)["Final Narrative"], /^=1\+1 /);
    });

    it("predict FILE refuses a file without the inputs, or together with --text", async () => {
      writeFileSync(join(cwd, "other.csv"), "a,b\n1,2\n");
      const { code, err, out } = await clf(["predict", ".", "other.csv"], at());
      assert.equal(code, 1);
      assert.equal(out, "");
      assert.match(err, /^other\.csv:1:1: error: .*no column "Final Narrative"/);
      const both = await clf(["predict", ".", "other.csv", "--text", "a"], at());
      assert.equal(both.code, 2);
      assert.match(both.err, /Give one of them: --text or --input or FILE\./);
    });

    it("predict --pool and --out-of-fold are jobs", async () => {
      for (const flag of ["--pool", "--out-of-fold"]) {
        const { job } = await document(PredictJobDocument, ["predict", ".", flag], at());
        assert.ok(existsSync(join(cwd, ".clf", "jobs", job, "predictions.parquet")));
      }
    });
  });

  describe("review", () => {
    let items: FlaggedItems;
    type FlaggedItems = Awaited<ReturnType<typeof waiting>>["items"];
    const waiting = (...args: string[]) => document(FlaggedDocument, ["flagged", ".", ...args], at());
    const decisions = () => {
      const file = join(cwd, "reviews.jsonl");
      return existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean).length : 0;
    };

    it("flagged lists what waits, smallest margin first, and filters", async () => {
      const all = await waiting("--limit", "1000");
      assert.ok(all.total > 0);
      assert.equal(all.waiting, all.total);
      assert.equal(all.items.length, all.total);
      items = all.items.filter(({ split, blind }) => split === "pool" && !blind);
      for (const [i, { margin }] of items.entries()) assert.ok(i === 0 || margin >= items[i - 1]!.margin);
      const nature = await waiting("--target", NATURE, "--reason", "below-threshold", "--limit", "3");
      assert.equal(nature.items.length, 3);
      assert.ok(nature.items.every(({ target, reasons }) => target === NATURE && reasons.includes("below-threshold")));
      const words = await clf(["flagged", ".", "-n", "2"], at());
      assert.equal(words.err, "");
      assert.match(words.out, /^On \d+ rows \d+ of \d+ flagged targets wait for a person, by baseline:\n/);
      assert.match(words.out, /\n… and \d+ more \(--limit N\)\n$/);
    });

    it("rows drawn for the audit are judged without the prediction", async () => {
      // A share of accepted rows that is sure to draw some.
      const project = readFileSync(join(cwd, "small.clf.yaml"), "utf8");
      const easy = project.replace("confidence:", "confidence:\n  audit: 0.9").replace("risk: 0.25", "risk: 0.45");
      writeFileSync(join(cwd, "audit.clf.yaml"), easy);
      cpSync(join(cwd, "small.splits.jsonl"), join(cwd, "audit.splits.jsonl"));
      await document(EvaluateDocument, ["evaluate", "audit.clf.yaml", "-m", "baseline"], at());
      const audited = await document(FlaggedDocument, ["flagged", "audit.clf.yaml", "--reason", "audit"], at());
      const [item] = audited.items;
      assert.deepEqual([item?.blind, item?.label, item?.top], [true, null, []]);
      const confirm = await clf(["review", "audit.clf.yaml", item!.row, item!.target, "--confirm"], at());
      assert.equal(confirm.code, 2);
      assert.match(confirm.err, /drawn for the audit: judge it without seeing the prediction, and name the label/);
      const label = item!.target === NATURE ? "Fractures" : "Finger";
      const args = ["review", "audit.clf.yaml", item!.row, item!.target, label];
      const { decisions: made } = await document(ReviewDocument, args, at());
      assert.equal(made[0]!.blind, true);
      assert.equal(made[0]!.prediction, undefined);
      assert.equal(made[0]!.inclusion, 0.9);
      assert.match(made[0]!.draw!.stream, /^audit:/);
      assert.equal(made[0]!.draw!.prediction!.job, audited.jobs[0]);
      // A row is decided as a whole here: right once both targets are, wrong as soon as one is.
      const other = item!.target === NATURE ? PART : NATURE;
      await document(ReviewDocument, ["review", "audit.clf.yaml", item!.row, other, "--skip"], at());
      const { audits, items: left } = await document(AuditDocument, ["audit", "audit.clf.yaml", "-n", "1000"], at());
      const [audit] = audits;
      assert.deepEqual(audit!.targets, [NATURE, PART]);
      assert.deepEqual([audit!.judged, audit!.skipped, audit!.report.errors], [1, 1, 1], "a skip counts as an error");
      assert.equal(audit!.waiting, audit!.drawn - 1);
      assert.ok(audit!.drawn <= audit!.accepted && audit!.accepted <= audit!.rows);
      assert.ok(
        left.some(({ row }) => row === item!.row),
        "what was skipped can still be judged",
      );
      const words = await clf(["audit", "audit.clf.yaml"], at());
      assert.match(
        words.out,
        /^90 % of the accepted rows are drawn: \d+ of \d+\. 1 judged, \d+ waiting\.\nWrong among the judged: 1 of 1 \(1 skipped/,
      );
      for (const name of ["audit.clf.yaml", "audit.splits.jsonl", "reviews.jsonl"]) rmSync(join(cwd, name));
    });

    it("validation rows are labelled again blind, which changes no figure and tells how wrong the labels are", async () => {
      const again = await document(RelabelDocument, ["relabel", ".", "-n", "1000"], at());
      assert.equal(again.drawn, Math.min(200, again.validation));
      assert.deepEqual([again.judged, again.estimates[0]!.estimate], [0, null]);
      assert.equal(again.items.length, 2 * again.drawn, "each target of each row");
      const listed = await waiting("--reason", "relabel", "--limit", "1000");
      assert.ok(listed.items.every(({ given, label, blind }) => given === null && label === null && blind));
      const before = await document(ReportDocument, ["report", "."], at());
      // The first 40 rows of the draw: every nature is said to be a fracture, every part is skipped or a finger.
      const rows = [...new Set(again.items.map(({ row }) => row))].slice(0, 40);
      const lines = rows.flatMap((row, i) => [
        { row, target: NATURE, label: "Fractures" },
        { row, target: PART, ...(i === 0 ? { kind: "skipped" } : { label: "Finger" }) },
      ]);
      writeFileSync(join(cwd, "again.jsonl"), lines.map((line) => JSON.stringify(line)).join("\n"));
      const { decisions: made } = await document(
        ReviewDocument,
        ["review", ".", "--from", "again.jsonl", "--blind"],
        at(),
      );
      assert.ok(made.every(({ blind, draw, inclusion, prediction }) => blind && draw && inclusion && !prediction));
      const state = await document(RelabelDocument, ["relabel", "."], at());
      assert.equal(state.judged, 40);
      const { estimate } = state.estimates[0]!;
      assert.deepEqual([estimate!.judged, estimate!.skipped], [39, 1]);
      assert.ok(estimate!.noise!.value > 0.3, "most rows have other labels than these");
      const after = await document(ReportDocument, ["report", "."], at());
      assert.deepEqual(after.models.baseline!.targets, before.models.baseline!.targets);
      assert.deepEqual(after.models.baseline!.accept[0]!.labelNoise, estimate);
      const page = await clf(["report", "."], at());
      assert.match(page.out, /39 random validation rows were labelled again, blind: \d+/);
      for (const name of ["again.jsonl", "reviews.jsonl"]) rmSync(join(cwd, name));
    });

    it("wrong targets, reasons, orders, rows and labels are refused with what would be right", async () => {
      const id = items[0]!.row;
      const slips: [string[], RegExp][] = [
        [
          ["flagged", ".", "--target", "Nature Title"],
          /There is no target "Nature Title"\. Did you mean "NatureTitle"\?/,
        ],
        [["flagged", ".", "--reason", "bad"], /"bad" is no reason\. Reasons: below-threshold, /],
        [
          ["flagged", ".", "--order", "size"],
          /Allowed choices are margin, confidence, label-issues, informative, random, file/,
        ],
        [["flagged", ".", "--model", "baselin"], /no model "baselin" in small\. Did you mean "baseline"\?/],
        [["review", ".", "no-such-row", NATURE, "Fractures"], /There is no row "no-such-row" in the data/],
        [
          ["review", ".", id, NATURE, "Fracture"],
          /"Fracture" is no label of "NatureTitle"\. Did you mean "Fractures"\?/,
        ],
        [["review", ".", id, NATURE], /Give one answer: a LABEL, --confirm, --none or --skip/],
        [["review", ".", id, NATURE, "Fractures", "--confirm"], /Give one answer/],
        [["review", "."], /Say which: clf review PROJECT ROW TARGET LABEL/],
      ];
      for (const [args, says] of slips) {
        const { code, err, out } = await clf(args, at());
        assert.equal(code, 2, args.join(" "));
        assert.equal(out, "");
        assert.match(err, says);
      }
      assert.equal(decisions(), 0);
    });

    it("label, confirm, none and skip are recorded, with what was seen", async () => {
      const [a, b, c, d] = items.filter(({ target }) => target === NATURE);
      const other = a!.label === "Fractures" ? "Amputations" : "Fractures";
      const [corrected] = (
        await document(ReviewDocument, ["review", ".", a!.row, NATURE, other, "--note", "sure"], at())
      ).decisions;
      assert.equal(corrected!.kind, "corrected");
      assert.equal(corrected!.who, "Test Person");
      assert.equal(corrected!.note, "sure");
      assert.equal(corrected!.prediction?.label, a!.label);
      const [confirmed] = (await document(ReviewDocument, ["review", ".", b!.row, NATURE, "--confirm"], at()))
        .decisions;
      assert.equal(confirmed!.kind, "confirmed");
      assert.equal(confirmed!.after, b!.label);
      const none = await clf(["review", ".", c!.row, NATURE, "--none"], at());
      assert.equal(none.out, `${c!.row} · ${NATURE}: none\n`);
      const skip = await clf(["review", ".", d!.row, NATURE, "--skip"], at());
      assert.equal(skip.out, `${d!.row} · ${NATURE}: skipped\n`);
      assert.equal(decisions(), 4);
      const { decided, items: left } = await waiting("--limit", "1000");
      assert.equal(decided, 3);
      assert.equal(left.at(-1)!.row, d!.row, "a skipped one comes last");
    });

    it("undo takes back one's last decision, and adds a line rather than removing one", async () => {
      const { undone } = await document(UndoDocument, ["review", ".", "--undo"], at());
      assert.equal(undone!.kind, "undone");
      assert.equal(decisions(), 5);
      const words = await clf(["review", ".", "--undo"], at());
      assert.match(words.out, /^Took back the decision on \S+ · NatureTitle\.\n$/);
      assert.equal((await waiting()).decided, 2);
    });

    it("--from records many at once, or none when a line is wrong", async () => {
      const rest = items.filter(({ row, target }) => target === PART && row !== items[0]!.row).slice(0, 6);
      const lines = rest.map(({ row, target, label }) => JSON.stringify({ row, target, label }));
      const before = decisions();
      writeFileSync(join(cwd, "d.jsonl"), [...lines, '{"row": "1", "target": "NatureTitle"}'].join("\n"));
      const shape = await clf(["review", ".", "--from", "d.jsonl"], at());
      assert.equal(shape.code, 1);
      assert.match(shape.err, /^d\.jsonl:7: a line is \{"row": …/);
      writeFileSync(
        join(cwd, "d.jsonl"),
        [...lines, '{"row":"1","target":"NatureTitle","label":"Fractures"}'].join("\n"),
      );
      const row = await clf(["review", ".", "--from", "d.jsonl"], at());
      assert.equal(row.code, 1);
      assert.equal(row.err, 'd.jsonl:7: There is no row "1" in the data.\n');
      assert.equal(decisions(), before);
      writeFileSync(join(cwd, "d.jsonl"), lines.join("\n"));
      const made = await document(ReviewDocument, ["review", ".", "--from", "d.jsonl"], at());
      assert.equal(made.decisions.length, 6);
      assert.ok(made.decisions.every(({ kind }) => kind === "confirmed"));
      assert.equal(decisions(), before + 6);
    });
  });

  describe("a second round", () => {
    let evaluation: string;

    it("after a new fine-tune, confidence waits for its own evaluation", async () => {
      await document(FineTuneDocument, ["fine-tune", ".", "-m", "baseline"], at());
      const { targets } = await document(PredictTextDocument, ["predict", ".", "--text", "Cut his finger."], at());
      assert.ok(targets.every(({ confidence }) => confidence === null));
    });

    it("the report counts the decisions and says what changed", async () => {
      const { code, out, err } = await clf(["evaluate", ".", "-m", "baseline", "--learning-curve"], at());
      assert.equal(code, 0, err);
      assert.equal(err, "");
      assert.match(out, /NatureTitle: twice the \d+ rows it was trained on would give about /);
      assert.match(
        out,
        /^With decisions on \d more rows accuracy at NatureTitle went from [\d.]+ % to [\d.]+ % on the same 84 test rows: /m,
      );
      assert.match(out, /accuracy [\d.]+ % \([\d.]+ % to [\d.]+ %\) on 84 test rows/);
      const report = await document(ReportDocument, ["report", "."], at());
      evaluation = report.job;
      const [change] = report.changes;
      assert.equal(change!.decisions_before, 0);
      // Two rows have a label for the nature, six for the part; one row may have both.
      assert.ok(change!.decisions_now >= 6 && change!.decisions_now <= 8, String(change!.decisions_now));
      assert.equal(report.decisions, change!.decisions_now);
      const { curve, report: figures } = report.models.baseline!.targets[NATURE]!;
      const trained = curve!.points.map((point) => point.trained);
      assert.ok(trained.length >= 3 && trained.every((n, i) => i === 0 || n > trained[i - 1]!), String(trained));
      assert.equal(curve!.points.at(-1)!.accuracy, figures!.averages.accuracy.value, "the whole is the model itself");
    });

    it("a row decided for one of its targets still waits for the other", async () => {
      const decided = readFileSync(join(cwd, "d.jsonl"), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).row as string);
      const flagged = await document(FlaggedDocument, ["flagged", ".", "--limit", "1000"], at());
      const waiting = decided.filter((row) =>
        flagged.items.some((item) => item.row === row && item.target === NATURE && item.split === "pool"),
      );
      assert.ok(waiting.length >= 4, `${waiting.length} of ${decided.length} wait for the nature`);
      assert.ok(!flagged.items.some(({ row, target }) => decided.includes(row) && target === PART));
    });

    it("rounds says what the decisions bought, on the same rows", async () => {
      const { rounds, total, words } = await document(RoundsDocument, ["rounds", "."], at());
      assert.equal(rounds.length, 2);
      const [first, second] = rounds;
      assert.deepEqual([first!.decisions, first!.change], [0, null]);
      assert.equal(second!.job, evaluation);
      assert.equal(second!.change!.since, first!.job);
      assert.deepEqual(total, second!.change, "there are two rounds");
      assert.equal(second!.change!.decisions, second!.decisions);
      const report = await document(ReportDocument, ["report", "."], at());
      const { difference } = report.changes[0]!.targets[NATURE]!;
      assert.deepEqual(second!.change!.targets[NATURE]!.difference, difference, "as the report has it");
      assert.equal(second!.change!.coverage!.n, 84);
      assert.match(
        words.join("\n"),
        /From the first round to the last, with \d more rows decided: NatureTitle [+−][\d.]+ points/,
      );
      const { code, out } = await clf(["rounds", "."], at());
      assert.equal(code, 0);
      assert.match(out, /^1 .*\n2 .*points/m);
    });

    it("decisions on the pool leave the test rows as they were", async () => {
      const { models } = await document(ReportDocument, ["report", "."], at());
      assert.equal(models.baseline!.targets[NATURE]!.report!.n, 84);
    });

    it("out-of-fold predictions of rows decided for one target only", async () => {
      await document(PredictJobDocument, ["predict", ".", "--out-of-fold"], at());
      const flagged = await document(FlaggedDocument, ["flagged", ".", "--limit", "1000"], at());
      const trained = flagged.items.filter(({ split }) => split === "train" || split === "tune");
      assert.ok(trained.every(({ reasons }) => reasons.includes("label-issue")));
      const issues = await document(IssuesDocument, ["issues", ".", "--limit", "1000"], at());
      assert.ok(issues.items.length > 0 && issues.looked > 200);
      for (const [i, { given, suggested, doubt, file, line }] of issues.items.entries()) {
        assert.notEqual(given, suggested);
        assert.ok(i === 0 || doubt <= issues.items[i - 1]!.doubt, "most doubtful first");
        assert.ok(file!.endsWith(".csv") && line! > 1);
      }
      assert.deepEqual(
        issues.items.map(({ row, target }) => `${row} ${target}`).sort(),
        trained.map(({ row, target }) => `${row} ${target}`).sort(),
        "the same as flagged",
      );
      const [first] = issues.items;
      await document(ReviewDocument, ["review", ".", first!.row, first!.target, first!.given], at());
      const after = await document(IssuesDocument, ["issues", "."], at());
      assert.deepEqual([after.decided, after.total], [issues.decided + 1, issues.total]);
      await document(UndoDocument, ["review", ".", "--undo"], at());
      const words = await clf(["issues", ".", "-n", "1"], at());
      assert.match(words.out, /labels of \d+ rows may be wrong, by baseline.*\n\S+\.csv:\d+ /);
    });

    it("export puts predictions beside the columns; no cell starts a formula", async () => {
      const csv = await document(ExportDocument, ["export", ".", "-o", "all.csv"], at());
      const text = readFileSync(join(cwd, "all.csv"), "utf8");
      assert.match(text, /^row,split,Final Narrative,employer,NatureTitle,NatureTitle decided,NatureTitle predicted,/);
      assert.match(text, /,"?'=1\+1 /);
      assert.doesNotMatch(text, /(^|[,\n])"?=1/);
      assert.ok(csv.rows > POOL);
      await document(ExportDocument, ["export", ".", "-o", "all.tsv"], at());
      assert.match(readFileSync(join(cwd, "all.tsv"), "utf8"), /^row\tsplit\tFinal Narrative\t/);
      const { rows } = await document(ExportDocument, ["export", ".", "-o", "all.jsonl"], at());
      const lines = readFileSync(join(cwd, "all.jsonl"), "utf8").trimEnd().split("\n");
      assert.equal(lines.length, rows);
      assert.equal(rows, csv.rows);
      const decided = lines.map((line) => JSON.parse(line)).filter((row) => row[`${PART} decided`] !== "");
      assert.equal(decided.length, 6);
      const wrong = await clf(["export", ".", "-o", "all.xlsx"], at());
      assert.equal(wrong.code, 1);
      assert.match(wrong.err, /all\.xlsx must end in \.csv, \.tsv or \.jsonl/);
      const nowhere = await clf(["export", ".", "-o", "no/such/folder.csv"], at());
      assert.equal(nowhere.code, 1);
      assert.match(nowhere.err, /folder\.csv could not be written: ENOENT/);
    });

    it("report -o writes one page that runs no script of the data's", async () => {
      const { file, job } = await document(ReportFileDocument, ["report", ".", "-o", "report.html"], at());
      assert.equal(file, join(cwd, "report.html"));
      assert.equal(job, evaluation);
      const page = readFileSync(file, "utf8");
      assert.ok(!page.includes(SCRIPT_LABEL) && !page.includes("<script>alert"), "a label is not escaped");
      assert.ok(page.includes("Cuts \\u003cscript>"), "the label is on the page");
      assert.doesNotMatch(page, /(src|href)="https?:/, "the page asks the network for something");
    });

    it("jobs: list, show, logs", async () => {
      const { jobs } = await document(JobsDocument, ["jobs", "."], at());
      assert.ok(jobs.length >= 6);
      assert.ok(jobs.every(({ state }) => state === "succeeded"));
      const created = jobs.map((job) => job.created!);
      assert.deepEqual(created, [...created].sort().reverse(), "newest first");
      const list = await clf(["jobs", "."], at());
      assert.equal(list.out.trimEnd().split("\n").length, jobs.length);
      const { job, state, bytes } = await document(JobDocument, ["jobs", ".", "show", evaluation], at());
      assert.equal(job.id, evaluation);
      assert.equal(state, "succeeded");
      assert.ok(bytes > 0);
      assert.equal((await document(JobLogDocument, ["jobs", ".", "logs", evaluation], at())).job, evaluation);
      assert.match(
        (await clf(["jobs", ".", "show", evaluation], at())).out,
        /evaluate of baseline on local: succeeded/,
      );
    });

    it("jobs: what cannot be done is said", async () => {
      const resumed = await clf(["jobs", ".", "resume", evaluation], at());
      assert.equal(resumed.code, 1);
      assert.match(resumed.err, /has succeeded: there is nothing left to resume/);
      const cancelled = await clf(["jobs", ".", "cancel", evaluation], at());
      assert.equal(cancelled.code, 0);
      assert.match(cancelled.out, /succeeded already, there is nothing to cancel/);
      for (const [args, says] of [
        [["jobs", ".", "show"], /Say which job: clf jobs \. show ID/],
        [["jobs", ".", "show", "../../etc"], /There is no job \.\.\/\.\.\/etc\. The jobs: clf jobs small\.clf\.yaml/],
        [["jobs", ".", "burn"], /No action "burn"\. Actions: list, show, /],
        [["evaluate", ".", "--job", "nope"], /There is no job nope/],
        [["report", ".", "--job", "nope"], /There is no job nope/],
      ] as const) {
        const { code, err } = await clf(args, at());
        assert.equal(code, 2, args.join(" "));
        assert.match(err, says);
      }
    });

    it("jobs: clean keeps what is needed, delete takes one", async () => {
      for (let n = 0; n < 2; n++) await document(FineTuneDocument, ["fine-tune", ".", "-m", "words"], at());
      const before = (await document(JobsDocument, ["jobs", "."], at())).jobs.map(({ id }) => id);
      const cleaned = await document(JobsDeletedDocument, ["jobs", ".", "clean", "--keep", "1"], at());
      assert.ok(cleaned.deleted.length > 0);
      assert.ok(!cleaned.deleted.includes(evaluation));
      await document(ReportDocument, ["report", "."], at());
      await document(FlaggedDocument, ["flagged", "."], at());
      const left = (await document(JobsDocument, ["jobs", "."], at())).jobs.map(({ id }) => id);
      assert.deepEqual(
        left,
        before.filter((id) => !cleaned.deleted.includes(id)),
      );
      const { deleted } = await document(JobsDeletedDocument, ["jobs", ".", "delete", left[0]!], at());
      assert.deepEqual(deleted, [left[0]]);
      assert.equal(existsSync(join(cwd, ".clf", "jobs", left[0]!)), false);
    });
  });

  describe("for scripts", () => {
    it("a command that fails prints a document too", async () => {
      const usage = await document(FailureDocument, ["evaluate", ".", "-m", "nope"], { ...at(), code: 2 });
      assert.equal(usage.error.exit_code, 2);
      const unknown = await document(FailureDocument, ["evaluate", ".", "--treads", "2"], { ...at(), code: 2 });
      assert.match(unknown.error.message, /unknown option '--treads'/);
      const none = await document(FailureDocument, ["check"], { ...at(), code: 2 });
      assert.match(none.error.message, /missing required argument 'project'/);
      const gone = await document(FailureDocument, ["check", "no.clf.yaml"], { ...at(), code: 2 });
      assert.equal(gone.error.message, "There is no no.clf.yaml.");
    });

    it("options may stand before and after the project", async () => {
      const { models } = await document(EvaluateDocument, ["evaluate", "--model", "baseline", "--no-pool", "."], at());
      assert.deepEqual(Object.keys(models), ["baseline"]);
    });

    it("help and version are no failures", async () => {
      assert.equal((await clf(["--help"])).code, 0);
      assert.match((await clf(["--version"])).out, /^\d+\.\d+\.\d+\n$/);
      const help = await clf(["predict", "--help"]);
      assert.equal(help.code, 0);
      assert.match(help.out, /^Usage: clf predict PROJECT \[FILE\] \[options\]\n/);
      assert.equal((await clf([])).code, 2);
      const slip = await clf(["evalute", "."]);
      assert.equal(slip.code, 2);
      assert.match(slip.err, /Did you mean evaluate\?/);
    });

    it("completion scripts are sound", async () => {
      const { out } = await clf(["completion", "bash"]);
      execFileSync("bash", ["-n"], { input: out });
      const asked = `${out}\nCOMP_WORDS=(clf pre); COMP_CWORD=1; _clf; echo "\${COMPREPLY[*]}"\nCOMP_WORDS=(clf review . --no); COMP_CWORD=3; _clf; echo "\${COMPREPLY[*]}"`;
      assert.equal(execFileSync("bash", { input: asked, encoding: "utf8" }), "predict\n--none --note\n");
      for (const shell of ["zsh", "fish"]) assert.match((await clf(["completion", shell])).out, /flagged/);
      const unknown = await clf(["completion", "tcsh"]);
      assert.equal(unknown.code, 2);
    });

    it("a reader that has had enough is no error", async () => {
      const child = start(["profile", "."], { ...at(), buffer: false });
      child.stdout!.destroy();
      const { exitCode, stderr } = await child;
      assert.equal(exitCode, 0);
      assert.equal(stderr ?? "", "");
    });
  });
});
