/** `clf slices`: a model's test figures by the values of a column. */
import type { SlicesDocument } from "../../../schemas/cli.ts";
import { slicesOf } from "../workflow/slices.ts";
import { EXIT, percent, print, printJson, table, whole } from "./io.ts";
import { knownModel } from "./model-commands.ts";
import { soundData, withProject } from "./project.ts";

export async function slices(
  path: string,
  options: { json?: boolean; model?: string; column: string },
): Promise<number> {
  return withProject(path, async (session, { locate }) => {
    const { column } = options;
    const model = knownModel(session, options.model ?? session.project.reviewModel);
    const data = await soundData(session, locate, { columns: [column] });
    const found = await slicesOf(session, data, model, column);
    if (options.json) {
      printJson({ model, column, ...found } satisfies SlicesDocument);
      return EXIT.fine;
    }
    for (const [target, of] of Object.entries(found.targets)) {
      print(`${target}, test rows by ${column}:`);
      if (of.length === 0) {
        print(`  No test row has a value in "${column}".`);
        continue;
      }
      const head = [column, "n", "accuracy", "95 %", "confidence", "accepted", "wrong of accepted", ""];
      const lines = of.map(({ value, n, accuracy, meanConfidence, coverage, acceptedErrorRate, stands }) => [
        value ?? "(all others)",
        whole(n),
        percent(accuracy.value),
        `${percent(accuracy.low)}–${percent(accuracy.high)}`,
        percent(meanConfidence),
        coverage === null ? "–" : percent(coverage, 0),
        acceptedErrorRate === null ? "–" : percent(acceptedErrorRate.value),
        stands === null ? "" : `${stands} the whole`,
      ]);
      print(table([head, ...lines]));
    }
    return EXIT.fine;
  });
}
