/** `clf import`: data of other tools as a file that a project can read. */
import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { importData } from "../workflow/import.ts";
import { CliError, EXIT, print, printJson, say, whole } from "./io.ts";

export async function importCommand(
  sources: readonly string[],
  options: { json?: boolean; output: string },
): Promise<number> {
  const output = resolve(options.output);
  const shown = relative(process.cwd(), output);
  if (existsSync(output)) throw new CliError(`${shown} exists already. Name another: --output FILE`, EXIT.usage);
  const found = await importData(sources, output);
  if (options.json) {
    printJson({ file: output, ...found });
    return EXIT.fine;
  }
  const { rows, columns, split, splits, instructions, notes } = found;
  print(`Wrote ${whole(rows)} rows to ${shown}: ${columns.join(", ")}.`);
  if (split !== null) {
    print(
      `Splits: ${Object.entries(splits)
        .map(([name, count]) => `${name} ${whole(count)}`)
        .join(", ")}.`,
    );
  }
  for (const note of notes) say(note);
  if (instructions !== null)
    say("All conversations have one system message; --json prints it. It may become task.instructions.");
  const keep = split === null ? "" : `, and put split: { column: ${split} } under dataset to keep the splits`;
  print(`Next: clf init ${shown}${keep}`);
  return EXIT.fine;
}
