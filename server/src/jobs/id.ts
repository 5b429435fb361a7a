import { randomBytes } from "node:crypto";
import { JobId } from "../../../schemas/job.ts";

/**
 * A new job id such as `20261121-2330-tuned-qwen-7f3a`: time of making (UTC, so that ids sort by age everywhere), name,
 * and four random hexadecimal digits. `name` is a model's name; characters that file systems or shells dislike become `-`.
 */
export function newJobId(name: string, now = new Date()): string {
  const time = now.toISOString().replaceAll(/[-:]/g, "").replace("T", "-").slice(0, 13);
  const safe = name
    .normalize("NFKD")
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .replaceAll(/^[-.]+|[-.]+$/g, "")
    .slice(0, 60);
  return JobId.parse(`${time}-${safe || "job"}-${randomBytes(2).toString("hex")}`);
}
