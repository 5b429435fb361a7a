import type { JobTarget } from "../../../../schemas/job.ts";

/** Label, or alias of it, without white space around it → position in the target's labels: as label cells of the data are read. */
export function labelNumbers(target: JobTarget): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const [i, { aliases }] of target.labels.entries())
    for (const alias of aliases ?? []) numbers.set(alias.trim(), i);
  for (const [i, { name }] of target.labels.entries()) numbers.set(name.trim(), i);
  return numbers;
}
