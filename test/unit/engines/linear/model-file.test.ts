import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import {
  decodeModel,
  encodeModel,
  extractFeatures,
  fitLinear,
  type LinearModel,
  ModelFileError,
  predictProbabilities,
  readModel,
} from "../../../../server/src/engines/linear/index.ts";
import { range, topicCorpus } from "./corpus.ts";

describe("linear model file", () => {
  const { texts, labels, classes } = topicCorpus(60, 1);
  let model: LinearModel;
  let bytes: Uint8Array;
  before(async () => {
    const features = await extractFeatures(texts);
    ({ model } = await fitLinear({ features, labels, classes, train: range(0, 60), seed: 1, threads: 1, c: 10 }));
    bytes = encodeModel(model, { labels: ["Ärger", "b"] });
  });

  it("gives back the model, its metadata and its predictions", async () => {
    const read = decodeModel(bytes);
    assert.deepEqual(read.model, model);
    assert.deepEqual(read.metadata, { labels: ["Ärger", "b"] });
    assert.deepEqual(await predictProbabilities(read.model, texts), await predictProbabilities(model, texts));
  });

  it("is read at any address", () => {
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    assert.deepEqual(decodeModel(shifted.subarray(3)).model, model);
  });

  it("notices any cut and any changed byte", () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = bytes.slice();
        changed[at]! ^= change;
        assert.throws(() => decodeModel(changed), ModelFileError);
        assert.throws(() => decodeModel(bytes.subarray(0, at)), ModelFileError);
      }),
    );
  });

  it("refuses a header that promises more than the file holds, before anything is allocated", async () => {
    const header = JSON.stringify({
      ...{ classes: 1e6, columns: 1, options: { wordNgrams: 2, characterNgrams: [2, 5] }, c: 1, features: 2 ** 30 },
      metadata: {},
    });
    const file = Buffer.alloc(16 + header.length);
    file.write("CLFLINER", "latin1");
    file.writeUInt32LE(1, 8);
    file.writeUInt32LE(header.length, 12);
    file.write(header, 16);
    assert.throws(() => decodeModel(file), /too large/);
    file.writeUInt32LE(0xffffffff, 12);
    assert.throws(() => decodeModel(file), /header is too long/);
    file.writeUInt32LE(7, 8);
    assert.throws(() => decodeModel(file), /version 7.*Update Clf/);
  });

  it("reads from disk, and names what is wrong with other files", async () => {
    const folder = await mkdtemp(join(tmpdir(), "clf-model-"));
    try {
      const path = join(folder, "model");
      await writeFile(path, bytes);
      assert.deepEqual((await readModel(path)).model, model);
      await writeFile(path, bytes.subarray(0, bytes.length - 100));
      await assert.rejects(readModel(path), /cut short/);
      await writeFile(path, bytes.subarray(0, 30));
      await assert.rejects(readModel(path), ModelFileError);
      await writeFile(path, "text,label\n");
      await assert.rejects(readModel(path), /not a model file/);
      await writeFile(path, "");
      await assert.rejects(readModel(path), /not a model file/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
