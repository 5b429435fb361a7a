/** A problem of a project file or of its data: one shape for the CLI, the language server and `clf check --json`. */
import * as z from "zod";

/** Zero-based line and character (UTF-16 units), as in the Language Server Protocol. */
export const Position = z.strictObject({ line: z.int().min(0), character: z.int().min(0) });
export const Range = z.strictObject({ start: Position, end: Position });
export type Position = z.output<typeof Position>;
export type Range = z.output<typeof Range>;

export const Problem = z.strictObject({
  severity: z.enum(["error", "warning", "information"]),
  /** A stable kebab-case name, e.g. `unknown-key`, `missing-column`, `ragged-row`. */
  code: z.string(),
  /** What is wrong and what to do, one or two sentences for a person. */
  message: z.string(),
  /** The file, absolute. Absent when the problem has no place. */
  file: z.string().optional(),
  /** Where in the file; absent when only the file is known. */
  range: Range.optional(),
  /** In data files: the column's name, and the row's id where it is known. */
  column: z.string().optional(),
  row: z.string().optional(),
  /** Replacements of the text in `range` that would mend it, likeliest first. */
  suggestions: z.array(z.string()).optional(),
});
export type Problem = z.output<typeof Problem>;
