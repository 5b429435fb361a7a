/** The requests of the job panel: what a job was made from, how it goes, its log, and what differs from the one before. */
import { lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as z from "zod";
import type { JobEvent } from "../../../schemas/events.ts";
import type { JobArtifact, JobDetail, jobPanelRequests, LogHit } from "../../../schemas/jobPanel.ts";
import { keepPace } from "../dataset/pace.ts";
import { attemptFolder, attemptNumbers, parseEvent, readAttempt } from "../jobs/attempt.ts";
import { jobFacts } from "../jobs/difference.ts";
import { isMissing, wholeLines } from "../jobs/lines.ts";
import { endMessage, isTerminal } from "../jobs/states.ts";
import type { JobSnapshot } from "../jobs/store.ts";
import { differenceFromBefore } from "../workflow/difference.ts";
import { pathOf } from "./path-of.ts";
import type { Projects } from "./projects.ts";

export type JobPanelRequestName = keyof typeof jobPanelRequests;
type Params<K extends JobPanelRequestName> = z.output<(typeof jobPanelRequests)[K]["params"]>;
type Result<K extends JobPanelRequestName> = z.input<(typeof jobPanelRequests)[K]["result"]>;
export type JobPanelHandlers = {
  [K in JobPanelRequestName]: (params: Params<K>, signal: AbortSignal) => Promise<Result<K>>;
};

const LOG_PIECE = 256 * 1024;
const MOST_EVENTS = 5000;
/** Characters of a line that a search shows. */
const LONGEST_HIT = 300;
const NEWLINE = 10;

export function jobPanelHandlers(projects: Projects): JobPanelHandlers {
  const sessionOf = async (project: string) => (await projects.sound(pathOf(project))).session;

  return {
    "clf/jobs/detail": async ({ project, job: id }) => {
      const session = await sessionOf(project);
      const snapshot = await session.jobs.store.read(id);
      return {
        project,
        job: id,
        attempts: await attemptsOf(snapshot),
        facts: jobFacts(snapshot.job),
        artifacts: await artifactsOf(snapshot),
        difference: await differenceFromBefore(session, snapshot),
      };
    },

    "clf/jobs/log": async ({ project, job, attempt, offset, before }) => {
      const session = await sessionOf(project);
      const snapshot = await session.jobs.store.read(job);
      const number = attempt ?? snapshot.attempt.number;
      const ended = number < snapshot.attempt.number || isTerminal(snapshot.state);
      const piece = await readPiece(logFile(snapshot, number), offset, before);
      return { attempt: number, ...piece, ended: ended && piece.offset >= piece.size };
    },

    "clf/jobs/logSearch": async ({ project, job, attempt, text, limit }, signal) => {
      const session = await sessionOf(project);
      const snapshot = await session.jobs.store.read(job);
      const number = attempt ?? snapshot.attempt.number;
      const pace = keepPace(signal);
      const wanted = text.toLowerCase();
      const hits: LogHit[] = [];
      let total = 0;
      let line = 0;
      for await (const { text: found, offset } of wholeLines(logFile(snapshot, number))) {
        line++;
        await pace();
        const at = found.toLowerCase().indexOf(wanted);
        if (at < 0) continue;
        if (++total <= limit) hits.push({ offset, line, text: around(found, at) });
      }
      return { attempt: number, total, hits };
    },

    "clf/jobs/events": async ({ project, job, attempt, offset }) => {
      const session = await sessionOf(project);
      const snapshot = await session.jobs.store.read(job);
      const number = attempt ?? snapshot.attempt.number;
      const events: JobEvent[] = [];
      let end = offset;
      let more = false;
      for await (const line of wholeLines(eventsFile(snapshot, number), offset)) {
        if (events.length === MOST_EVENTS) {
          more = true;
          break;
        }
        end = line.end;
        const event = parseEvent(line.text);
        if (event) events.push(event);
      }
      return { attempt: number, events, offset: end, more };
    },
  };
}

const logFile = ({ folder }: JobSnapshot, attempt: number): string => join(attemptFolder(folder, attempt), "log.txt");
const eventsFile = ({ folder }: JobSnapshot, attempt: number): string =>
  join(attemptFolder(folder, attempt), "events.jsonl");

/** The part of a line around a place, so that what was searched for is in it. */
function around(text: string, at: number): string {
  if (text.length <= LONGEST_HIT) return text;
  const start = Math.max(0, Math.min(at - LONGEST_HIT / 3, text.length - LONGEST_HIT));
  const cut = text.slice(start, start + LONGEST_HIT);
  return `${start > 0 ? "…" : ""}${cut}${start + LONGEST_HIT < text.length ? "…" : ""}`;
}

interface Piece {
  text: string;
  start: number;
  offset: number;
  size: number;
}

/**
 * A piece of a growing text file in whole characters: from `offset` on, or up to `before` and then from the beginning of a line on,
 * unless one line is longer than a piece.
 */
async function readPiece(path: string, offset: number, before: number | undefined): Promise<Piece> {
  const file = await open(path, "r").catch((error) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (!file) return { text: "", start: 0, offset: 0, size: 0 };
  try {
    const { size } = await file.stat();
    const end = before === undefined ? undefined : Math.min(before, size);
    let start = end === undefined ? Math.min(offset, size) : Math.max(0, end - LOG_PIECE);
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(LOG_PIECE),
      0,
      (end ?? start + LOG_PIECE) - start,
      start,
    );
    let from = 0;
    if (end !== undefined && start > 0) {
      const newline = buffer.subarray(0, bytesRead).indexOf(NEWLINE);
      if (newline >= 0 && newline < bytesRead - 1) from = newline + 1;
      else while (from < bytesRead && (buffer[from]! & 0xc0) === 0x80) from++;
      start += from;
    }
    const to = end === undefined ? wholeCharacters(buffer, bytesRead) : bytesRead;
    return { text: buffer.toString("utf8", from, to), start, offset: start + to - from, size };
  } finally {
    await file.close();
  }
}

/** Where the whole characters end: one that is cut at the end of the piece comes with the next one. */
function wholeCharacters(buffer: Buffer, bytes: number): number {
  let end = bytes;
  while (end > 0 && end > bytes - 4 && (buffer[end - 1]! & 0xc0) === 0x80) end--;
  if (end > 0 && buffer[end - 1]! >= 0xc0) end--;
  return end === 0 || buffer[bytes - 1]! < 0x80 ? bytes : end;
}

async function attemptsOf({ folder, records }: JobSnapshot): Promise<JobDetail["attempts"]> {
  const attempts: JobDetail["attempts"] = [];
  for (const number of await attemptNumbers(folder)) {
    const { state, facts, events } = await readAttempt(folder, number, records);
    attempts.push({
      number,
      state,
      started: facts.runner?.time ?? events.first ?? null,
      ended: isTerminal(state) ? (facts.exit?.time ?? events.last ?? null) : null,
      message: endMessage(facts) ?? (state === "failed" ? (events.error?.message ?? null) : null),
    });
  }
  return attempts;
}

/** What a job's folder may hold, in the order in which people ask for it. */
const KNOWN: [path: string, name: string][] = [
  ["model", "Model"],
  ["report.json", "Report"],
  ["predictions.parquet", "Predictions"],
  ["predictions.jsonl", "Predictions so far"],
  ["data/rows.jsonl", "Rows it was given"],
  ["job.json", "The job itself"],
];

async function artifactsOf({ folder, attempt }: JobSnapshot): Promise<JobArtifact[]> {
  const log: [string, string] = [`attempts/${attempt.number}/log.txt`, "Log"];
  const events: [string, string] = [`attempts/${attempt.number}/events.jsonl`, "Events"];
  const found: JobArtifact[] = [];
  for (const [path, name] of [...KNOWN, log, events]) {
    const at = join(folder, ...path.split("/"));
    const status = await lstat(at).catch(() => null);
    if (!status || !(status.isFile() || status.isDirectory())) continue;
    const bytes = status.isDirectory() ? await bytesUnder(at) : status.size;
    found.push({ path, name, uri: pathToFileURL(at).href, folder: status.isDirectory(), bytes });
  }
  return found;
}

async function bytesUnder(folder: string): Promise<number> {
  let bytes = 0;
  // A runner may rename or remove files meanwhile.
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (!entry.isFile()) continue;
    bytes += (await lstat(join(entry.parentPath, entry.name)).catch(() => ({ size: 0 }))).size;
  }
  return bytes;
}
