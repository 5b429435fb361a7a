/** `clf rounds`: what each round of review bought. */
import type { Measure } from "../../../schemas/report.ts";
import { pointsWords } from "../evaluation/roundsWords.ts";
import { roundsOf } from "../workflow/rounds.ts";
import { CliError, EXIT, percent, print, printJson, table, whole } from "./io.ts";
import { knownModel } from "./model-commands.ts";
import { projectPath, withProject } from "./project.ts";

const share = (m: Measure | null): string => (m === null ? "–" : percent(m.value));

export async function rounds(path: string, options: { json?: boolean; model?: string }): Promise<number> {
  return withProject(path, async (session) => {
    const model = knownModel(session, options.model ?? session.project.reviewModel);
    const found = await roundsOf(session, model);
    if (options.json) {
      printJson(found);
      return EXIT.fine;
    }
    if (found.rounds.length === 0) {
      throw new CliError(
        `Model "${model}" has not been evaluated yet. Run: clf evaluate ${projectPath(session)} --model ${model}`,
      );
    }
    const targets = [...new Set(found.rounds.flatMap((round) => Object.keys(round.targets)))];
    const several = targets.length > 1;
    const head = ["", "evaluated", "trained on", "decided"].concat(
      targets.flatMap((target) => [several ? `accuracy ${target}` : "accuracy", "change (95 %)"]),
      ["accepted", "change (95 %)", "certified", "uses"],
    );
    const lines = found.rounds.map(({ change, ...round }, i) => [
      `${i + 1}`,
      round.date.slice(0, 16).replace("T", " "),
      whole(round.trained),
      whole(round.decisions),
      ...targets.flatMap((target) => {
        const difference = change?.targets[target]?.difference;
        return [share(round.targets[target]?.accuracy ?? null), difference ? pointsWords(difference) : "–"];
      }),
      share(round.coverage),
      change?.coverage ? pointsWords(change.coverage.difference) : "–",
      round.certified ? "yes" : "no",
      `${round.uses ?? "–"}`,
    ]);
    print(table([head, ...lines]));
    if (found.rounds.length === 1)
      print("One round so far. Decide flagged rows, fine-tune and evaluate again: clf flagged, clf review.");
    for (const words of found.words) print(words);
    return EXIT.fine;
  });
}
