import assert from "node:assert/strict";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { discoverProjects } from "../../../server/src/project/discover.ts";
import { withFolder } from "./folder.ts";

describe("discoverProjects", () => {
  const files = {
    "a.clf.yaml": "",
    "deep/er/b.clf.yml": "",
    "clf.yaml": "",
    "c.yaml": "",
    "node_modules/x/d.clf.yaml": "",
    ".git/e.clf.yaml": "",
    "deep/.clf/jobs/f.clf.yaml": "",
  };

  it("finds project files, skipping what is not the user's own", async () => {
    await withFolder(files, async (folder) => {
      assert.deepEqual(await discoverProjects(folder), [join(folder, "a.clf.yaml"), join(folder, "deep/er/b.clf.yml")]);
    });
  });

  it("is bounded and follows no links", async () => {
    await withFolder(files, async (folder) => {
      await symlink(folder, join(folder, "deep", "loop"));
      assert.equal((await discoverProjects(folder)).length, 2);
      assert.deepEqual(await discoverProjects(folder, { depth: 1 }), [join(folder, "a.clf.yaml")]);
      assert.deepEqual(await discoverProjects(folder, { folders: 1 }), [join(folder, "a.clf.yaml")]);
    });
  });

  it("finds nothing in a folder that is not there", async () => {
    assert.deepEqual(await discoverProjects("/nowhere/at/all"), []);
  });
});
