/**
 * The decisions file: append-only JSON lines, never rewritten. What cannot be read is reported and left in place.
 */
import { readFile, stat } from "node:fs/promises";
import { Decision } from "../../../schemas/decisions.ts";
import type { Problem } from "../../../schemas/problem.ts";
import { appendLines, lockToAppend } from "./append-lines.ts";
import { nextDecisionId } from "./decision-id.ts";

/** What a decisions file holds. */
export interface DecisionsRead {
  /** Every valid line once, ordered by id: the order of the lines in the file does not matter. */
  decisions: Decision[];
  /** Lines that have no effect, and why; or that the file cannot be read at all. */
  problems: Problem[];
  /** False when the file is there and cannot be read. Nothing is appended to it then. */
  readable: boolean;
}

/** A decision to be appended; id, time and person are filled in by the log. */
export type DecisionDraft = Pick<Decision, "row" | "target" | "kind" | "before" | "after" | "reasons" | "inputs"> &
  Partial<Pick<Decision, "undoes" | "replaces" | "prediction" | "blind" | "inclusion" | "split" | "note" | "act">>;

/** Reads a decisions file. A file that does not exist holds nothing, which is no problem. Never throws. */
export async function readDecisions(file: string): Promise<DecisionsRead> {
  let content: Buffer;
  try {
    content = await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { decisions: [], problems: [], readable: true };
    const message = `The decisions file cannot be read (${reasonOf(error)}). Decisions are neither used nor recorded until it can.`;
    return {
      decisions: [],
      problems: [{ severity: "error", code: "decisions-unreadable", message, file }],
      readable: false,
    };
  }
  return { ...parseDecisions(content, file), readable: true };
}

/**
 * Parses the bytes of a decisions file. Lines may end in CRLF, stand twice, and stand in any order, as merges leave them.
 * @param file named in the problems
 */
export function parseDecisions(content: Buffer, file?: string): { decisions: Decision[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const byId = new Map<string, { decision: Decision; canonical: string; line: number }>();
  const report = (line: number, length: number, severity: Problem["severity"], code: string, message: string) => {
    problems.push({
      severity,
      code,
      message,
      ...(file === undefined ? {} : { file }),
      range: { start: { line, character: 0 }, end: { line, character: length } },
    });
  };

  const decoder = new TextDecoder("utf-8", { fatal: true });
  let start = 0;
  for (let line = 0; start < content.length; line++) {
    const newline = content.indexOf(0x0a, start);
    const torn = newline < 0;
    const bytes = content.subarray(start, torn ? content.length : newline);
    start = torn ? content.length : newline + 1;

    let text: string;
    try {
      text = decoder.decode(bytes).trim();
    } catch {
      report(line, 0, "warning", "invalid-decision", `This line is not UTF-8 text. It has no effect and is kept.`);
      continue;
    }
    if (text === "") continue;
    if (/^(<{7}|\|{7}|={7}|>{7})( |$)/.test(text)) {
      const message =
        "A git merge stopped here. Delete the lines that begin with <<<<<<<, =======, ||||||| and >>>>>>>; keep all others.";
      report(line, text.length, "error", "merge-marker", message);
      continue;
    }
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      const message = torn
        ? "The last line is cut off: writing it was interrupted. It has no effect and is kept; decide that row again."
        : "This line is not JSON. It has no effect and is kept; mend or delete it.";
      report(line, text.length, "warning", torn ? "torn-decision" : "invalid-decision", message);
      continue;
    }
    const parsed = Decision.safeParse(json);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!;
      const where = issue.path.length > 0 ? `\`${issue.path.join(".")}\`: ` : "";
      const message = `This line is not a decision (${where}${issue.message}). It has no effect and is kept.`;
      report(line, text.length, "warning", "invalid-decision", message);
      continue;
    }
    const decision = parsed.data;
    const canonical = canonicalJson(decision);
    const known = byId.get(decision.id);
    if (known === undefined) {
      byId.set(decision.id, { decision, canonical, line });
    } else if (known.canonical !== canonical) {
      const message = `The id ${decision.id} also stands in line ${known.line + 1}, with another content. One of the two was changed by hand; only one has an effect.`;
      report(line, text.length, "warning", "duplicate-decision", message);
      // Whichever line comes first in the file, the same one counts.
      if (canonical < known.canonical) byId.set(decision.id, { decision, canonical, line });
    }
  }
  const decisions = [...byId.values()].map(({ decision }) => decision);
  decisions.sort((a, b) => (a.id < b.id ? -1 : 1));
  return { decisions, problems };
}

/** Makes the lines of new decisions, each with an id greater than `after` and than the one before it. */
export function makeDecisions(
  drafts: readonly DecisionDraft[],
  writer: { who: string; now: number; after: string | undefined },
): Decision[] {
  let after = writer.after;
  return drafts.map((draft) => {
    after = nextDecisionId(after, writer.now);
    return Decision.parse({ ...draft, id: after, who: writer.who, when: new Date(writer.now).toISOString() });
  });
}

/** The decisions of one file, kept in memory and in step with it. */
export interface DecisionLog {
  readonly file: string;
  /** The file's content; read again only if somebody else changed it. */
  read(): Promise<DecisionsRead>;
  /**
   * Appends decisions by one write and waits until they are on the disk.
   * @param make is called with the file's newest content while nobody else can write; what it returns is appended
   * @throws Error with a message for a person when the file cannot be read or written; nothing is recorded then
   */
  append(who: string, make: (decisions: readonly Decision[]) => readonly DecisionDraft[]): Promise<Decision[]>;
  /** Whether the file still is as this log last read or left it. */
  inStep(): Promise<boolean>;
}

/** Opens a decisions file; it is made by the first append. */
export function openDecisionLog(file: string, clock: () => number = Date.now): DecisionLog {
  let known: { signature: string; content: DecisionsRead } | undefined;
  let lastAppend: Promise<unknown> = Promise.resolve();

  async function read(): Promise<DecisionsRead> {
    const before = await signatureOf(file);
    if (known !== undefined && known.signature === before) return known.content;
    const content = await readDecisions(file);
    // Remembered only if nobody wrote meanwhile.
    known = content.readable && (await signatureOf(file)) === before ? { signature: before, content } : undefined;
    return content;
  }

  async function appendAlone(
    who: string,
    make: (decisions: readonly Decision[]) => readonly DecisionDraft[],
  ): Promise<Decision[]> {
    let release: () => Promise<void>;
    try {
      release = await lockToAppend(file);
    } catch (error) {
      throw new Error(`The decision was not recorded: ${file} cannot be locked (${reasonOf(error)}).`);
    }
    try {
      const content = await read();
      if (!content.readable) throw new Error(`The decision was not recorded. ${content.problems[0]!.message}`);
      const drafts = make(content.decisions);
      if (drafts.length === 0) return [];
      const made = makeDecisions(drafts, { who, now: clock(), after: content.decisions.at(-1)?.id });
      try {
        await appendLines(
          file,
          made.map((decision) => JSON.stringify(decision)),
        );
      } catch (error) {
        throw new Error(`The decision was not recorded: ${file} cannot be written (${reasonOf(error)}).`);
      }
      const decisions = [...content.decisions, ...made];
      known = { signature: await signatureOf(file), content: { ...content, decisions } };
      return made;
    } finally {
      await release();
    }
  }

  /** One after the other within this process; the lock is for other processes. */
  function append(
    who: string,
    make: (decisions: readonly Decision[]) => readonly DecisionDraft[],
  ): Promise<Decision[]> {
    const appended = lastAppend.then(() => appendAlone(who, make));
    lastAppend = appended.catch(() => {});
    return appended;
  }

  const inStep = async () => known !== undefined && known.signature === (await signatureOf(file));

  return { file, read, append, inStep };
}

/** Changes whenever the file does; `absent` for no file. */
async function signatureOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(file, { bigint: true });
    return `${ino}:${size}:${mtimeNs}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "absent" : `unknown:${Math.random()}`;
  }
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  const words: Record<string, string> = {
    EACCES: "permission denied",
    EPERM: "permission denied",
    EISDIR: "it is a folder",
    ENOTDIR: "a part of its path is not a folder",
    EROFS: "the file system is read-only",
    ENOSPC: "the disk is full",
    ELOCKED: "another process is writing to it",
  };
  return (code !== undefined && words[code]) || (error instanceof Error ? error.message : String(error));
}
