/** What a job will take, told before it starts. */
import { rowInputs, rowLabel, SPLITS } from "../dataset/rows.ts";
import { describePreflight, estimateFineTune } from "../engines/qlora/preflight.ts";
import { modelSpec } from "./artifacts.ts";
import type { ProjectData } from "./data.ts";
import type { JobRequest } from "./prepare.ts";
import type { Session } from "./session.ts";

/** A sentence for people; null for jobs that take seconds or have a summary of their own. */
export function preflight(session: Session, data: ProjectData, request: JobRequest): string | null {
  const model = request.models[0]!;
  const spec = modelSpec(session, model);
  if (request.kind !== "fine-tune" || spec.engine !== "qlora") return null;
  const host = session.project.spec.hosts[request.host ?? spec.host ?? "local"];
  return describePreflight(model, estimateFineTune(spec, lengths(session, data), host?.price_per_hour));
}

/** Characters of each train row, its labels included. */
function* lengths({ project }: Session, { dataset: { rows } }: ProjectData): Generator<number> {
  for (let i = 0; i < rows.count; i++) {
    if (SPLITS[rows.split[i]!] !== "train") continue;
    const texts = [
      ...Object.values(rowInputs(project, rows, i)),
      ...rows.targets.map((_, t) => rowLabel(rows, t, i) ?? ""),
    ];
    yield texts.reduce((sum, text) => sum + text.length, 0);
  }
}
