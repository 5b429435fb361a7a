/** What every command shares: results to standard output, words and progress to standard error, exit codes. */
import { createInterface } from "node:readline/promises";
import type { Problem } from "../../../schemas/problem.ts";

/** Exit codes of DESIGN §7. */
export const EXIT = { fine: 0, problems: 1, usage: 2, jobFailed: 3 } as const;

/** Ends a command with a message for a person. */
export class CliError extends Error {
  override name = "CliError";
  readonly code: number;
  /** Errors of the project or data that have been said already, and the job that failed: for the JSON document. */
  readonly problems: readonly Problem[];
  readonly job: string | null;
  constructor(
    message: string,
    code: number = EXIT.problems,
    { problems = [], job = null }: { problems?: readonly Problem[]; job?: string | null } = {},
  ) {
    super(message);
    this.code = code;
    this.problems = problems;
    this.job = job;
  }
}

/** Control characters in data and labels would steer the terminal: of them only tabs and line ends are shown. */
export function printable(text: string): string {
  return text.replaceAll(/(?![\n\t])\p{Cc}/gu, "\ufffd");
}

/** Standard error: people's text. */
export function say(text = ""): void {
  process.stderr.write(`${printable(text)}\n`);
}

/** Standard output: the one JSON document of a command with `--json`. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Standard output: the result for people. */
export function print(text = ""): void {
  process.stdout.write(`${printable(text)}\n`);
}

/** Puts yes-or-no questions on the terminal; undefined where nobody is there to answer. Anything but a yes is a no. */
export function asker(): ((question: string) => Promise<boolean>) | undefined {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return undefined;
  return async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    lines.once("SIGINT", () => process.exit(130));
    try {
      return /^y(es)?$/i.test((await lines.question(`${printable(question)} [y/N] `)).trim());
    } finally {
      lines.close();
    }
  };
}

const ESCAPE = "\u001b[";

/** One line that is rewritten in place on a terminal; nothing in a pipe. */
export function progressLine(enabled = process.stderr.isTTY === true) {
  let shown = false;
  let last = 0;
  return {
    show(text: string): void {
      if (!enabled) return;
      const now = Date.now();
      if (shown && now - last < 100) return;
      last = now;
      shown = true;
      const width = Math.max(20, (process.stderr.columns ?? 80) - 1);
      const line = printable(text);
      process.stderr.write(`\r${ESCAPE}2K${line.length > width ? `${line.slice(0, width - 1)}…` : line}`);
    },
    clear(): void {
      if (shown) process.stderr.write(`\r${ESCAPE}2K`);
      shown = false;
    },
  };
}

/** "data/a.csv:12:3 error: …": a place that terminals and editors make clickable. */
export function problemLine(problem: Problem, relativeTo: (file: string) => string): string {
  const place = problem.file
    ? `${relativeTo(problem.file)}${problem.range ? `:${problem.range.start.line + 1}:${problem.range.start.character + 1}` : ""}: `
    : "";
  return `${place}${problem.severity}: ${problem.message}`;
}

/** The beginning of a text, on one line. */
export function cut(text: string, length = 60): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}

export { percent, whole } from "../numbers.ts";

/** Seconds as people read them. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${Math.round(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Columns aligned with spaces; numbers to the right. */
export function table(rows: readonly (readonly string[])[], rightFrom = 1): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i >= rightFrom ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
