/** A job as tests and benches make it: one input `text`, one target `label`; what matters to them is given. */
import type { Job } from "../../schemas/job.ts";
import { Confidence } from "../../schemas/project.ts";

export function madeJob({ data, ...given }: Partial<Omit<Job, "data">> & { data?: Partial<Job["data"]> }): Job {
  return {
    contract: 1,
    id: "20261122-0000-made-00000000",
    kind: "evaluate",
    project: { name: "made", file: "/made.clf.yaml" },
    models: [],
    host: { name: "local", kind: "local" },
    task: {
      inputs: [{ column: "text", name: "text" }],
      targets: [madeTarget("label", ["good", "bad"])],
    },
    data: {
      fingerprint: "0",
      rows: {},
      decisions: 0,
      sampling: { left_out: 0, dropped_labels: {}, applied: "train" },
      validation: true,
      grouped: false,
      ...data,
    },
    confidence: Confidence.parse({}),
    seed: 1,
    created: "2026-11-22T00:00:00Z",
    versions: {},
    options: {},
    ...given,
  };
}

export const madeTarget = (name: string, labels: readonly string[]): Job["task"]["targets"][number] => ({
  name,
  column: name,
  labels: labels.map((label) => ({ name: label })),
});
