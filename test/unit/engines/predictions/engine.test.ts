import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { contentId } from "../../../../server/src/dataset/rows.ts";
import { EngineError } from "../../../../server/src/engines/engine.ts";
import { FEELING, runEngine, target, testRows } from "./run.ts";

const GIVEN = ["good", "bad", "mixed", null];
const byId = { id: "id", rows: testRows(GIVEN) };

const refuses = (run: Promise<unknown>, message: RegExp, remedy?: RegExp) =>
  assert.rejects(run, (error) => {
    assert.ok(error instanceof EngineError, String(error));
    assert.match(error.message, message);
    if (remedy) assert.match(error.remedy ?? "", remedy);
    return true;
  });

describe("engine predictions", () => {
  describe("reads", () => {
    const csv = "id,prediction,probability\nr0,good,0.9\nr1,good,0.5\nr2,mixed,0.7\nr3,bad,1\n";

    it("csv: a label and its probability, for every row that is asked for", async () => {
      const { of, predictions, warnings, info } = await runEngine({ ...byId, file: "p.csv", content: csv });
      assert.equal(predictions.length, 4);
      assert.deepEqual(of("r1"), {
        row: "r1",
        target: "feeling",
        model: "other",
        split: "test",
        label: "good",
        score: 0.5,
        top: [["good", 0.5]],
        rest: 0.5,
      });
      assert.deepEqual(warnings, []);
      assert.deepEqual(info, ['feeling: the label in "prediction", its probability in "probability".']);
    });

    it("the same from tsv, jsonl, json and gzip", async () => {
      const records = csv
        .trim()
        .split("\n")
        .slice(1)
        .map((line) => line.split(","))
        .map(([id, prediction, probability]) => ({ id, prediction, probability: Number(probability) }));
      const jsonl = records.map((record) => JSON.stringify(record)).join("\n");
      const wanted = await runEngine({ ...byId, file: "p.csv", content: csv });
      for (const [file, content] of [
        ["p.tsv", csv.replaceAll(",", "\t")],
        ["p.jsonl", jsonl],
        ["p.json", JSON.stringify(records)],
        ["p.csv.gz", gzipSync(csv)],
        ["p.jsonl.gz", gzipSync(jsonl)],
      ] as const) {
        assert.deepEqual((await runEngine({ ...byId, file, content })).predictions, wanted.predictions, file);
      }
    });

    it("parquet", async () => {
      const { DuckDBInstance } = await import("@duckdb/node-api");
      const { mkdtempSync, readFileSync, rmSync } = await import("node:fs");
      const { join } = await import("node:path");
      const { tmpdir } = await import("node:os");
      const folder = mkdtempSync(join(tmpdir(), "clf-parquet-"));
      try {
        const path = join(folder, "p.parquet");
        const connection = await (await DuckDBInstance.create(":memory:")).connect();
        await connection.run(
          `COPY (SELECT 'r' || i AS id, CAST(i AS DOUBLE) / 4 AS p_good, 1 - CAST(i AS DOUBLE) / 4 AS p_bad, CAST(0 AS FLOAT) AS p_mixed FROM range(4) t(i)) TO '${path}' (FORMAT parquet)`,
        );
        connection.closeSync();
        const { of } = await runEngine({ ...byId, file: "p.parquet", content: readFileSync(path) });
        assert.deepEqual(of("r3")!.top, [
          ["good", 0.75],
          ["bad", 0.25],
          ["mixed", 0],
        ]);
        assert.equal(of("r0")!.label, "bad");
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });

    it("what an earlier attempt predicted is not predicted again", async () => {
      const { predictions } = await runEngine({ ...byId, file: "p.csv", content: csv, done: (row) => row !== "r2" });
      assert.deepEqual(
        predictions.map(({ row }) => row),
        ["r2"],
      );
    });

    it("several targets, each with its columns", async () => {
      const topic = target("topic", ["a", "b"]);
      const rows = testRows(["good", "bad"]).map((row) => ({ ...row, labels: { ...row.labels, topic: "a" } }));
      const { of } = await runEngine({
        file: "p.csv",
        content: "id,predicted_feeling,feeling_probability,topic_p_a,topic_p_b\nr0,good,.9,.3,.7\nr1,bad,.8,1,0\n",
        rows,
        id: "id",
        targets: [FEELING, topic],
      });
      assert.equal(of("r0", "feeling")!.score, 0.9);
      assert.deepEqual(of("r0", "topic")!.top, [
        ["b", 0.7],
        ["a", 0.3],
      ]);
    });

    it("stops when the job is cancelled", async () => {
      const controller = new AbortController();
      controller.abort("cancel");
      await assert.rejects(
        runEngine({ ...byId, file: "p.csv", content: csv, signal: controller.signal }),
        (error) => error === "cancel",
      );
    });
  });

  describe("finds columns", () => {
    const one = (head: string, line: string, more: object = {}) =>
      runEngine({ file: "p.csv", content: `id,${head}\nr0,${line}\n`, rows: testRows(["bad"]), id: "id", ...more });

    it("a probability a label: p_LABEL, LABEL, p_NUMBER; logits", async () => {
      for (const head of ["p_good,p_bad,p_mixed", "good,bad,mixed", "p_0,p_1,p_2", "Prob_Good,Prob_Bad,Prob_Mixed"]) {
        const { of } = await one(head, ".2,.7,.1");
        assert.deepEqual([of("r0")!.label, of("r0")!.score, of("r0")!.rest], ["bad", 0.7, 0], head);
      }
      const { of } = await one("logit_good,logit_bad,logit_mixed", "0,0,-inf");
      assert.deepEqual([of("r0")!.label, of("r0")!.score], ["good", 0.5]);
    });

    it("numbers in a name are labels where labels are numbers", async () => {
      const digits = target("digit", ["2", "1", "0"]);
      const rows = [{ ...testRows([null])[0]!, labels: { digit: "2" } }];
      const { of } = await one("p_0,p_1,p_2", ".7,.2,.1", { targets: [digits], rows });
      assert.equal(of("r0", "digit")!.label, "0");
    });

    it("a column of given labels beside probabilities is not taken for a prediction", async () => {
      const { of } = await one("label,p_good,p_bad,p_mixed", "bad,.9,.1,0");
      assert.equal(of("r0")!.label, "good");
      const named = await one("feeling,p_good,p_bad,p_mixed", "bad,.9,.1,0");
      assert.equal(named.of("r0")!.label, "good");
    });

    it("a column that equals the given labels on every row is refused", async () => {
      const labels = Array.from({ length: 30 }, (_, i) => ["good", "bad", "mixed"][i % 3]!);
      const content = `id,feeling,score\n${labels.map((label, i) => `r${i},${label},0.9\n`).join("")}`;
      const file = { file: "p.csv", content, rows: testRows(labels), id: "id" };
      await refuses(runEngine(file), /Every one of 30 predictions .* "feeling" equals the given label/, /targets: /);
      const { warnings } = await runEngine({
        ...file,
        spec: { targets: { feeling: { label: "feeling", probability: "score" } } },
      });
      assert.match(warnings.join(), /Are they predictions\?/);
    });

    it("as the project names them, also by alias", async () => {
      const targets = [target("feeling", ["good", { name: "bad", aliases: ["-1"] }, "mixed"])];
      const spec = { targets: { feeling: { probabilities: { good: "a", "-1": "b", mixed: "c" } } } };
      const { of } = await one("a,b,c", ".2,.7,.1", { targets, spec });
      assert.equal(of("r0")!.label, "bad");
      const label = await one("x", "-1", { targets, spec: { targets: { feeling: { label: "x" } } } });
      assert.equal(label.of("r0")!.label, "bad");
      assert.match(label.warnings.join(), /No column tells a probability of "feeling"/);
    });

    it("and says what is missing", async () => {
      await refuses(
        one("a,b", "1,2"),
        /No column of p\.csv can be told to hold the prediction of "feeling"/,
        /"a", "b"/,
      );
      const spec = (columns: object) => ({ spec: { targets: { feeling: columns } } });
      await refuses(one("predicted", "bad", spec({ label: "predictd" })), /no column "predictd".*"predicted"/);
      await refuses(
        one("a", "1", spec({ probabilities: { god: "a" } })),
        /"god" under probabilities is no label of "feeling"\. Did you mean "good"/,
      );
      await refuses(one("prediction", "bad", { id: "key" }), /no column "key"/);
      await refuses(
        one("prediction", "bad", { id: undefined }),
        /cannot be matched with rows: it has neither the id column nor all inputs \("text"\)/,
        /id: COLUMN/,
      );
    });
  });

  describe("matches rows", () => {
    const texts = ["same", "other", "same", "lonely"];
    const rows = texts.map((text, i) => ({
      row: i === 2 ? `${contentId(["Text"], [text])}#2` : contentId(["Text"], [text]),
      split: "test" as const,
      inputs: { text },
      labels: { feeling: "good" },
    }));
    const inputs = [{ column: "Text", name: "text" }];
    const run = (content: string) => runEngine({ file: "p.csv", content, rows, inputs });

    it("by inputs, in order where they are equal", async () => {
      const { predictions, warnings } = await run(
        "Text,prediction,score\nsame,good,.9\nlonely,bad,.8\nother,bad,.7\nsame,bad,.6\n",
      );
      assert.deepEqual(
        predictions.map(({ row, score }) => [row, score]),
        [
          [rows[0]!.row, 0.9],
          [rows[3]!.row, 0.8],
          [rows[1]!.row, 0.7],
          [rows[2]!.row, 0.6],
        ],
      );
      assert.match(warnings.join(), /equal inputs have different predictions .* \(records: 1\)/);
    });

    it("one record speaks of all rows with its inputs", async () => {
      const { of, warnings } = await run("Text,prediction,score\nsame,good,.9\nother,bad,.7\nlonely,bad,.8\n");
      assert.equal(of(rows[2]!.row)!.score, 0.9);
      assert.deepEqual(warnings, []);
    });

    it("by the dataset's id column, repeats in order", async () => {
      const named = rows.map((row, i) => ({ ...row, row: ["a", "b", "a#2", "c"][i]! }));
      const { of, warnings } = await runEngine({
        file: "p.csv",
        content: "key,prediction,score\na,good,.9\na,good,.8\n b ,bad,.7\nc,good,.6\nc,bad,.5\nz,good,.4\n",
        rows: named,
        usualId: "key",
      });
      assert.deepEqual(
        ["a", "b", "a#2", "c"].map((id) => of(id)!.score),
        [0.9, 0.7, 0.8, 0.6],
      );
      assert.match(warnings.join("\n"), /Records of p\.csv that are of no row of the data: 1 of 6 \(first: line 7\)/);
      assert.match(warnings.join("\n"), /Records of p\.csv whose row has its prediction already: 1 \(first: line 6\)/);
    });

    it("rows that the file leaves out have failed; a split that it leaves out was not predicted", async () => {
      const pool = testRows([null, null], "pool").map((row) => ({ ...row, row: `pool-${row.row}` }));
      const { of, predictions, warnings } = await runEngine({
        file: "p.csv",
        content: "id,prediction,score\nr0,good,.9\n",
        rows: [...testRows(["good", "bad"]), ...pool],
        id: "id",
      });
      assert.equal(predictions.length, 2);
      assert.deepEqual([of("r1")!.label, of("r1")!.problem], [null, "failed"]);
      assert.match(
        warnings.join("\n"),
        /2 test rows, 1 without a prediction in p\.csv: what is missing counts as failed/,
      );
      assert.match(warnings.join("\n"), /no prediction of any of the 2 pool rows/);
    });

    it("none at all, or no test row, is an error", async () => {
      const file = { file: "p.csv", content: "id,prediction,score\nx,good,.9\n", id: "id" };
      await refuses(
        runEngine({ ...file, rows: testRows(["good"]) }),
        /None of 1 records .* matched by the id column "id" \(the id of a row: "r0"\)/,
      );
      await refuses(runEngine({ ...file, content: "id,prediction,score\n", rows: testRows(["good"]) }), /rows|records/);
      const rows = [...testRows(["good"]), { ...testRows(["good"], "tune")[0]!, row: "x" }];
      await refuses(runEngine({ ...file, rows }), /no prediction of any of the 1 test rows/);
      assert.equal((await runEngine({ ...file, rows, kind: "predict" })).predictions.length, 1);
    });
  });

  describe("counts what is wrong apart", () => {
    const many = (lines: string[], head = "prediction,probability", more: object = {}) =>
      runEngine({
        file: "p.csv",
        content: `id,${head}\n${lines.map((line, i) => `r${i},${line}\n`).join("")}`,
        rows: testRows(lines.map((_, i) => (i % 2 ? "good" : "bad"))),
        id: "id",
        ...more,
      });
    const fine = (n: number) => Array<string>(n).fill("good,0.9");

    it("failed, out of the list, unparsed", async () => {
      const { of, warnings } = await many([...fine(40), ",", "gut,0.8", "good,1.8", "good,?"]);
      assert.equal(of("r40")!.problem, "failed");
      assert.deepEqual([of("r41")!.problem, of("r41")!.answer], ["out-of-list", "gut"]);
      assert.equal(of("r42")!.problem, "unparsed");
      assert.equal(of("r43")!.problem, "unparsed");
      const said = warnings.join("\n");
      assert.match(
        said,
        /2 predictions of "feeling" cannot be read: 1 no number \(line 45: "\?"\), 1 outside 0 to 1 \(line 44: "1\.8"\)/,
      );
      assert.match(said, /Of 44 predictions of "feeling" 1 name none of its labels: "gut" \(1\)/);
      assert.match(said, /Empty predictions of "feeling": 1\./);
    });

    it("a column that holds no probabilities is an error, so is one that holds no labels", async () => {
      await refuses(
        many(Array(20).fill("good,87")),
        /20 cannot be read as probabilities: 20 outside 0 to 1/,
        /Percentages/,
      );
      await refuses(
        many(Array(20).fill("3.2,1.1,-4"), "p_good,p_bad,p_mixed"),
        /cannot be read as probabilities/,
        /logits|Percentages/,
      );
      await refuses(
        many(Array(20).fill(".9,.8,.7"), "p_good,p_bad,p_mixed"),
        /20 with a sum over 0\.05 away from 1/,
        /logits/,
      );
      await refuses(
        many(Array(20).fill("520,0.9")),
        /Of 20 predictions of "feeling" 20 name none of its labels: "520" \(20\)/,
        /aliases/,
      );
    });

    it("sums that are close are divided, with a warning", async () => {
      const { of, warnings } = await many(Array(20).fill(".5,.3,.18"), "p_good,p_bad,p_mixed");
      assert.equal(of("r0")!.score, Number((0.5 / 0.98).toPrecision(6)));
      assert.match(warnings.join(), /20 predictions .* sum to 0\.980, not to 1/);
    });

    it("a label that is not the likeliest, and a probability that is another label's", async () => {
      const named = await many(Array(4).fill("bad,.5,.3,.2"), "prediction,p_good,p_bad,p_mixed");
      assert.deepEqual([named.of("r0")!.label, named.of("r0")!.score], ["bad", 0.3]);
      assert.match(
        named.warnings.join(),
        /Another label than the likeliest is named in 4 predictions of "feeling" \(first: line 2, "bad"\)/,
      );
      const positive = await many(["good,0.9", "bad,0.1"]);
      assert.match(
        positive.warnings.join(),
        /Less than an even share .* probabilities: \{ THAT LABEL: "probability" \}/,
      );
    });

    it("a damaged file is an error with its line", async () => {
      await refuses(
        many([...fine(3), "good,0.9,what"]),
        /p\.csv cannot be read\. line 5: The row has 4 fields/,
        /Mend/,
      );
      await refuses(runEngine({ ...byId, file: "p.csv", content: "" }), /p\.csv is empty/);
      await refuses(runEngine({ ...byId, file: "p.csv.gz", content: "id" }), /not a whole gzip file/);
      await refuses(runEngine({ ...byId, file: "p.xlsx", content: "id" }), /not a kind of file/, /csv, tsv/);
    });
  });
});
