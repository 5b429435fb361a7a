import assert from "node:assert/strict";
import { Split } from "../../../schemas/project.ts";
import { splitShares } from "../../../server/src/project/split.ts";

describe("splitShares", () => {
  const shares = (split: object, source: Parameters<typeof splitShares>[0]["source"] = "a.csv") => {
    const { train, validation, test } = splitShares({ source, split: Split.parse(split) });
    return [train, validation, test];
  };

  it("fills in what is not given", () => {
    assert.deepEqual(shares({}), [0.64, 0.16, 0.2]);
    assert.deepEqual(shares({ validation: 0 }), [0.8, 0, 0.2]);
    assert.deepEqual(shares({ test: 0.3 }), [0.54, 0.16, 0.3]);
    assert.deepEqual(shares({ train: 0.7, test: 0.2 }), [0.7, 0.1, 0.2]);
    assert.deepEqual(shares({ train: 0.82 }), [0.82, 0.08, 0.1]);
    assert.deepEqual(shares({ train: 0.5, validation: 0.25, test: 0.25 }), [0.5, 0.25, 0.25]);
  });

  it("gives splits with files no share, and scales the others to sum to 1", () => {
    const files = { train: "train.csv", test: "test.csv" };
    assert.deepEqual(shares({}, files), [0.84, 0.16, 0]);
    assert.deepEqual(shares({ train: 0.64, validation: 0.16, test: 0.2 }, files), [0.8, 0.2, 0]);
    assert.deepEqual(shares({ validation: 0 }, files), [1, 0, 0]);
    assert.deepEqual(shares({}, { ...files, validation: "v.csv" }), [1, 0, 0]);
    assert.deepEqual(shares({}, { train: "train.csv", validation: "v.csv" }), [0.8, 0, 0.2]);
  });

  it("leaves all to the column where there is one", () => {
    assert.deepEqual(shares({ column: "split" }), [0, 0, 0]);
  });
});
