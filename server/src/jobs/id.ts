import { randomBytes } from "node:crypto";
import { JobId } from "../../../schemas/job.ts";

/**
 * A new job id such as `20261121-2330-tuned-qwen-7f3ac20d`: minute of making (UTC), name, four hexadecimal digits for the
 * millisecond within the minute, and four random ones. `name` is a model's name; characters that file systems or shells
 * dislike become `-`.
 */
export function newJobId(name: string, now = new Date()): string {
  const time = now.toISOString().replaceAll(/[-:]/g, "").replace("T", "-").slice(0, 13);
  const safe = name
    .normalize("NFKD")
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .replaceAll(/^[-.]+|[-.]+$/g, "")
    .slice(0, 60);
  const moment = (now.getUTCSeconds() * 1000 + now.getUTCMilliseconds()).toString(16).padStart(4, "0");
  return JobId.parse(`${time}-${safe || "job"}-${moment}${randomBytes(2).toString("hex")}`);
}

/** Sorts ids by their time of making, newest first, whatever the names. */
export function newestFirst(a: string, b: string): number {
  const age = (id: string) => id.slice(0, 13) + id.slice(id.lastIndexOf("-"));
  const [one, other] = [age(a), age(b)];
  return one < other ? 1 : one > other ? -1 : 0;
}
