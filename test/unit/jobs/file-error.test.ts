import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { fileErrorMessage } from "../../../server/src/file-error.ts";

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => assert.fail("no error"),
    (error: unknown) => error,
  );

describe("file errors", () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "clf-file-error-")));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("say what could not be done, with which file, and why", async () => {
    const file = join(folder, "a file");
    writeFileSync(file, "");
    assert.equal(
      fileErrorMessage(await errorOf(mkdir(join(file, "below")))),
      `Cannot make ${file}/below: a part of the path is a file, not a folder.`,
    );
    assert.equal(
      fileErrorMessage(await errorOf(readdir(join(folder, "none")))),
      `Cannot open ${folder}/none: there is no such file or folder.`,
    );
  });

  it("name the file, not the temporary one beside it", async () => {
    const file = join(folder, "none", "p.splits.jsonl");
    const error = await errorOf(writeFileAtomic(file, ""));
    assert.equal(fileErrorMessage(error), `Cannot open ${file}: there is no such file or folder.`);
  });

  it("a full disk", () => {
    const error = Object.assign(new Error("ENOSPC: no space left on device, write"), {
      code: "ENOSPC",
      syscall: "write",
    });
    assert.equal(fileErrorMessage(error), "Cannot write a file: the disk is full. Make room, then try again.");
  });

  it("are no other errors", () => {
    assert.equal(fileErrorMessage(new TypeError("x is not a function")), null);
    assert.equal(fileErrorMessage("ENOSPC"), null);
  });
});
