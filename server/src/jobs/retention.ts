import type { JobSummary } from "../../../schemas/job.ts";
import { isTerminal } from "./states.ts";

export interface Retention {
  /** How many ended jobs of each model and kind stay. */
  keep: number;
  /** Days after which an ended job goes, however few there are. */
  days?: number;
}

/**
 * The jobs that retention lets go. Never one that goes on or cannot be read, and none in `kept` (current artifacts, and what
 * other jobs need).
 */
export function expiredJobs(
  jobs: readonly JobSummary[],
  retention: Retention,
  kept: ReadonlySet<string>,
  now = Date.now(),
): string[] {
  const seen = new Map<string, number>();
  const expired: string[] = [];
  for (const job of [...jobs].sort((a, b) => (b.created ?? "").localeCompare(a.created ?? ""))) {
    if (job.state === undefined || !isTerminal(job.state) || kept.has(job.id)) continue;
    const family = JSON.stringify([job.project, job.kind, job.models]);
    const rank = (seen.get(family) ?? 0) + 1;
    seen.set(family, rank);
    const age = now - Date.parse(job.ended ?? job.created ?? "");
    if (rank > retention.keep || (retention.days !== undefined && age > retention.days * 86_400_000))
      expired.push(job.id);
  }
  return expired;
}
