/** What a job was made from, line by line, and what differs between two jobs. */
import type { Job, JobModel } from "../../../schemas/job.ts";
import type { JobChange, JobFact } from "../../../schemas/jobPanel.ts";

/** A fact as it is compared. `items`: a list, of which what came and what left is said. */
interface Fact extends JobFact {
  items?: string[];
}

/** Characters of a value that are shown. */
const LONGEST = 600;
/** Items of a list that are named; more are counted. */
const MOST_ITEMS = 12;

/** Everything that decides what the job does: models, task, data, confidence, and how it is run. */
export function jobFacts(job: Job): JobFact[] {
  return factsOf(job).map(({ section, name, value, items }) => ({
    section,
    name,
    value: items ? counted(items) : cut(value),
  }));
}

/** In the order of the later job's facts; what it lacks comes last. */
export function jobChanges(before: Job, after: Job): JobChange[] {
  const key = ({ section, name }: JobFact) => JSON.stringify([section, name]);
  const old = new Map(factsOf(before).map((fact) => [key(fact), fact]));
  const changes: JobChange[] = [];
  for (const fact of factsOf(after)) {
    const was = old.get(key(fact));
    old.delete(key(fact));
    if (was?.value !== fact.value) changes.push(change(was, fact));
  }
  for (const was of old.values()) changes.push(change(was, undefined));
  return changes;
}

function change(was: Fact | undefined, is: Fact | undefined): JobChange {
  const { section, name } = (is ?? was)!;
  if (was?.items && is?.items) {
    const left = was.items.filter((item) => !is.items!.includes(item));
    const came = is.items.filter((item) => !was.items!.includes(item));
    // The same items in another order are another fact: label order decides ties.
    if (left.length > 0 || came.length > 0) {
      const said = (items: string[]) => (items.length === 0 ? null : counted(items));
      return { section, name, before: said(left), after: said(came), list: true };
    }
  }
  const said = (fact: Fact | undefined) => (fact === undefined ? null : cut(fact.value));
  return { section, name, before: said(was), after: said(is), list: false };
}

function factsOf(job: Job): Fact[] {
  const { task, data, host, confidence, seed, versions, options } = job;
  const facts: Fact[] = [];
  for (const model of job.models) {
    stageFacts(facts, `Model ${model.name}`, model);
    for (const stage of model.stages ?? []) stageFacts(facts, `Model ${model.name}, stage ${stage.name}`, stage);
  }
  add(facts, "Task", "instructions", task.instructions);
  const inputs = task.inputs.map(({ name, column }) => (name === column ? name : `${name}: ${column}`));
  addList(facts, "Task", "inputs", inputs);
  for (const target of task.targets) {
    const of = (what: string) => (task.targets.length > 1 ? `${what} of ${target.name}` : what);
    add(facts, "Task", of("target column"), target.column);
    addList(
      facts,
      "Task",
      of("labels"),
      target.labels.map(({ name }) => name),
    );
    for (const { name, description, aliases } of target.labels) {
      add(facts, "Task", of(`description of ${name}`), description);
      add(facts, "Task", of(`aliases of ${name}`), aliases?.length ? aliases : undefined);
    }
    add(facts, "Task", of("never accepted"), target.never?.length ? target.never : undefined);
    add(facts, "Task", of("risk"), target.risk);
  }
  add(facts, "Data", "fingerprint", data.fingerprint);
  for (const [split, rows] of Object.entries(data.rows)) {
    if (rows > 0) add(facts, "Data", `${split} rows`, rows.toLocaleString("en-US"));
  }
  add(facts, "Data", "rows with a decision", data.decisions.toLocaleString("en-US"));
  add(facts, "Data", "left out by sampling", data.sampling.left_out.toLocaleString("en-US"));
  for (const [target, labels] of Object.entries(data.sampling.dropped_labels)) {
    if (labels.length > 0) addList(facts, "Data", `labels of ${target} dropped from train`, labels);
  }
  add(facts, "Data", "grouped", data.grouped);
  add(facts, "Confidence", "", confidence);
  add(facts, "Run", "host", host.name);
  add(facts, "Run", "price per hour", host.price_per_hour);
  add(facts, "Run", "seed", seed);
  // The uses of validation rows are bookkeeping, not what was asked for.
  const { uses: _, ...asked } = options;
  add(facts, "Run", "", asked);
  add(facts, "Run", "version", versions);
  return facts;
}

function stageFacts(
  facts: Fact[],
  section: string,
  { spec, artifact, source, endpoint, template, shots, predictions }: Omit<JobModel, "stages">,
): void {
  add(facts, section, "", spec);
  add(facts, section, "fine-tune used", artifact?.job);
  add(facts, section, "predictions from", source && `${source.name} (SHA-256 ${source.sha256.slice(0, 12)})`);
  add(facts, section, "predictions of job", predictions?.job);
  if (endpoint) {
    add(facts, section, "address", endpoint.base_url);
    add(facts, section, "price", endpoint.price);
  }
  add(facts, section, "template", template);
  if (shots) {
    addList(
      facts,
      section,
      "examples in the prompt",
      shots.map(({ row }) => row),
    );
  }
}

/** Adds a list, of which what came and what left is said. */
function addList(facts: Fact[], section: string, name: string, items: string[]): void {
  facts.push({ section, name, value: JSON.stringify(items), items });
}

/** Adds a value: objects by their dotted names, everything else as text. What is not there is no fact. */
function add(facts: Fact[], section: string, name: string, value: unknown): void {
  if (value === undefined || value === null) return;
  if (Array.isArray(value)) facts.push({ section, name, value: value.map(textOf).join(", ") });
  else if (typeof value === "object") {
    for (const [key, inner] of Object.entries(value)) {
      add(facts, section, name === "" ? key : `${name}.${key}`, inner);
    }
  } else facts.push({ section, name, value: textOf(value) });
}

function textOf(value: unknown): string {
  if (value === true) return "yes";
  if (value === false) return "no";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const cut = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

function counted(items: readonly string[]): string {
  const named = items.slice(0, MOST_ITEMS).join(", ");
  return cut(items.length > MOST_ITEMS ? `${named} and ${items.length - MOST_ITEMS} more` : named);
}
