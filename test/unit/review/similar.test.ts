import assert from "node:assert/strict";
import { keepPace } from "../../../server/src/dataset/pace.ts";
import { similarityOf } from "../../../server/src/review/similar.ts";

const texts = [
  "the worker fell from a ladder and broke his arm",
  "a worker fell from the ladder, arm broken",
  "burned by hot oil in the kitchen",
  "hot oil burned both hands",
  "",
];
const made = (all: readonly string[]) => similarityOf(all.length, (at) => [all[at]!], keepPace());

describe("texts that say much the same", () => {
  it("come most similar first, without the text itself and without those that share nothing", async () => {
    const { nearest } = await made(texts);
    const of = (at: number) => nearest(at, { most: 5, least: 0.05, among: () => true });
    assert.equal(of(0)[0]!.at, 1);
    assert.ok(of(0).every(({ at }) => at !== 0 && at !== 4));
    assert.equal(of(3)[0]!.at, 2);
    assert.deepEqual(of(4), []);
  });

  it("are only those that are asked for, as many and as similar as asked", async () => {
    const { nearest } = await made(texts);
    assert.deepEqual(
      nearest(0, { most: 5, least: 0, among: (at) => at === 2 || at === 3 }).map(({ at }) => at),
      [2],
    );
    assert.equal(nearest(0, { most: 1, least: 0, among: () => true }).length, 1);
    assert.deepEqual(nearest(0, { most: 5, least: 0.99, among: () => true }), []);
  });

  it("are found for a text that is none of them", async () => {
    const all = { most: 5, least: 0, among: () => true };
    const { like, nearest } = await made(texts);
    const near = like(["A LADDER fell and broke"], all);
    assert.deepEqual(near.map(({ at }) => at).sort(), [0, 1]);
    assert.deepEqual(like(["xyzzy"], all), []);
    assert.deepEqual(like([""], all), []);
    // One of them, typed again, is that one and its neighbours.
    const [same, ...others] = like([texts[2]!], all);
    assert.equal(same!.at, 2);
    assert.ok(Math.abs(same!.similarity - 1) < 1e-6);
    assert.deepEqual(
      others.map(({ at }) => at),
      nearest(2, all).map(({ at }) => at),
    );
    // Words that nobody else has make it less like any of them.
    const [unlike] = like([`${texts[2]} xyzzy plugh`], all);
    assert.ok(unlike!.similarity < 0.95);
  });

  it("are wholly similar when they are equal, whatever the case", async () => {
    const { nearest } = await made(["Cut finger", "cut FINGER", "burned hand"]);
    const [first] = nearest(0, { most: 1, least: 0, among: () => true });
    assert.equal(first!.at, 1);
    assert.ok(Math.abs(first!.similarity - 1) < 1e-6);
  });

  it("keep the words of two inputs apart", async () => {
    const pairs = [
      ["cut", "hand"],
      ["hand", "cut"],
    ];
    const { nearest } = await similarityOf(2, (at) => pairs[at]!, keepPace());
    assert.deepEqual(nearest(0, { most: 1, least: 0.01, among: () => true }), []);
  });

  it("are denser where there are many of a kind", async () => {
    const { density } = await made([...texts, "the worker fell from a ladder", "worker fell, ladder broke"]);
    const of = density([0, 1, 2, 4, 5, 6]);
    assert.ok(of(0) > of(2), `${of(0)} ${of(2)}`);
    assert.equal(of(4), 0);
  });
});
