/** A job in words: the text of the Jobs view, the status bar and notifications. */
import type { JobView } from "../../../schemas/protocol.ts";

export const isActive = ({ state }: Pick<JobView, "state">): boolean =>
  state === "preparing" || state === "queued" || state === "running";

/** What the job works on: "baseline", "baseline against tuned-qwen". */
export const nameOf = ({ models }: Pick<JobView, "models">): string => models.join(" against ");

export const KIND: Record<JobView["kind"], string> = {
  "fine-tune": "fine-tune",
  evaluate: "evaluation",
  predict: "prediction",
  compare: "comparison",
};

export const percent = (share: number, digits = 0): string => `${(100 * share).toFixed(digits)} %`;

/** Share done, 0 to 1, where the total is known. */
export function doneShare({ progress }: JobView): number | undefined {
  if (!progress?.total) return undefined;
  return Math.min(1, progress.done / progress.total);
}

/** "12 s", "38 min", "2 h 05 min", "3 days" */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.round(hours / 24)} days`;
}

/** Seconds the last attempt took; undefined while it goes on or when it never started. */
export function tookSeconds({ started, created, ended }: JobView): number | undefined {
  if (!ended) return undefined;
  return Math.max(0, (Date.parse(ended) - Date.parse(started ?? created)) / 1000);
}

/** "just now", "5 min ago" */
export function agoOf(time: string, now = Date.now()): string {
  const seconds = (now - Date.parse(time)) / 1000;
  return seconds < 45 ? "just now" : `${duration(seconds)} ago`;
}

export const bytes = (n: number): string =>
  n < 1e6
    ? `${Math.max(1, Math.round(n / 1e3))} kB`
    : n < 1e9
      ? `${(n / 1e6).toFixed(1)} MB`
      : `${(n / 1e9).toFixed(1)} GB`;

export const dollars = (amount: number): string => `$${amount < 0.1 ? amount.toFixed(3) : amount.toFixed(2)}`;

/** "acc 0.83", "loss 0.41" */
export function metricWords({ metric }: JobView): string | undefined {
  if (!metric) return undefined;
  const short = metric.name === "accuracy" ? "acc" : metric.name;
  return `${short} ${Number.isInteger(metric.value) ? metric.value : metric.value.toPrecision(3)}`;
}

/** The facts beside the name, the most telling first. */
export function facts(job: JobView): string[] {
  const share = doneShare(job);
  const left = job.progress?.left;
  const running = [
    job.connection === null ? undefined : "host not reached",
    job.state === "running" ? job.progress?.step : queueWords(job),
    metricWords(job),
    share === undefined ? undefined : percent(share),
    left === undefined ? undefined : `${duration(left)} left`,
  ];
  const took = tookSeconds(job);
  const ended = [
    job.state === "succeeded" ? undefined : job.state,
    job.state === "failed" || job.state === "lost" ? firstSentence(job.message) : metricWords(job),
    took === undefined ? undefined : duration(took),
  ];
  const cost = job.cost ? dollars(job.cost) : undefined;
  return [KIND[job.kind], job.host, ...(isActive(job) ? running : ended), cost].filter((fact) => fact !== undefined);
}

/** "queued", with the place in line where the host tells. */
export function queueWords({ state, place }: JobView): string {
  if (place === null) return state;
  return place === 1 ? "next for the GPU" : `${place} in line for the GPU`;
}

/** For screen readers: whole words, the state first. */
export function spoken(job: JobView): string {
  const share = doneShare(job);
  const parts = [
    `${KIND[job.kind]} of ${job.models.join(" and ")}`,
    job.state,
    isActive(job) && share !== undefined ? `${Math.round(100 * share)} percent` : undefined,
    job.metric ? `${job.metric.name} ${job.metric.value.toPrecision(3)}` : undefined,
    `on ${job.host}`,
    job.state === "failed" ? (job.message ?? undefined) : undefined,
  ];
  return parts.filter(Boolean).join(", ");
}

export const firstSentence = (text: string | null): string | undefined => text?.split(/(?<=[.!?])\s|\n/, 1)[0];
