/** `clf jobs`, `clf report`. */
import { readFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import writeFileAtomic from "write-file-atomic";
import type { JobSummary } from "../../../schemas/job.ts";
import type { JobDifference } from "../../../schemas/jobPanel.ts";
import { webviewPath } from "../entry.ts";
import { type PageBundle, reportPage } from "../evaluation/page.ts";
import { attemptFolder, parseEvent } from "../jobs/attempt.ts";
import { UnreadableJob } from "../jobs/contract.ts";
import { wholeLines } from "../jobs/lines.ts";
import { isTerminal } from "../jobs/states.ts";
import { neededJobs } from "../workflow/artifacts.ts";
import { differenceFromBefore } from "../workflow/difference.ts";
import { reportDetail } from "../workflow/report-detail.ts";
import { roundsOf } from "../workflow/rounds.ts";
import { type Session, WorkflowError } from "../workflow/session.ts";
import { CliError, duration, EXIT, percent, print, printJson, table } from "./io.ts";
import { watchJob } from "./jobs.ts";
import { chosenReport, knownJob } from "./model-commands.ts";
import { printReport, printThresholds } from "./print-report.ts";
import { withProject } from "./project.ts";

/** What an attempt said of its work, then what its process wrote. */
async function logOf(attempt: string): Promise<string> {
  let text = "";
  for await (const line of wholeLines(join(attempt, "events.jsonl"))) {
    const event = parseEvent(line.text);
    if (event?.type === "log") text += `${event.time} ${event.level}: ${event.message}\n`;
  }
  return text + (await readFile(join(attempt, "log.txt"), "utf8").catch(() => ""));
}

const ACTIONS = ["list", "show", "logs", "cancel", "resume", "delete", "clean"] as const;

export async function jobs(
  path: string,
  action: string | undefined,
  id: string | undefined,
  options: { json?: boolean; keep?: number; days?: number },
): Promise<number> {
  const wanted = (action ?? "list") as (typeof ACTIONS)[number];
  if (!ACTIONS.includes(wanted))
    throw new CliError(`No action "${action}". Actions: ${ACTIONS.join(", ")}.`, EXIT.usage);
  return withProject(path, async (session) => {
    if (wanted !== "list" && wanted !== "clean") {
      if (id === undefined)
        throw new CliError(`Say which job: clf jobs ${path} ${wanted} ID. The ids: clf jobs ${path}`, EXIT.usage);
      await knownJob(session, id);
    }
    try {
      return await act(session, wanted, id ?? "", options);
    } catch (error) {
      if (!(error instanceof UnreadableJob)) throw error;
      throw new CliError(
        `Job ${id} cannot be read: ${error.message} Restore its folder, or delete it: clf jobs ${path} delete ${id}`,
      );
    }
  });
}

async function act(
  session: Session,
  action: (typeof ACTIONS)[number],
  id: string,
  options: { json?: boolean; keep?: number; days?: number },
): Promise<number> {
  const { store } = session.jobs;
  switch (action) {
    case "list": {
      await session.jobs.recover();
      const all = await store.list();
      if (options.json) printJson({ jobs: all });
      else if (all.length === 0) print("There are no jobs yet. Start one: clf fine-tune PROJECT");
      else print(table(all.map(jobLine), 99));
      return EXIT.fine;
    }
    case "show": {
      const snapshot = await store.read(id);
      const { job, state, attempt, records } = snapshot;
      const difference = await differenceFromBefore(session, snapshot);
      if (options.json)
        printJson({ job, state, attempt: attempt.number, records, bytes: await store.size(id), difference });
      else {
        print(
          `${id}: ${job.kind} of ${job.models.map(({ name }) => name).join(", ")} on ${job.host.name}: ${state} (attempt ${attempt.number})`,
        );
        print(
          `data ${job.data.fingerprint.slice(0, 12)}, seed ${job.seed}, ${Object.entries(job.versions)
            .map(([name, v]) => `${name} ${v}`)
            .join(", ")}`,
        );
        for (const [split, rows] of Object.entries(job.data.rows))
          if (rows > 0) print(`  ${split}: ${rows.toLocaleString("en-US")} rows`);
        const { error } = attempt.events;
        if (error) print(`error: ${error.message}${error.remedy ? ` ${error.remedy}` : ""}`);
        for (const line of difference ? differenceLines(difference) : []) print(line);
      }
      return EXIT.fine;
    }
    case "logs": {
      const { attempt, folder } = await store.read(id);
      const text = await logOf(attemptFolder(folder, attempt.number));
      if (options.json) printJson({ job: id, attempt: attempt.number, log: text });
      else print(text === "" ? "The log is empty." : text.replace(/\n$/, ""));
      return EXIT.fine;
    }
    case "cancel": {
      await session.jobs.start();
      const before = await store.read(id);
      await session.jobs.cancel(id);
      const { state, attempt } = await session.jobs.ended(id);
      if (options.json) printJson({ job: id, attempt: attempt.number, state });
      else if (isTerminal(before.state)) print(`${id}: ${state} already, there is nothing to cancel.`);
      else print(`${id}: ${state}`);
      return EXIT.fine;
    }
    case "resume": {
      await session.jobs.start();
      const { attempt } = await session.jobs.resume(id);
      await watchJob(session, id, `Attempt ${attempt} of ${id}`);
      if (options.json) printJson({ job: id, attempt, state: "succeeded" });
      else print(`${id}: succeeded`);
      return EXIT.fine;
    }
    case "delete":
      await session.jobs.remove(id);
      if (options.json) printJson({ deleted: [id] });
      else print(`Deleted ${id}.`);
      return EXIT.fine;
    case "clean": {
      const retention = { keep: options.keep ?? 10, ...(options.days === undefined ? {} : { days: options.days }) };
      const deleted = await session.jobs.retain(retention, await neededJobs(session));
      if (options.json) printJson({ deleted });
      else print(deleted.length === 0 ? "Nothing to delete." : `Deleted ${deleted.length} jobs: ${deleted.join(", ")}`);
      return EXIT.fine;
    }
  }
}

function differenceLines({ job, same_data, changes, results }: JobDifference): string[] {
  const side = (value: string | null, list: boolean, what: string) =>
    value === null ? (list ? "" : "not set") : list ? `${what} ${value}` : value;
  const figure = (value: number | null) => (value === null ? "–" : Number(value.toPrecision(4)));
  return [
    `against ${job}: ${same_data ? "the same rows" : "other rows"}${changes.length === 0 ? ", the same settings" : ""}`,
    ...changes.map(
      ({ section, name, before, after, list }) =>
        `  ${section}, ${name}: ${[side(before, list, "gone:"), side(after, list, "new:")].filter(Boolean).join(list ? "; " : " → ")}`,
    ),
    ...results.map(({ name, before, after }) => `  ${name}: ${figure(before)} → ${figure(after)}`),
  ];
}

const SIGNS: Record<string, string> = {
  succeeded: "✓",
  failed: "✗",
  cancelled: "⊘",
  lost: "?",
  running: "◐",
  queued: "…",
  preparing: "…",
};

function jobLine(job: JobSummary): string[] {
  if (job.problem) return ["!", job.id, job.problem];
  const { progress } = job;
  const now =
    progress && job.state === "running"
      ? `${progress.step}${progress.total ? ` ${percent(progress.done / progress.total, 0)}` : ""}`
      : "";
  const seconds = job.started && job.ended ? (Date.parse(job.ended) - Date.parse(job.started)) / 1000 : null;
  return [
    SIGNS[job.state ?? ""] ?? " ",
    job.id,
    job.kind ?? "",
    (job.models ?? []).join(", "),
    job.host ?? "",
    job.state ?? "",
    seconds === null ? now : duration(seconds),
    job.state === "succeeded" ? "" : (job.message ?? ""),
  ];
}

/** What a report as a file runs. @throws CliError where this copy of clf was never built */
async function pageBundle(): Promise<PageBundle> {
  try {
    const read = (file: string) => readFile(webviewPath(file), "utf8");
    const [script, style] = await Promise.all([read("report.js"), read("report.css")]);
    return { script, style };
  } catch {
    throw new CliError(
      `${webviewPath("report.js")} is missing: this copy of clf is not built. Build it: npm run build`,
    );
  }
}

/** The report of a model's newest evaluation, on the terminal or as one self-contained HTML file. */
export async function report(
  path: string,
  options: { json?: boolean; model?: string; job?: string; output?: string },
): Promise<number> {
  return withProject(path, async (session) => {
    const found = await chosenReport(session, options);
    if (options.output) {
      const file = resolve(options.output);
      const models = Object.keys(found.models).filter((model) => model in session.project.spec.models);
      const rounds = await Promise.all(models.map((model) => roundsOf(session, model)));
      const detail = await reportDetail(session, found.job).catch((error: unknown) => {
        if (error instanceof WorkflowError) return error;
        throw error;
      });
      const known =
        detail instanceof WorkflowError ? { detail: null, missing: detail.message } : { detail, missing: null };
      await writeFileAtomic(file, reportPage({ report: found, rounds, ...known }, await pageBundle()));
      if (options.json) printJson({ file, job: found.job });
      else print(`Wrote ${relative(process.cwd(), file)}.`);
    } else if (options.json) printJson(found);
    else {
      printReport(found);
      printThresholds(found);
    }
    return EXIT.fine;
  });
}
