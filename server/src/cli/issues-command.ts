/** `clf issues`: labels in the data that are probably wrong. */
import { relative } from "node:path";
import type { IssuesDocument } from "../../../schemas/cli.ts";
import { indexOf } from "../dataset/rows.ts";
import { isDecided, verdictOf } from "../review/fold.ts";
import { CliError, cut, EXIT, percent, print, printJson, table, whole } from "./io.ts";
import { firstText, judgedOf } from "./judged.ts";
import { projectPath, soundData, withProject } from "./project.ts";
import { knownTarget } from "./row-commands.ts";

const LIMIT = 50;

/** Suspected labels that nobody has decided, most doubtful first. */
export async function issues(
  path: string,
  options: { json?: boolean; model?: string; target?: string[]; limit?: number },
): Promise<number> {
  return withProject(path, async (session, { locate }) => {
    const targets = options.target?.map((name) => knownTarget(session.project.targets, name));
    const judged = await judgedOf(session, options);
    const { model } = judged;
    const project = projectPath(session);
    const { dataset, verdicts } = await soundData(session, locate);
    const at = indexOf(dataset.rows);
    let looked = 0;
    let decided = 0;
    const found: IssuesDocument["items"] = [];
    for (const { row, targets: seen } of judged.rows.values()) {
      if (row.split !== "train" && row.split !== "tune") continue;
      looked++;
      for (const { target, issue, suggested, label, confidence } of seen) {
        if (issue === undefined || (targets && !targets.includes(target))) continue;
        const verdict = verdictOf(verdicts, row.row, target);
        if (isDecided(verdict)) {
          decided++;
          continue;
        }
        const i = at.get(row.row);
        found.push({
          row: row.row,
          target,
          text: firstText(row.inputs),
          given: row.labels[target]!,
          suggested: suggested!,
          doubt: issue,
          predicted: label,
          confidence,
          skipped: verdict?.skipped !== undefined,
          file: i === undefined ? null : dataset.rows.files[dataset.rows.file[i]!]!.path,
          line: i === undefined ? null : dataset.rows.line[i]!,
        });
      }
    }
    if (looked === 0) {
      throw new CliError(
        `No labelled row has been predicted by a model that had not seen it. Run: clf predict ${project} --model ${model} --out-of-fold`,
      );
    }
    found.sort((a, b) => b.doubt - a.doubt || (a.row < b.row ? -1 : 1));
    const shown = found.slice(0, options.limit ?? LIMIT);
    if (options.json) {
      printJson({ model, looked, total: found.length + decided, decided, items: shown } satisfies IssuesDocument);
      return EXIT.fine;
    }
    if (found.length === 0) {
      const words = decided > 0 ? `All ${whole(decided)} doubtful labels are decided.` : "No label looks wrong.";
      print(`${words} ${whole(looked)} labelled rows were looked at, by ${model}.`);
      return EXIT.fine;
    }
    print(
      `${whole(found.length)} labels of ${whole(looked)} rows may be wrong, by ${model}${decided > 0 ? ` (${whole(decided)} more are decided)` : ""}. Most doubtful first:`,
    );
    const lines = shown.map((item) => [
      item.file === null ? "" : `${relative(process.cwd(), item.file)}:${item.line}`,
      item.row,
      item.target,
      `${item.given} → ${item.suggested}`,
      percent(item.doubt, 0),
      cut(item.text, 50),
    ]);
    print(table(lines, 99));
    if (found.length > shown.length) print(`… and ${whole(found.length - shown.length)} more (--limit N)`);
    print(
      `Change one as a decision: clf review ${project} ROW TARGET LABEL. It is right as it is: name the same label.`,
    );
    return EXIT.fine;
  });
}
