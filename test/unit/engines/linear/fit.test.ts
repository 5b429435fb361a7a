import assert from "node:assert/strict";
import {
  encodeModel,
  extractFeatures,
  fitLinear,
  outOfFold,
  predictProbabilities,
  topK,
} from "../../../../server/src/engines/linear/index.ts";
import { accuracy, range, topicCorpus } from "./corpus.ts";

const grid = [1, 10, 100];

describe("linear fit", () => {
  const { texts, labels, classes } = topicCorpus(400, 1);
  const train = range(0, 300);
  const tune = range(300, 400);

  it("gives the same model, bit for bit, with 1, 2 and 4 threads", async () => {
    const features = await extractFeatures(texts);
    const runs = [];
    for (const threads of [1, 2, 4]) {
      const { model, chosen } = await fitLinear({
        ...{ features, labels, classes, train, tune, seed: 5, threads, options: { grid } },
      });
      const held = await outOfFold({ features, labels, classes, rows: train, c: model.c, folds: 4, seed: 5, threads });
      runs.push({ file: encodeModel(model), chosen, ...held });
    }
    assert.deepEqual(runs[1], runs[0]);
    assert.deepEqual(runs[2], runs[0]);
  });

  it("learns: held-out and new rows are mostly right, up to the label noise", async () => {
    const features = await extractFeatures(texts);
    const told: number[] = [];
    const { model, chosen } = await fitLinear({
      ...{ features, labels, classes, train, tune, seed: 5, threads: 1, options: { grid } },
      onChosen: (c) => told.push(c),
    });
    assert.deepEqual(told, [chosen.c]);
    assert.equal(
      chosen.search.find((step) => step.c === chosen.c)!.logLoss,
      Math.min(...chosen.search.map((s) => s.logLoss)),
    );
    assert.ok(accuracy(chosen.tuneProbabilities!, labels.slice(300), classes) > 0.85);
    const unseen = topicCorpus(200, 2, 0);
    const probabilities = await predictProbabilities(model, unseen.texts);
    assert.ok(accuracy(probabilities, unseen.labels, classes) > 0.95);
    for (let i = 0; i < 200; i++) {
      const row = probabilities.subarray(i * classes, (i + 1) * classes);
      assert.ok(Math.abs(row.reduce((a, b) => a + b, 0) - 1) < 1e-5);
    }
    const held = await outOfFold({ features, labels, classes, rows: range(0, 400), c: chosen.c, seed: 5, threads: 2 });
    assert.ok(accuracy(held.probabilities, labels, classes) > 0.85);
  });

  it("skips the search when C is given, and fits nearly the same model", async () => {
    const features = await extractFeatures(texts);
    const base = { features, labels, classes, train, tune, seed: 5, threads: 2, options: { grid } };
    const searched = await fitLinear(base);
    const resumed = await fitLinear({ ...base, c: searched.chosen.c });
    assert.deepEqual(resumed.chosen.search, []);
    // Not bit for bit: after a search the fit starts from what that has found, and ends as near to the optimum.
    const answers = (model: typeof searched.model) => predictProbabilities(model, texts);
    const [before, after] = [await answers(searched.model), await answers(resumed.model)];
    const likeliest = (p: Float32Array, i: number) => {
      const row = p.subarray(i * classes, (i + 1) * classes);
      return row.indexOf(Math.max(...row));
    };
    const same = texts.filter((_, i) => likeliest(before, i) === likeliest(after, i)).length;
    assert.ok(same >= 0.99 * texts.length, `${same} of ${texts.length} rows get the same label`);
    assert.equal(resumed.chosen.tuneProbabilities!.length, tune.length * classes);
  });

  it("never uses a held-out row: its own label cannot raise its probability", async () => {
    // Random labels: whoever peeks is right far more often than chance.
    const random = topicCorpus(300, 3, 1);
    const unique = random.texts.map((columns, i) => [`${columns[0]} unique${i} token${i}`]);
    const features = await extractFeatures(unique);
    const held = await outOfFold({
      ...{ features, labels: random.labels, classes, rows: range(0, 300), c: 100, seed: 1, threads: 2 },
    });
    assert.ok(accuracy(held.probabilities, random.labels, classes) < 0.35);
  });

  it("keeps duplicates in one fold by their group", async () => {
    const random = topicCorpus(100, 4, 1);
    const doubled = [...random.texts, ...random.texts].map((columns, i) => [`${columns[0]} unique${i % 100}`]);
    const twice = Int32Array.from({ length: 200 }, (_, i) => random.labels[i % 100]!);
    const groups = Int32Array.from({ length: 200 }, (_, i) => i % 100);
    const features = await extractFeatures(doubled);
    const base = { features, labels: twice, classes, rows: range(0, 200), c: 100, seed: 1, threads: 2 };
    const together = await outOfFold({ ...base, groups });
    assert.ok(accuracy(together.probabilities, twice, classes) < 0.4);
    for (let i = 0; i < 100; i++) assert.equal(together.fold[i], together.fold[i + 100]);
  });

  it("serves several targets from the same features, in any order of calls", async () => {
    const features = await extractFeatures(texts);
    const other = Int32Array.from(labels, (label) => label % 2);
    const fitBoth = () =>
      Promise.all([
        fitLinear({ features, labels, classes, train, seed: 1, threads: 1 }),
        fitLinear({ features, labels: other, classes: 2, train, seed: 1, threads: 1 }),
      ]);
    const [first, second] = await fitBoth();
    const alone = await fitLinear({ features, labels: other, classes: 2, train, seed: 1, threads: 1 });
    assert.deepEqual(encodeModel(second.model), encodeModel(alone.model));
    assert.equal(first.model.classes, 5);
  });

  it("takes labels with one row, labels without rows, rows without words and one-label targets", async () => {
    const few = [["alpha beta"], ["alpha gamma"], ["delta"], [""], ["!?"], ["alpha"]];
    const features = await extractFeatures(few);
    const base = { features, train: range(0, 6), seed: 1, threads: 1 };
    const { model } = await fitLinear({ ...base, labels: Int32Array.of(0, 0, 1, 0, 0, 0), classes: 4 });
    const [empty, delta] = [
      await predictProbabilities(model, [["unheard of"]]),
      await predictProbabilities(model, [["delta"]]),
    ];
    assert.equal(topK(empty, 1)[0]!.label, 0);
    assert.equal(topK(delta, 4)[0]!.label, 1);
    assert.ok([...empty, ...delta].every((p) => p >= 0 && p <= 1));
    const single = await fitLinear({ ...base, labels: new Int32Array(6), classes: 1 });
    assert.deepEqual([...(await predictProbabilities(single.model, [["alpha"]]))], [1]);
  });

  it("gives rare labels their due with balanced class weights, and rows their weights", async () => {
    const imbalanced = Array.from({ length: 100 }, (_, i) => [
      i % 20 === 0 ? "word rare" : i % 3 === 0 ? "word rare often" : "word often",
    ]);
    const features = await extractFeatures(imbalanced);
    const target = Int32Array.from({ length: 100 }, (_, i) => (i % 20 === 0 ? 1 : 0));
    const base = { features, labels: target, classes: 2, train: range(0, 100), seed: 1, threads: 1, c: 0.1 };
    const rare = async (input: Parameters<typeof fitLinear>[0]) =>
      (await predictProbabilities((await fitLinear(input)).model, [["word rare"]]))[1]!;
    const plain = await rare(base);
    assert.ok((await rare({ ...base, options: { classWeight: "balanced" } })) > plain + 0.1);
    assert.ok(
      (await rare({ ...base, rowWeights: Float32Array.from(target, (label) => (label === 1 ? 20 : 1)) })) > plain + 0.1,
    );
    // A row of weight 0 is as good as absent, but for the document frequencies.
    const zero = await rare({ ...base, rowWeights: Float32Array.from(target, (label) => (label === 1 ? 0 : 1)) });
    assert.ok(zero < plain);
  });

  it("stops soon after an abort, and says why", async () => {
    const big = topicCorpus(4000, 1);
    const features = await extractFeatures(big.texts);
    const controller = new AbortController();
    const running = fitLinear({
      ...{ features, labels: big.labels, classes, train: range(0, 4000), seed: 1, threads: 1 },
      ...{ c: 1000, options: { tolerance: 0, maxEpochs: 100_000 }, signal: controller.signal },
      onProgress: () => controller.abort(new Error("cancelled by a person")),
    });
    await assert.rejects(running, /cancelled by a person/);
  });

  it("refuses what cannot be right", async () => {
    const features = await extractFeatures(texts);
    const base = { features, classes, seed: 1, threads: 1 };
    await assert.rejects(fitLinear({ ...base, labels, train: new Int32Array(0) }), /no rows to train on/);
    await assert.rejects(fitLinear({ ...base, labels: labels.map(() => 9), train }), /Label 9 of row 0/);
    await assert.rejects(fitLinear({ ...base, labels, train: Int32Array.of(400) }), /Row 400/);
    await assert.rejects(fitLinear({ ...base, labels, classes: 1e8, train }), /too much|Too much|below/i);
    const groups = new Int32Array(400);
    await assert.rejects(outOfFold({ ...base, labels, rows: train, groups, c: 1 }), /at least two groups/);
  });
});
