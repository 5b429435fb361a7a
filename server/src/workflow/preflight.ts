/** What a job will take, told before it starts. */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { rowInputs, rowLabel, SPLITS } from "../dataset/rows.ts";
import {
  A10G,
  describePreflight,
  estimateFineTune,
  estimatePrediction,
  type Machine,
  type Preflight,
  processors,
} from "../engines/qlora/preflight.ts";
import { modelSpec } from "./artifacts.ts";
import type { ProjectData } from "./data.ts";
import { ownBases } from "./hosts.ts";
import { hostName, type JobRequest } from "./prepare.ts";
import type { Session } from "./session.ts";
import { withStages } from "./start.ts";

/** Splits that a job predicts besides those it was asked for. */
const ASSESSED = ["tune", "validation", "test"];

export interface JobPreflight {
  /** Of all models together; null when it cannot be told. */
  seconds: number | null;
  dollars: number | null;
  /** Sentences for people. */
  summary: string;
}

/** Null for jobs that take seconds or have a summary of their own: engine `qlora` is what takes hours. */
export async function preflight(
  session: Session,
  data: ProjectData,
  request: JobRequest,
): Promise<JobPreflight | null> {
  const found: { estimate: Preflight; summary: string }[] = [];
  for (const model of new Set(request.models.flatMap((name) => withStages(session, name)))) {
    const spec = modelSpec(session, model);
    if (spec.engine !== "qlora") continue;
    const machine = machineOf(session, request.host ?? spec.host ?? "local");
    const assessed = request.kind === "evaluate" || request.kind === "compare" ? ASSESSED : [];
    const splits = new Set<string>([...assessed, ...(request.splits ?? [])]);
    const estimate =
      request.kind === "fine-tune"
        ? estimateFineTune(spec, lengths(session, data, new Set(["train"]), true), machine)
        : estimatePrediction(spec, lengths(session, data, splits, false), labelLengths(data), machine);
    found.push({ estimate, summary: describePreflight(model, estimate, machine) });
  }
  if (found.length === 0) return null;
  const brought = await describeBrought(session, request);
  const sum = (key: "seconds" | "dollars") =>
    found.reduce<number | null>((all, { estimate }) => {
      const one = estimate[key];
      return all === null || one === null ? null : all + one;
    }, 0);
  return {
    seconds: sum("seconds"),
    dollars: sum("dollars"),
    summary: [...found.map(({ summary }) => summary), ...brought].join(" "),
  };
}

/** Bases of the project's folder that a host elsewhere gets first, a sentence each: they may take longer than the job. */
async function describeBrought({ project }: Session, request: JobRequest): Promise<string[]> {
  const host = hostName(project, request);
  if (host === "local") return [];
  const models = request.models.map((name) => ({ spec: project.spec.models[name]! }));
  return (await ownBases(project, models)).map(({ base, files }) => {
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    return `Its base ${base} (${Math.ceil(bytes / 1e6).toLocaleString("en-US")} MB) is sent to ${host} first, unless it is there.`;
  });
}

/** A host elsewhere is taken for the card that the worker is made for; this machine is looked at. */
function machineOf(session: Session, host: string): Machine {
  const pricePerHour = session.project.spec.hosts[host]?.price_per_hour;
  if (host === "local" && !existsSync("/dev/nvidiactl")) return processors(availableParallelism());
  return { ...A10G, pricePerHour };
}

/** Characters of each row of the splits: its inputs, and its labels if asked for. */
function* lengths(
  { project }: Session,
  { dataset: { rows } }: ProjectData,
  splits: ReadonlySet<string>,
  labels: boolean,
): Generator<number> {
  for (let i = 0; i < rows.count; i++) {
    if (rows.leftOut[i] !== 0 || !splits.has(SPLITS[rows.split[i]!]!)) continue;
    const texts = Object.values(rowInputs(project, rows, i));
    if (labels) texts.push(...rows.targets.map((_, t) => rowLabel(rows, t, i) ?? ""));
    yield texts.reduce((sum, text) => sum + text.length, 0);
  }
}

const labelLengths = ({ dataset }: ProjectData): number[][] =>
  dataset.rows.targets.map(({ labels }) => labels.map(({ name }) => name.length));
