/** `clf prompt`, `clf signals`, `clf few-shot`: prompted models. */
import { dollars } from "../engines/chat/price.ts";
import { writeFewShot } from "../workflow/few-shot.ts";
import { previewPrompt } from "../workflow/prompt-preview.ts";
import { signalsOf } from "../workflow/signals.ts";
import { EXIT, percent, print, printJson, say, table, whole } from "./io.ts";
import { runJob } from "./jobs.ts";
import { compare, knownModel } from "./model-commands.ts";
import { projectPath, soundData, withProject } from "./project.ts";

interface PromptOptions {
  json?: boolean;
  model?: string;
  row?: string;
}

export async function prompt(path: string, options: PromptOptions): Promise<number> {
  return withProject(path, async (session, { locate }) => {
    const model = knownModel(session, options.model ?? session.project.reviewModel);
    const data = await soundData(session, locate);
    const preview = await previewPrompt(session, data, model, options.row);
    if (options.json) {
      printJson(preview);
      return EXIT.fine;
    }
    for (const { role, content } of preview.messages) print(`── ${role}\n${content}\n`);
    const { prompt: asked, completion } = preview.tokens;
    const price =
      preview.cost === null ? "its price is not known" : `${dollars(preview.cost)} (prices: ${preview.price_from})`;
    say(`Row ${preview.row} (${preview.split}): about ${whole(asked)} + ${whole(completion)} tokens, ${price}.`);
    for (const { row, why } of preview.shots) say(`Example ${row}: ${why}.`);
    for (const note of preview.notes) say(note);
    return EXIT.fine;
  });
}

export async function signals(path: string, options: { json?: boolean; model?: string }): Promise<number> {
  return withProject(path, async (session, { locate }) => {
    const model = knownModel(session, options.model ?? session.project.reviewModel);
    const data = await soundData(session, locate);
    const job = await runJob(session, data, { kind: "predict", models: [model], splits: ["tune"], signals: true });
    const targets = await signalsOf(session, job.id, model);
    if (options.json) {
      printJson({ model, job: job.id, targets });
      return EXIT.fine;
    }
    for (const [target, { rows, signals: found }] of Object.entries(targets)) {
      print(`${target}: ${whole(rows)} tune rows; lowest AURC first (mean error rate over all coverages)`);
      const lines = found.map(({ name, accuracy, aurc, auroc }) => [
        name,
        aurc.value.toFixed(4),
        `${aurc.low.toFixed(4)}–${aurc.high.toFixed(4)}`,
        auroc?.toFixed(3) ?? "–",
        percent(accuracy),
      ]);
      print(table([["signal", "AURC", "95 %", "AUROC", "accuracy"], ...lines]));
      print();
    }
    print(
      "A model's score can be logprobs or votes (confidence.signal), per token or content-free (confidence.length_bias); the others are there to compare with.",
    );
    return EXIT.fine;
  });
}

interface FewShotOptions {
  json?: boolean;
  after: string;
  name?: string;
  evaluate?: boolean;
}

export async function fewShot(path: string, options: FewShotOptions): Promise<number> {
  const { model, project } = await withProject(path, async (session) => {
    const name = await writeFewShot(session, knownModel(session, options.after), options.name);
    return { model: name, project: projectPath(session) };
  });
  if (options.evaluate === false) {
    if (options.json) printJson({ model, after: options.after, job: null });
    else
      print(
        `${model} is in the project file. Compare: clf compare ${project} --model ${model} --model ${options.after}`,
      );
    return EXIT.fine;
  }
  say(`${model} is in the project file; now both are evaluated on the same rows.`);
  return compare(path, { model: [model, options.after], ...(options.json ? { json: true } : {}) });
}
