import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { cutTornLine, wholeLines, wholeLinesEnd } from "../../../server/src/jobs/lines.ts";

describe("whole lines", function () {
  this.timeout(20_000);
  let folder: string;
  let path: string;
  let count = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "clf-lines-"));
  });
  beforeEach(() => {
    path = join(folder, `file-${++count}`);
  });
  after(() => rm(folder, { recursive: true }));

  it("are read once each, however the file grows in between, and a torn one not until it is whole", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: "grapheme", maxLength: 8 }), { maxLength: 12 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
        async (texts, cuts) => {
          // JSON: no newline inside a line.
          const lines = texts.map((text) => JSON.stringify(text));
          const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
          const read: string[] = [];
          let offset = 0;
          for (const cut of [...cuts.sort((a, b) => a - b), 1]) {
            await writeFile(path, bytes.subarray(0, Math.round(cut * bytes.length)));
            for await (const line of wholeLines(path, offset)) {
              assert.equal(line.offset, offset);
              offset = line.end;
              read.push(line.text);
            }
            assert.equal(await wholeLinesEnd(path), offset);
          }
          assert.deepEqual(read, lines);
        },
      ),
      { numRuns: 15 },
    );
  });

  it("may be longer than a piece that is read at once", async () => {
    const long = "ä".repeat(1_500_000);
    await writeFile(path, `${long}\nshort\n${long}`);
    const read: number[] = [];
    for await (const line of wholeLines(path)) read.push(line.text.length);
    assert.deepEqual(read, [1_500_000, 5]);
    assert.equal(await wholeLinesEnd(path), 3_000_007);
    assert.equal(await cutTornLine(path), 3_000_000);
    assert.equal((await readFile(path)).length, 3_000_007);
    assert.equal(await cutTornLine(path), 0);
  });

  it("of a file that is not there are none", async () => {
    for await (const _ of wholeLines(join(folder, "no"))) assert.fail();
    assert.equal(await wholeLinesEnd(join(folder, "no")), 0);
    assert.equal(await cutTornLine(join(folder, "no")), 0);
  });
});
