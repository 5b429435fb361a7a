/**
 * What a schema cannot say of a project file: sums, references, clashes, settings that do not fit together, keys that do
 * not belong in a file. Pure: files other than the project file are looked at in `files.ts`.
 */

import type { Problem } from "../../../schemas/problem.ts";
import type { Model, ProjectFile } from "../../../schemas/project.ts";
import { RUNNABLE_ENGINES, RUNNABLE_HOSTS } from "./engines.ts";
import type { Label } from "./project.ts";
import { DEFAULT_ACCEPT } from "./resolve.ts";
import { child, valueAt } from "./schema.ts";
import { SHARE_RULE, SHARE_TOLERANCE, splitShares } from "./split.ts";
import { choices, closest, didYouMean } from "./suggest.ts";
import { LIMITS, markAt, type Path, type YamlFile } from "./yaml.ts";

/** A target's labels and the file and path they stand at: the project file, or the labels file that it names. */
export interface PlacedLabels {
  file: YamlFile;
  path: Path;
  labels: readonly Label[];
}

/** What is checked. */
export interface Checked {
  yaml: YamlFile;
  /** The content with defaults; faulty parts left out. */
  spec: ProjectFile;
  /** Places of the parts left out: nothing is said of what depends on them. */
  removed: readonly Path[];
  /** The labels of each target that has a list, by the target's index. */
  labels: ReadonlyMap<number, PlacedLabels>;
}

/** All checks, in the order of the file's sections. */
export function checkProject(checked: Checked): Problem[] {
  const found = new Findings(checked);
  checkSplit(checked, found);
  checkSampling(checked, found);
  checkColumns(checked, found);
  checkLabels(checked, found);
  checkModels(checked, found);
  checkEndpoints(checked, found);
  checkHosts(checked, found);
  checkAccept(checked, found);
  checkReview(checked, found);
  return found.problems;
}

class Findings {
  readonly problems: Problem[] = [];
  private readonly checked: Checked;

  constructor(checked: Checked) {
    this.checked = checked;
  }

  add(
    severity: Problem["severity"],
    code: string,
    path: Path,
    message: string,
    more: { part?: "key" | "value"; suggestions?: string[]; file?: YamlFile } = {},
  ): void {
    if (this.problems.length >= LIMITS.problems) return;
    const file = more.file ?? this.checked.yaml;
    const problem: Problem = {
      severity,
      code,
      message,
      file: file.file,
      range: markAt(file, path, more.part ?? "value"),
    };
    if (more.suggestions?.length) problem.suggestions = more.suggestions;
    this.problems.push(problem);
  }

  /** Whether nothing at or below `path` was left out. */
  intact(...path: Path): boolean {
    return this.checked.removed.every((gone) => gone.length < path.length || path.some((step, i) => gone[i] !== step));
  }

  /** A reference to a name that must exist. Names of faulty entries count as existing. */
  reference(path: Path, name: string, what: string, known: readonly string[]): boolean {
    if (known.includes(name)) return true;
    const suggestions = closest(name, known);
    const hint = suggestions.length ? didYouMean(suggestions) : choices(known) || ` There is none: add it.`;
    this.add("error", `unknown-${what}`, path, `There is no ${what} "${name}".${hint}`, { suggestions });
    return false;
  }
}

/** The names of a section's entries as they stand in the file, faulty ones included. */
function namesIn(checked: Checked, section: "models" | "endpoints" | "hosts"): string[] {
  const written = child(checked.yaml.value, section);
  const names = new Set(Object.keys(checked.spec[section]));
  if (typeof written === "object" && written !== null && !Array.isArray(written)) {
    for (const name of Object.keys(written)) names.add(name);
  }
  return [...names];
}

function checkSplit({ yaml, spec }: Checked, found: Findings): void {
  if (!found.intact("dataset", "split") || !found.intact("dataset", "source")) return;
  const { split, source } = spec.dataset;
  const at = ["dataset", "split"] as const;
  const given = (["train", "validation", "test"] as const).filter((name) => split[name] !== undefined);
  const files = typeof source === "object" && !Array.isArray(source) ? source : undefined;

  if (split.column !== undefined) {
    for (const name of given) {
      const message = `"${name}" does nothing here: "column" says each row's split. Remove one of the two.`;
      found.add("error", "split-column-and-shares", [...at, name], message, { part: "key" });
    }
    if (files?.validation !== undefined || files?.test !== undefined) {
      const message = `"column" does nothing here: "source" names a file for each split. Remove one of the two.`;
      found.add("error", "split-column-and-files", [...at, "column"], message, { part: "key" });
    }
    return;
  }
  for (const name of ["validation", "test"] as const) {
    if (files?.[name] !== undefined && split[name] !== undefined) {
      const message = `This share is not used: "source" names a file for ${name}. Remove it.`;
      found.add("information", "unused-share", [...at, name], message, { part: "key" });
    }
  }
  const scaled = files?.validation !== undefined || files?.test !== undefined;
  const sum = given.reduce((total, name) => total + split[name]!, 0);
  const round = (share: number) => Math.round(share * 1000) / 1000;
  if (!scaled && given.length === 3 && Math.abs(sum - 1) > SHARE_TOLERANCE) {
    const message = `The shares train, validation and test sum to ${round(sum)}; they must sum to 1. Change one of them.`;
    found.add("error", "split-sum", at, message);
  } else if (!scaled && sum > 1 + SHARE_TOLERANCE) {
    found.add("error", "split-sum", at, `The shares sum to ${round(sum)}, more than 1. Lower them. ${SHARE_RULE}`);
  } else {
    const shares = splitShares(spec.dataset);
    if (!(shares.train > 0)) {
      found.add("error", "split-no-train", at, `No rows are left for train. Lower the other shares. ${SHARE_RULE}`);
    } else if (shares.validation < 0 || shares.test < 0) {
      found.add("error", "split-sum", at, `The shares leave less than nothing for a split. ${SHARE_RULE}`);
    } else if (shares.test === 0 && files?.test === undefined) {
      const message = "No rows are left for test, so nothing can be reported. Give test a share, for example 0.2.";
      found.add(
        "warning",
        "split-no-test",
        valueAt(yaml.value, [...at, "test"]) === undefined ? at : [...at, "test"],
        message,
      );
    }
    const calibrates = shares.validation > 0 || files?.validation !== undefined;
    const model = spec.models[spec.review.model ?? ""];
    if (!calibrates && model && model.engine !== "linear" && !("folds" in model && model.folds)) {
      const name = spec.review.model;
      const message = `Without validation rows "${name}" cannot be calibrated: only engine "linear" has out-of-fold scores. Give validation a share.`;
      found.add("warning", "split-no-validation", [...at, "validation"], message);
    }
  }
}

function checkSampling({ spec }: Checked, found: Findings): void {
  if (!found.intact("dataset", "sampling")) return;
  const { sampling } = spec.dataset;
  const at = ["dataset", "sampling"] as const;
  const owners = { labels: "balanced", per_label: "balanced", max_ratio: "undersample" } as const;
  for (const [field, strategy] of Object.entries(owners) as [keyof typeof owners, string][]) {
    if (sampling[field] === undefined || sampling.strategy === strategy) continue;
    const message = `"${field}" belongs to strategy "${strategy}"; this is "${sampling.strategy}". Remove it, or change the strategy.`;
    found.add("error", "sampling-field", [...at, field], message, { part: "key" });
  }
  if (sampling.strategy === "undersample" && sampling.max_ratio === undefined) {
    const message = `Strategy "undersample" needs "max_ratio". For example: max_ratio: 5`;
    found.add("error", "sampling-field", [...at, "strategy"], message);
  }
  if (sampling.target !== undefined && found.intact("task", "targets")) {
    found.reference([...at, "target"], sampling.target, "target", targetNames(spec));
  }
}

/** The names by which a target may be called: its name, else its column. */
function targetNames(spec: ProjectFile): string[] {
  return [...new Set(spec.task.targets.flatMap((target) => [target.name ?? target.column, target.column]))];
}

/** Rows hold texts and labels by these names, as objects: this one is no key of an object. */
function reservedName(name: string, at: Path, found: Findings): void {
  if (name !== "__proto__") return;
  found.add("error", "reserved-name", at, `"__proto__" cannot be used as a name. Give the column another "name".`);
}

function checkColumns({ spec }: Checked, found: Findings): void {
  const { inputs, targets } = spec.task;
  const targetColumns = new Map<string, number>();
  const targetNames = new Map<string, number>();
  targets.forEach((target, index) => {
    const at = ["task", "targets", index] as const;
    const name = target.name ?? target.column;
    if (targetColumns.has(target.column)) {
      const message = `Column "${target.column}" is a target twice: it is also target ${targetColumns.get(target.column)! + 1}. Remove one.`;
      found.add("error", "duplicate-target", [...at, "column"], message);
    } else if (targetNames.has(name)) {
      const message = `Two targets are called "${name}". Give one of them another "name".`;
      found.add("error", "duplicate-target", [...at, target.name === undefined ? "column" : "name"], message);
    }
    reservedName(name, [...at, target.name === undefined ? "column" : "name"], found);
    if (!targetColumns.has(target.column)) targetColumns.set(target.column, index);
    targetNames.set(name, index);
  });

  const inputColumns = new Set<string>();
  const inputNames = new Set<string>();
  inputs.forEach((input, index) => {
    const at: Path = ["task", "inputs", index];
    const column = typeof input === "string" ? input : input.column;
    const name = typeof input === "string" ? input : (input.name ?? input.column);
    const columnAt = typeof input === "string" ? at : [...at, "column"];
    if (targetColumns.has(column)) {
      const message = `Column "${column}" is a target too: the model would read the answer. Remove it from the inputs.`;
      found.add("error", "input-is-target", columnAt, message);
    } else if (inputColumns.has(column)) {
      found.add("error", "duplicate-input", columnAt, `Column "${column}" is an input twice. Remove one.`);
    } else if (inputNames.has(name)) {
      const message = `Two inputs are called "${name}". Give one of them another "name".`;
      found.add(
        "error",
        "duplicate-input",
        typeof input === "string" || !input.name ? columnAt : [...at, "name"],
        message,
      );
    }
    reservedName(name, typeof input === "string" || !input.name ? columnAt : [...at, "name"], found);
    if (column === spec.dataset.split.column) {
      const message = `Column "${column}" names the splits: the model should not read it. Remove it from the inputs.`;
      found.add("warning", "input-is-split", columnAt, message);
    }
    if (column === spec.dataset.id) {
      const message = `Column "${column}" is the row id: it tells the model nothing of new rows. Remove it from the inputs.`;
      found.add("warning", "input-is-id", columnAt, message);
    }
    inputColumns.add(column);
    inputNames.add(name);
  });

  for (const field of ["id", "group"] as const) {
    const column = spec.dataset[field];
    if (column !== undefined && targetColumns.has(column)) {
      const message = `Column "${column}" is a target and cannot be the ${field} as well. Name another column.`;
      found.add("error", `${field}-is-target`, ["dataset", field], message);
    }
  }
  const splitColumn = spec.dataset.split.column;
  if (splitColumn !== undefined && targetColumns.has(splitColumn)) {
    const message = `Column "${splitColumn}" is a target and cannot name the splits as well. Name another column.`;
    found.add("error", "split-is-target", ["dataset", "split", "column"], message);
  }
}

function checkLabels({ spec, labels }: Checked, found: Findings): void {
  spec.task.targets.forEach((target, index) => {
    const at = ["task", "targets", index] as const;
    const placed = labels.get(index);
    if (placed) checkLabelList(placed, found);

    const names = placed?.labels.map((label) => label.name);
    const check = (path: Path, label: string, part: "key" | "value") => {
      if (!names || names.includes(label)) return;
      const alias = placed!.labels.find((known) => known.aliases?.includes(label));
      const suggestions = alias ? [alias.name] : closest(label, names);
      const hint = alias
        ? ` It is an alias of "${alias.name}": write that.`
        : didYouMean(suggestions) || choices(names);
      const message = `"${label}" is not among the labels of "${target.name ?? target.column}".${hint}`;
      found.add("error", "unknown-label", path, message, { part, suggestions });
    };
    for (const [i, label] of (target.never ?? []).entries()) check([...at, "never", i], label, "value");
    for (const [label, risk] of Object.entries(target.risk ?? {})) {
      const path = [...at, "risk", label];
      check(path, label, "key");
      const { threshold, risk: general = DEFAULT_ACCEPT.risk } = spec.confidence.accept;
      if (!found.intact("confidence", "accept")) continue;
      if (threshold !== undefined) {
        const message = `A risk for one label needs an accept rule with "risk"; this project has a plain threshold. Remove it, or replace the threshold.`;
        found.add("error", "risk-without-rule", path, message, { part: "key" });
      } else if (risk > general) {
        const message = `The risk of "${label}" may only be stricter than the accept rule's ${general}; it is ${risk}. Lower it.`;
        found.add("error", "risk-not-stricter", path, message);
      }
    }
  });
}

function checkLabelList({ file, path, labels }: PlacedLabels, found: Findings): void {
  const line = (at: Path) => markAt(file, at).start.line + 1;
  const nameAt = (index: number): Path => {
    const at = [...path, index];
    return typeof valueAt(file.value, at) === "object" ? [...at, "name"] : at;
  };
  const names = new Map<string, number>();
  const folded = new Map<string, number>();
  labels.forEach(({ name }, index) => {
    const same = names.get(name);
    const alike = folded.get(fold(name));
    if (same !== undefined) {
      const message = `Label "${name}" stands here twice: it is also on line ${line(nameAt(same))}. Remove one.`;
      found.add("error", "duplicate-label", nameAt(index), message, { file });
    } else if (alike !== undefined) {
      const other = labels[alike]!.name;
      const message = `Label "${name}" differs from "${other}" (line ${line(nameAt(alike))}) only in case or spaces. If they mean the same, keep one and make the other its alias.`;
      found.add("warning", "similar-label", nameAt(index), message, { file });
    }
    if (name !== name.trim()) {
      const message = `Label "${name}" begins or ends with a space. Remove it, unless the data has it too.`;
      found.add("warning", "label-spaces", nameAt(index), message, {
        file,
        suggestions: [JSON.stringify(name.trim())],
      });
    }
    if (same === undefined) names.set(name, index);
    if (alike === undefined) folded.set(fold(name), index);
  });

  const aliases = new Map<string, number>();
  labels.forEach(({ name, aliases: own = [] }, index) => {
    own.forEach((alias, i) => {
      const at = [...path, index, "aliases", i];
      const owner = names.get(alias);
      const earlier = aliases.get(alias);
      if (owner === index) {
        found.add("warning", "alias-clash", at, `"${alias}" is the label itself, so no alias is needed. Remove it.`, {
          file,
        });
      } else if (owner !== undefined) {
        const message = `"${alias}" is a label of its own (line ${line(nameAt(owner))}) and cannot be an alias of "${name}". Remove one of the two.`;
        found.add("error", "alias-clash", at, message, { file });
      } else if (earlier === index) {
        found.add("warning", "alias-clash", at, `"${alias}" is an alias of "${name}" twice. Remove one.`, { file });
      } else if (earlier !== undefined) {
        const message = `"${alias}" is an alias of "${labels[earlier]!.name}" already and cannot mean "${name}" too. Remove one of the two.`;
        found.add("error", "alias-clash", at, message, { file });
      } else {
        aliases.set(alias, index);
      }
    });
  });
}

const fold = (label: string) => label.normalize("NFKC").toLowerCase().replace(/\s+/g, " ").trim();

function checkModels(checked: Checked, found: Findings): void {
  const { spec } = checked;
  const models = namesIn(checked, "models");
  for (const [name, model] of Object.entries(spec.models)) {
    const at = ["models", name] as const;
    if (!RUNNABLE_ENGINES.includes(model.engine)) {
      const message = `Engine "${model.engine}" is checked but not run by this version of Clf. Runs now: ${RUNNABLE_ENGINES.join(", ")}.`;
      found.add("information", "engine-not-run", [...at, "engine"], message);
    }
    if (!found.intact(...at)) continue;
    switch (model.engine) {
      case "linear":
        checkNgrams(at, model, found);
        break;
      case "chat":
        checkEndpointName(checked, [...at, "endpoint"], model.endpoint, found);
        checkPrompt(checked, name, model, models, found);
        break;
      case "openai":
        checkEndpointName(checked, [...at, "endpoint"], model.endpoint, found);
        break;
      case "qlora":
        if (model.host !== undefined) {
          found.reference([...at, "host"], model.host, "host", ["local", ...namesIn(checked, "hosts")]);
        }
        break;
      case "predictions":
        checkPredictions(checked, at, model, found);
        break;
      case "cascade":
        checkStages(checked, name, model, models, found);
        break;
    }
  }
}

type ModelOf<E extends Model["engine"]> = Extract<Model, { engine: E }>;

function checkNgrams(at: Path, model: ModelOf<"linear">, found: Findings): void {
  for (const field of ["word_ngrams", "char_ngrams"] as const) {
    const [shortest, longest] = model[field];
    if (shortest <= longest) continue;
    const message = `"${field}" is shortest, then longest: ${shortest} is over ${longest}. Write [${longest}, ${shortest}].`;
    found.add("error", "ngrams-order", [...at, field], message);
  }
}

function checkEndpointName(checked: Checked, path: Path, name: string, found: Findings): void {
  const known = namesIn(checked, "endpoints");
  // OpenAI's own needs no settings, so it need not be declared.
  found.reference(path, name, "endpoint", known.includes("openai") ? known : [...known, "openai"]);
}

function checkPrompt(checked: Checked, name: string, model: ModelOf<"chat">, models: string[], found: Findings): void {
  const { shots, style } = model.prompt;
  if (!shots) return;
  const at = ["models", name, "prompt", "shots"] as const;
  if (style === "zero-shot") {
    const message = `"shots" does nothing in a zero-shot prompt. Remove it, or write style: few-shot.`;
    found.add("error", "shots-unused", at, message, { part: "key" });
  }
  const fields = { count: ["random", "similar"], labels_per_target: ["targeted"], after: ["targeted"] } as const;
  for (const [field, strategies] of Object.entries(fields) as [keyof typeof fields, readonly string[]][]) {
    if (valueAt(checked.yaml.value, [...at, field]) === undefined || strategies.includes(shots.strategy)) continue;
    const owners = strategies.map((strategy) => `"${strategy}"`).join(" or ");
    const message = `"${field}" belongs to strategy ${owners}; this is "${shots.strategy}". Remove it, or change the strategy.`;
    found.add("error", "shots-field", [...at, field], message, { part: "key" });
  }
  if (shots.strategy !== "targeted") return;
  if (shots.after === undefined) {
    const message = `Targeted shots need "after": the zero-shot model whose errors choose the labels. For example: after: zero-shot`;
    found.add("error", "shots-after", at, message);
    return;
  }
  const path = [...at, "after"];
  if (shots.after === name) {
    found.add(
      "error",
      "shots-after",
      path,
      `"${name}" cannot choose its shots by its own errors. Name a zero-shot model.`,
    );
    return;
  }
  if (!found.reference(path, shots.after, "model", without(models, name))) return;
  const after = child(checked.spec.models, shots.after) as Model | undefined;
  if (after && (after.engine !== "chat" || after.prompt.style !== "zero-shot")) {
    const message = `"${shots.after}" is not a zero-shot chat model. Name one whose prompt has style: zero-shot.`;
    found.add("error", "shots-after", path, message);
  }
}

const without = (names: readonly string[], name: string) => names.filter((other) => other !== name);

function checkPredictions(checked: Checked, at: Path, model: ModelOf<"predictions">, found: Findings): void {
  for (const [target, columns] of Object.entries(model.targets ?? {})) {
    const path = [...at, "targets", target];
    if (found.intact("task", "targets")) {
      const known = targetNames(checked.spec);
      if (!known.includes(target)) {
        const suggestions = closest(target, known);
        const message = `There is no target "${target}".${didYouMean(suggestions) || choices(known)}`;
        found.add("error", "unknown-target", path, message, { part: "key", suggestions });
      }
    }
    if (columns.probabilities && columns.logits) {
      const message = `Give either "probabilities" or "logits" of "${target}", not both. Remove one.`;
      found.add("error", "predictions-columns", [...path, "logits"], message, { part: "key" });
    } else if (columns.probability && (columns.probabilities || columns.logits)) {
      const message = `"probability" does nothing beside a column a label. Remove it.`;
      found.add("error", "predictions-columns", [...path, "probability"], message, { part: "key" });
    } else if (!columns.label && !columns.probabilities && !columns.logits) {
      const message = `Say which column holds the predicted label of "${target}": add "label", "probabilities" or "logits".`;
      found.add("error", "predictions-columns", path, message, { part: "key" });
    }
    const index = checked.spec.task.targets.findIndex(({ name, column }) => name === target || column === target);
    const labels = checked.labels.get(index)?.labels;
    for (const kind of ["probabilities", "logits"] as const) {
      for (const label of labels ? Object.keys(columns[kind] ?? {}) : []) {
        if (labels!.some(({ name, aliases }) => name === label || aliases?.includes(label))) continue;
        const names = labels!.map(({ name }) => name);
        const suggestions = closest(label, names);
        const message = `"${label}" is not among the labels of "${target}".${didYouMean(suggestions) || choices(names)}`;
        found.add("error", "unknown-label", [...path, kind, label], message, { part: "key", suggestions });
      }
    }
  }
}

function checkStages(
  checked: Checked,
  name: string,
  model: ModelOf<"cascade">,
  models: string[],
  found: Findings,
): void {
  if (model.agree && model.take !== undefined) {
    const message = "With `agree` every stage sees every row, and none takes any. Remove `take` or `agree`.";
    found.add("error", "cascade-stages", ["models", name, "take"], message);
  }
  model.stages.forEach((stage, index) => {
    const path = ["models", name, "stages", index];
    if (stage === name) {
      found.add("error", "cascade-stages", path, `"${name}" cannot be a stage of itself. Remove it.`);
    } else if (model.stages.indexOf(stage) < index) {
      found.add("error", "cascade-stages", path, `"${stage}" is a stage twice. Remove one.`);
    } else if (found.reference(path, stage, "model", without(models, name))) {
      const engine = (child(checked.spec.models, stage) as Model | undefined)?.engine;
      if (engine === "cascade") {
        const message = `"${stage}" is a cascade itself. Write its stages out here instead.`;
        found.add("error", "cascade-stages", path, message);
      }
    }
  });
}

function checkEndpoints(checked: Checked, found: Findings): void {
  const used = new Set<string>();
  for (const model of Object.values(checked.spec.models)) if ("endpoint" in model) used.add(model.endpoint);
  for (const [name, endpoint] of Object.entries(checked.spec.endpoints)) {
    const at = ["endpoints", name] as const;
    if (!used.has(name) && found.intact("models")) {
      const message = `No model uses the endpoint "${name}". Remove it, or name it in a model's "endpoint".`;
      found.add("information", "unused-endpoint", at, message, { part: "key" });
    }
    if (!found.intact(...at)) continue;
    if (endpoint.base_url === undefined) {
      if (name === "openai") continue;
      const message = `"${name}" has no "base_url", so requests go to OpenAI. Add it if that is not meant.`;
      found.add("warning", "endpoint-address", at, message, { part: "key" });
      continue;
    }
    const url = new URL(endpoint.base_url);
    if (url.username || url.password) {
      const message = `A user name or password in an address is a secret. Remove it, and name an environment variable in "key".`;
      found.add("error", "secret-in-file", [...at, "base_url"], message);
    } else if (url.protocol === "http:" && endpoint.key && !isLoopback(url.hostname)) {
      const message = `The key would travel unencrypted to ${url.host}. Use https, or a tunnel to localhost.`;
      found.add("warning", "endpoint-unencrypted", [...at, "base_url"], message);
    }
  }
}

/** Whether a URL's host name is this machine's own. */
export const isLoopback = (host: string): boolean => host === "localhost" || host === "[::1]" || /^127\./.test(host);

function checkHosts(checked: Checked, found: Findings): void {
  const used = new Set<string>();
  for (const model of Object.values(checked.spec.models)) if ("host" in model && model.host) used.add(model.host);
  for (const [name, host] of Object.entries(checked.spec.hosts)) {
    const at = ["hosts", name] as const;
    if (name === "local") {
      const message = `"local" always means this machine. Give this host another name.`;
      found.add("error", "reserved-name", at, message, { part: "key" });
    } else if (!used.has(name) && found.intact("models")) {
      const message = `No model uses the host "${name}". Remove it, or name it in a model's "host".`;
      found.add("information", "unused-host", at, message, { part: "key" });
    }
    if (!RUNNABLE_HOSTS.includes(host.kind)) {
      const message = `Hosts of kind "${host.kind}" are checked but not used by this version of Clf. Jobs run on: ${["local", ...RUNNABLE_HOSTS].join(", ")}.`;
      found.add("information", "host-not-run", [...at, "kind"], message);
    }
  }
}

function checkAccept({ spec }: Checked, found: Findings): void {
  if (!found.intact("confidence", "accept")) return;
  const { accept } = spec.confidence;
  if (accept.threshold === undefined) return;
  for (const field of ["risk", "certainty"] as const) {
    if (accept[field] === undefined) continue;
    const message = `"${field}" and "threshold" exclude each other: a plain threshold guarantees nothing. Remove one of the two.`;
    found.add("error", "threshold-and-risk", ["confidence", "accept", field], message, { part: "key" });
  }
}

function checkReview(checked: Checked, found: Findings): void {
  const { model } = checked.spec.review;
  if (model !== undefined && found.intact("review")) {
    found.reference(["review", "model"], model, "model", namesIn(checked, "models"));
  }
}
