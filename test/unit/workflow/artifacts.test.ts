import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadProject } from "../../../server/src/project/load.ts";
import { neededJobs } from "../../../server/src/workflow/artifacts.ts";
import { readData } from "../../../server/src/workflow/data.ts";
import { prepareJob } from "../../../server/src/workflow/prepare.ts";
import { openSession, type Session } from "../../../server/src/workflow/session.ts";

const PROJECT = `version: 1
dataset: { source: data.csv }
task: { inputs: [text], targets: [{ column: label }] }
models: { m: { engine: linear } }
`;

describe("jobs that retention must not take", () => {
  let folder: string;
  const sessions: Session[] = [];

  before(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "clf-needed-")));
    writeFileSync(join(folder, "data.csv"), "text,label\none apple,x\ntwo bears,y\nthree cars,x\nfour dogs,y\n");
    for (const name of ["one", "two"]) {
      writeFileSync(join(folder, `${name}.clf.yaml`), PROJECT);
      sessions.push(openSession((await loadProject(join(folder, `${name}.clf.yaml`))).project!));
    }
  });
  after(async () => {
    for (const session of sessions) await session.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("are those of the other projects of the folder", async () => {
    const [one, two] = sessions as [Session, Session];
    const data = await readData(two);
    const { id } = await two.jobs.store.create("m", (making) =>
      prepareJob(two, data, { kind: "fine-tune", models: ["m"] }, making),
    );
    assert.deepEqual([...(await neededJobs(one))], [id]);
    assert.deepEqual([...(await neededJobs(two))], []);
  });
});
