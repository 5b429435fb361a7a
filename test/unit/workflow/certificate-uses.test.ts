/** The certainty of a promise is shared by all that were ever certified on the same validation rows. */
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobModel } from "../../../schemas/job.ts";
import { loadProject } from "../../../server/src/project/load.ts";
import { spendCertificateUses } from "../../../server/src/workflow/certificate-uses.ts";
import { openSession, type Session } from "../../../server/src/workflow/session.ts";

const project = (name: string) => `version: 1
name: ${name}
dataset: { source: data.csv }
task: { inputs: [text], targets: [{ column: label }] }
models: { m: { engine: linear }, other: { engine: linear, class_weight: balanced } }
`;

describe("uses of the validation rows", () => {
  let folder: string;
  let session: Session;

  const open = async (name: string): Promise<Session> =>
    openSession((await loadProject(join(folder, `${name}.clf.yaml`))).project!);
  const model = (name: string, artifact: string) =>
    ({ name, training_spec: "", artifact: { job: artifact, path: "" } }) as unknown as JobModel;
  const spend = async (...models: JobModel[]) => Object.values(await spendCertificateUses(session, models));

  beforeEach(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "clf-uses-")));
    writeFileSync(join(folder, "data.csv"), "text,label\na,x\nb,y\n");
    for (const name of ["p", "q"]) writeFileSync(join(folder, `${name}.clf.yaml`), project(name));
    session = await open("p");
  });
  afterEach(async () => {
    await session.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("are one for each artifact, however often it is evaluated", async () => {
    assert.deepEqual(await spend(model("m", "first")), [1]);
    assert.deepEqual(await spend(model("m", "first")), [1]);
    assert.deepEqual(await spend(model("m", "second")), [2]);
    assert.deepEqual(await spend(model("m", "second"), model("other", "third")), [3, 3]);
  });

  it("do not come back with the jobs that are deleted", async () => {
    await spend(model("m", "first"), model("other", "first"));
    rmSync(join(folder, ".clf", "jobs"), { recursive: true, force: true });
    assert.deepEqual(await spend(model("m", "second")), [3]);
  });

  it("are those of the project alone: projects of a folder share its .clf", async () => {
    await spend(model("m", "first"));
    const other = await open("q");
    assert.deepEqual(Object.values(await spendCertificateUses(other, [model("m", "first")])), [1]);
    await other.close();
  });

  it("count a damaged line as one, and leave it where it is", async () => {
    mkdirSync(join(folder, ".clf"));
    appendFileSync(join(folder, ".clf", "uses.jsonl"), '{"project":"p.cl\n');
    assert.deepEqual(await spend(model("m", "first")), [2]);
    assert.match(readFileSync(join(folder, ".clf", "uses.jsonl"), "utf8"), /^\{"project":"p\.cl\n\{/);
  });
});
