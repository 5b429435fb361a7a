import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Prediction } from "../../../schemas/predictions.ts";
import type { SplitName } from "../../../schemas/rows.ts";
import { createDuckDb, type DuckDb } from "../../../server/src/dataset/duckdb.ts";
import {
  predictionsToParquet,
  readPredictionsParquet,
  type WantedPredictions,
} from "../../../server/src/dataset/predictions-parquet.ts";

const prediction = (row: string, model: string, split: SplitName): Prediction => ({
  ...{ row, model, split, target: "part", label: "Arm", score: 0.75, rest: 0 },
  top: [
    ["Arm", 0.75],
    ["Leg", 0.25],
  ],
});
const ALL = [
  prediction("a", "first", "test"),
  prediction("b", "o'second", "test"),
  prediction("c", "first", "validation"),
  prediction("d", "o'second", "pool"),
  prediction("e", "first", "pool"),
];

describe("predictions in Parquet", () => {
  let folder: string;
  let duckdb: DuckDb;
  let parquet: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "clf-parquet-"));
    duckdb = createDuckDb({ folder });
    const jsonl = join(folder, "predictions.jsonl");
    parquet = join(folder, "predictions.parquet");
    await writeFile(jsonl, ALL.map((each) => `${JSON.stringify(each)}\n`).join(""));
    await predictionsToParquet(duckdb, jsonl, parquet);
  });
  after(async () => {
    await duckdb.close();
    await rm(folder, { recursive: true, force: true });
  });

  const read = async (wanted?: WantedPredictions) => {
    const found: Prediction[] = [];
    for await (const each of readPredictionsParquet(duckdb, parquet, wanted)) found.push(each);
    return found;
  };

  it("gives back what was written, in its order", async () => {
    assert.deepEqual(await read(), ALL);
  });

  it("reads those of a model, of splits, or both", async () => {
    const rows = async (wanted: WantedPredictions) => (await read(wanted)).map(({ row }) => row).join("");
    assert.equal(await rows({ model: "first" }), "ace");
    assert.equal(await rows({ model: "o'second" }), "bd");
    assert.equal(await rows({ splits: ["test", "pool"] }), "abde");
    assert.equal(await rows({ model: "first", splits: ["pool"] }), "e");
    assert.equal(await rows({ model: "third" }), "");
  });
});
