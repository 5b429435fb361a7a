/** The saved splits, `<project>.splits.jsonl`: a line a row, sorted by row id so that git shows what changed. */
import { readFile, rename } from "node:fs/promises";
import path from "node:path";
import writeFileAtomic from "write-file-atomic";
import { SplitAssignment } from "../../../schemas/rows.ts";
import { count, lineRange, type ProblemList } from "./problems.ts";

export type SavedSplit = SplitAssignment["split"];

export interface SavedSplits {
  /** Row id → split. */
  splits: Map<string, SavedSplit>;
  /** Some lines cannot be read. Before the file is written again it must be set aside. */
  damaged: boolean;
}

/**
 * Reads the file; a missing one is empty. Lines that cannot be read (a merge conflict, a cut-off line) are reported, the
 * others hold: an assignment never moves. Of two lines on one row the first holds.
 */
export async function readSplits(file: string, problems: ProblemList): Promise<SavedSplits> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { splits: new Map(), damaged: false };
    problems.add({
      severity: "error",
      code: "unreadable-splits",
      message: `The saved splits cannot be read: ${(error as Error).message}. Without them rows would move between train and test; make the file readable, or restore it from git.`,
      file,
    });
    return { splits: new Map(), damaged: false };
  }
  const splits = new Map<string, SavedSplit>();
  let bad = 0;
  let firstBad = 0;
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const assignment = readAssignment(line);
    if (!assignment) {
      if (bad++ === 0) firstBad = i + 1;
      continue;
    }
    const before = splits.get(assignment.row);
    if (before === undefined) splits.set(assignment.row, assignment.split);
    else if (before !== assignment.split) {
      problems.add({
        severity: "warning",
        code: "contradicting-splits",
        message: `This line puts the row into ${assignment.split}, an earlier one into ${before}. The earlier one holds; delete the wrong one.`,
        file,
        range: lineRange(i + 1),
        row: assignment.row,
      });
    }
  }
  if (bad > 0) {
    problems.add({
      severity: "warning",
      code: "unreadable-splits",
      message: `${count(bad, "line")} of the saved splits cannot be read (the first is line ${firstBad}); perhaps a merge was not finished. The other ${count(splits.size, "line")} hold, and rows of the unreadable ones would be placed anew. Mend the file, or restore it from git, before the next fine-tune: until then nothing is saved over it without keeping a copy beside it.`,
      file,
      range: lineRange(firstBad),
    });
  }
  return { splits, damaged: bad > 0 };
}

function readAssignment(line: string): SplitAssignment | undefined {
  try {
    return SplitAssignment.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** Writes the file at once or not at all. A damaged one is first renamed; returns its new name. */
export async function writeSplits(file: string, saved: SavedSplits): Promise<string | undefined> {
  const aside = saved.damaged ? await setAside(file) : undefined;
  let text = "";
  // The default order: by code units.
  for (const row of [...saved.splits.keys()].sort()) {
    text += `${JSON.stringify({ row, split: saved.splits.get(row)! } satisfies SplitAssignment)}\n`;
  }
  await writeFileAtomic(file, text, "utf8");
  return aside;
}

async function setAside(file: string): Promise<string> {
  const aside = path.join(
    path.dirname(file),
    `${path.basename(file)}.unreadable-${new Date().toISOString().replace(/[:.]/g, "-")}`,
  );
  await rename(file, aside);
  return aside;
}
