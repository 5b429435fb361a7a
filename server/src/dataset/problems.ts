import type { Problem } from "../../../schemas/problem.ts";

/** Problems of one code in one file beyond this many are counted, not listed. */
export const PROBLEMS_PER_CODE = 10;

/** Collects problems, of each code in each file at most {@link PROBLEMS_PER_CODE}; the rest end in one "and n more". */
export interface ProblemList {
  add(problem: Problem): void;
  /** Counts a problem without making it, for loops that may meet a million of them. True: make it and call `add`. */
  wants(code: string, file?: string): boolean;
  /** Errors so far, the unlisted ones included. */
  readonly errors: number;
  finish(): Problem[];
}

export function listProblems(limit = PROBLEMS_PER_CODE): ProblemList {
  const groups = new Map<string, { listed: Problem[]; unlisted: number }>();
  let errors = 0;
  const group = (code: string, file?: string) => {
    const key = `${code}\n${file ?? ""}`;
    let found = groups.get(key);
    if (!found) groups.set(key, (found = { listed: [], unlisted: 0 }));
    return found;
  };
  return {
    get errors() {
      return errors;
    },
    wants(code, file) {
      const found = group(code, file);
      if (found.listed.length < limit) return true;
      found.unlisted++;
      if (found.listed[0]!.severity === "error") errors++;
      return false;
    },
    add(problem) {
      const found = group(problem.code, problem.file);
      if (problem.severity === "error") errors++;
      if (found.listed.length < limit) found.listed.push(problem);
      else found.unlisted++;
    },
    finish() {
      const all: Problem[] = [];
      for (const { listed, unlisted } of groups.values()) {
        all.push(...listed);
        if (unlisted === 0) continue;
        const { severity, code, file } = listed[0]!;
        all.push({ severity, code, file, message: `and ${count(unlisted, "more problem")} of this kind (${code}).` });
      }
      return all;
    },
  };
}

/** The place of a 1-based line, as a range; the whole line when no character (0-based, UTF-16) is given. */
export function lineRange(line: number, character?: number): NonNullable<Problem["range"]> {
  const start = { line: line - 1, character: character ?? 0 };
  return {
    start,
    end: character === undefined ? { line, character: 0 } : { line: line - 1, character: character + 1 },
  };
}

/** "1 row", "1,204 rows". */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n.toLocaleString("en-US")} ${n === 1 ? noun : plural}`;
}

/** A text in quotes, cut to a readable length, control characters made visible. */
export function quoted(text: string, length = 60): string {
  const cut = text.length > length ? `${text.slice(0, length - 1)}…` : text;
  return JSON.stringify(cut);
}
