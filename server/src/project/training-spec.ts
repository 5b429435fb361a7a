/** Tells whether a fine-tuned model still is what the project file asks for. */
import { createHash } from "node:crypto";
import type { Model } from "../../../schemas/project.ts";
import type { Project } from "./project.ts";

/** Engines whose models read the instructions and the labels' descriptions. */
const PROMPTED = new Set<Model["engine"]>(["chat", "openai", "qlora"]);

/** Settings of a model that say where it runs, what it may cost and how its score is taken, but not what it learns. */
const NOT_TRAINING = new Set(["host", "confidence", "budget", "timeout", "batch"]);

/**
 * SHA-256 (hex) of all in the project that decides what a fine-tune of the model would give, the data apart: its settings,
 * inputs, targets with their labels, instructions where its engine reads them, sampling and splits. A default written out
 * gives the same as one left out. Of a cascade: that of its stages.
 *
 * @throws RangeError when the project has no model of that name.
 */
export function trainingSpecHash(project: Project, modelName: string): string {
  return createHash("sha256")
    .update(canonicalJson(trainingSpec(project, modelName)))
    .digest("hex");
}

function trainingSpec(project: Project, modelName: string): unknown {
  const { spec } = project;
  const model = Object.hasOwn(spec.models, modelName) ? spec.models[modelName] : undefined;
  if (!model) throw new RangeError(`There is no model "${modelName}" in ${project.file}.`);
  if (model.engine === "cascade") {
    return { engine: "cascade", stages: model.stages.map((stage) => trainingSpec(project, stage)) };
  }
  const prompted = PROMPTED.has(model.engine);
  const { tune, seed, column } = spec.dataset.split;
  return {
    model: Object.fromEntries(Object.entries(model).filter(([key]) => !NOT_TRAINING.has(key))),
    instructions: prompted ? spec.task.instructions : undefined,
    inputs: project.inputs,
    targets: project.targets.map(({ column, name, labels }) => ({
      column,
      name,
      labels: labels?.map((label) => ({
        name: label.name,
        aliases: label.aliases?.length ? label.aliases : undefined,
        description: prompted ? label.description : undefined,
      })),
    })),
    sampling: spec.dataset.sampling,
    split: { shares: project.shares, tune, seed, column },
    group: spec.dataset.group,
  };
}

/** JSON with sorted keys and no spaces; keys without a value are left out. Equal values give equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}
