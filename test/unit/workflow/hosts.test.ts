/** What a job of this machine waits for. */
import assert from "node:assert/strict";
import { Model } from "../../../schemas/project.ts";
import { GPU_LOCK } from "../../../server/src/jobs/hosts/host.ts";
import { localLock } from "../../../server/src/workflow/hosts.ts";

describe("the GPU's lock on this machine", () => {
  const stage = (name: string, engine: Record<string, unknown>) => ({
    name,
    spec: Model.parse(engine),
    training_spec: "0".repeat(64),
  });
  const linear = stage("linear", { engine: "linear" });
  const tuned = stage("tuned", { engine: "qlora", base: "b" });
  const both = stage("both", { engine: "cascade", stages: ["linear", "tuned"] });

  it("is held by jobs with a model of engine qlora, and by no others", () => {
    assert.deepEqual(localLock([linear, tuned]), { lock: GPU_LOCK });
    assert.deepEqual(localLock([linear]), {});
  });

  it("is held by a cascade whose stage runs, not where that stage's predictions are copied", () => {
    assert.deepEqual(localLock([{ ...both, stages: [linear, tuned] }]), { lock: GPU_LOCK });
    const copied = { ...tuned, predictions: { path: "p", job: "j" } };
    assert.deepEqual(localLock([{ ...both, stages: [linear, copied] }]), {});
  });
});
