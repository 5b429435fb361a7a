/** docs/cli.md: the commands and options as commander has them, and the words around them. */
import type { Argument, Command, Option } from "commander";
import { program } from "../server/src/cli/program.ts";

const INTRO = `<!-- Generated from server/src/cli/program.ts and schemas/cli.ts by \`npm run generate\`. Change it there. -->

# The command line

The same code as the editor, with the same results: for continuous integration, for scripts, and for people who like terminals.
From a clone it is \`node bin/clf\`, once \`npm start\` or \`npm run build\` has built it.

- PROJECT is a \`.clf.yaml\` file, or a folder with one in it (\`.\`).
- The result goes to standard output; words about problems and progress to standard error. Progress is shown on a terminal only.
- \`--json\` prints exactly one JSON document on standard output. Its shape is in [schemas/cli.ts](../schemas/cli.ts). A command that fails
  prints \`{"error": {"message", "exit_code", "problems", "job"}}\`.
- Jobs go on when the command is killed or the terminal is closed. Ctrl+C asks the job to stop; a second one does not wait for it.

| exit code | meaning |
|---|---|
| 0 | fine |
| 1 | the project or its data has errors; or what was asked for cannot be done as things stand |
| 2 | wrong usage: an option, a name or a file that is not there |
| 3 | a job failed, was lost or was cancelled |
`;

/** By command: an example, what else there is to know, and the names of its JSON documents in schemas/cli.ts. */
const MORE: Record<string, { example: string; text?: string; documents?: string[] }> = {
  init: {
    example: "clf init data/injuries.csv",
    text: "The longest varied text becomes the input, columns of few short values become targets, a column of distinct short values the id. An existing file is never overwritten.",
    documents: ["InitDocument"],
  },
  import: {
    example:
      "clf import train.jsonl validation.jsonl --output data/chat.jsonl\nclf import ./banking77 --output data/banking77.jsonl",
    text: "A folder is a Hugging Face dataset of Parquet files: labels are written by name, and the split of each file into a column. Files are chat JSONL as OpenAI's fine-tuning takes it: the last text of the user, and the answer, or a column for each field of an answer in JSON; names that hold train, validation or test tell the split. Then `clf init`. See [interchange.md](interchange.md).",
    documents: ["ImportDocument"],
  },
  check: {
    example: "clf check .",
    text: "Problems are printed as `file:line:column: severity: message`, which editors and terminals make clickable. Writes nothing.",
    documents: ["CheckDocument"],
  },
  profile: { example: "clf profile .", documents: ["ProfileDocument"] },
  "fine-tune": { example: "clf fine-tune . --model baseline", documents: ["FineTuneDocument"] },
  evaluate: {
    example: "clf evaluate . --model baseline --json",
    text: "The figures are measured on the test rows; the confidence is calibrated and the accept rule certified on the validation rows. Rows without labels are predicted as well, so that `clf flagged` can show them. `--learning-curve` takes about as long as another fine-tune.",
    documents: ["EvaluateDocument", "DryRunDocument"],
  },
  prompt: {
    example: "clf prompt . --model zero-shot --row 10482",
    text: "Nothing is sent. Tokens are estimated.",
    documents: ["PromptDocument"],
  },
  signals: {
    example: "clf signals . --model zero-shot",
    text: "Asks the labelled tune rows once with log-probabilities and `confidence.samples` times for votes, and compares the signals by the area under their risk-coverage curve. See [chat.md](chat.md).",
    documents: ["SignalsDocument"],
  },
  "few-shot": {
    example: "clf few-shot . --after zero-shot",
    text: "Writes the model into the project file, then evaluates both on the same rows. The labels that are wrong most often on tune rows get examples from train.",
    documents: ["CompareDocument", "FewShotDocument"],
  },
  compare: { example: "clf compare . --model baseline --model balanced", documents: ["CompareDocument"] },
  predict: {
    example:
      'clf predict . --text "Employee slipped on ice and broke his wrist"\nclf predict . new.csv --output predicted.csv',
    text: "A text and the rows of a FILE are predicted at once, by engine `linear` only, and need the input columns alone. `--pool` and `--out-of-fold` are jobs, of any engine. There is no confidence before the model has been evaluated as it now stands.",
    documents: ["PredictTextDocument", "PredictFileDocument", "PredictJobDocument"],
  },
  flagged: {
    example: "clf flagged . --target NatureTitle --reason label-issue --limit 20",
    text: "Rows of the pool that are not accepted, and labelled rows whose label looks wrong (after `clf predict --out-of-fold`).",
    documents: ["FlaggedDocument"],
  },
  review: {
    example:
      'clf review . 10483 NatureTitle "Crushing injuries"\nclf review . 10484 NatureTitle --confirm\nclf review . --undo\nclf review . --from decisions.jsonl',
    text: 'Decisions are appended to the file `review.decisions` names; nothing is ever removed from it ([review.md](review.md)). `--confirm` agrees with the prediction, or with the label in the data where there is no prediction. A line of `--from` is `{"row": …, "target": …, "label": …}`, or has `"kind": "confirmed"`, `"none"` or `"skipped"` instead of a label; all lines are checked before the first is recorded.',
    documents: ["ReviewDocument", "UndoDocument"],
  },
  slices: {
    example: "clf slices . --column Employer",
    text: "Accuracy, confidence, accepted share and the share of wrong ones among the accepted on the test rows of the newest evaluation, by the values of any column of the data. A value is marked where the interval of its accuracy lies wholly below or above that of all test rows; among many values some are so by chance.",
    documents: ["SlicesDocument"],
  },
  issues: {
    example: "clf predict . --out-of-fold\nclf issues . --limit 20",
    text: "By confident learning on out-of-fold probabilities: `clf predict --out-of-fold` comes first. Whoever decides with `clf review` changes what the next fine-tune learns; the data file stays as it is. In the editor the same labels are marked in the data file, with quick fixes.",
    documents: ["IssuesDocument"],
  },
  rounds: {
    example: "clf rounds .",
    text: "A line a fine-tune that has been evaluated, oldest first: rows trained on, rows decided, accuracy and accepted share of the test rows, and the change against the round before on the same rows with the same labels. `uses` counts the models and rounds that the validation rows have certified: each costs all of them a little certainty.",
    documents: ["RoundsDocument"],
  },
  audit: {
    example: "clf audit .",
    text: "A share of the accepted rows (`confidence.audit`) is drawn by a seeded hash and judged without seeing the prediction, with `clf review`. Printed: what is drawn and judged, the share of wrong ones between bounds that hold at every look, and the increase that so many rows would have shown. Skips count as wrong.",
    documents: ["AuditDocument"],
  },
  relabel: {
    example: 'clf relabel . --limit 20\nclf review . 10483 NatureTitle "Crushing injuries" --blind',
    text: "`review.relabel` validation rows are drawn at random, to be labelled again by somebody who sees neither their label nor the prediction. That changes no label and no figure. It tells how wrong the given labels are, and stands beside every certificate from then on.",
    documents: ["RelabelDocument"],
  },
  cost: {
    example: "clf cost . --rows 50000 --review 0.40",
    text: "For each model its training, its predictions and, with a price of a review, people: what its accept rule leaves to them on the test rows, and the accepted wrong ones. Then, for any two models, the number of rows from which one is cheaper. Times of machines are those of whole jobs, so an upper bound; prices are those of hosts and endpoints, and a table says how old it is. See [chat.md](chat.md).",
    documents: ["CostDocument"],
  },
  serve: {
    example: "clf serve . --model baseline --port 8710",
    text: "Answers with label, confidence, accepted or flagged, and the certificate that stands behind it; rows that a person has to see are written to the pool. With `--json` the document is printed once the server answers. See [serve.md](serve.md).",
    documents: ["ServeDocument"],
  },
  export: {
    example: "clf export . --output predictions.csv\nclf export . --format huggingface --output dataset",
    text: "Every row that the model has judged or a person has decided: id, split, inputs, then for each target the label in the data, the decision, the prediction, its confidence, whether it is accepted, and why not. In csv and tsv a cell that a spreadsheet would run as a formula gets an apostrophe. With `--format` the rows and labels alone, as a model would be trained and judged on them, people's decisions among them: [interchange.md](interchange.md).",
    documents: ["ExportDocument", "ExportDataDocument"],
  },
  jobs: {
    example: "clf jobs .\nclf jobs . logs 20261121-2330-baseline-7f3ac20d\nclf jobs . clean --keep 3",
    text: "What `clean` deletes is never a model's current fine-tune, its newest evaluation or its newest predictions, nor what runs.",
    documents: ["JobsDocument", "JobDocument", "JobLogDocument", "JobStateDocument", "JobsDeletedDocument"],
  },
  hosts: {
    example: "clf hosts add . ubuntu@a10g --price 1.00\nclf hosts check . a10g",
    text: "`check` ends with exit code 1 when something is missing, and says what to do about it. `add` without an address lists the hosts of your ssh config. See [remote-host.md](remote-host.md).",
    documents: ["HostsDocument", "HostAddedDocument"],
  },
  "export-model": {
    example: "clf export-model . --model tuned --output tuned-qwen --merged",
    text: "The adapter, the prompt, the labels, and a README.md that says how to serve it. See [qlora.md](qlora.md).",
    documents: ["ExportModelDocument"],
  },
  "bench-host": {
    example: "clf bench-host . --model tuned",
    text: "Beside what is expected of one A10G on paper ([a10g.md](a10g.md)). Untuned, with random tokens for texts: every trie node is evaluated.",
    documents: ["BenchHostDocument"],
  },
  report: { example: "clf report . --output report.html", documents: ["ReportDocument", "ReportFileDocument"] },
  lsp: { example: "clf lsp --stdio", text: "For any editor that speaks the Language Server Protocol." },
  completion: { example: 'eval "$(clf completion bash)"' },
};

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

function optionLine({ flags, description, argChoices, mandatory }: Option): string {
  const choices = argChoices ? ` One of: ${argChoices.join(", ")}.` : "";
  return `| \`${cell(flags)}\` | ${cell(description)}${mandatory ? " (required)" : ""}${choices} |`;
}

const argumentName = ({ name, required }: Argument): string =>
  required ? name().toUpperCase() : `[${name().toUpperCase()}]`;

function section(command: Command): string {
  const more = MORE[command.name()];
  if (!more) throw new Error(`docs/cli.md: say something of ${command.name()} in scripts/cli-page.ts`);
  const usage = command.usage() || command.registeredArguments.map(argumentName).join(" ");
  const lines = [
    `## clf ${command.name()}`,
    "",
    `${sentence(command.description())}${more.text ? ` ${more.text}` : ""}`,
    "",
    "```",
    `clf ${command.name()} ${usage}`.trim(),
    "```",
    "",
    "For example:",
    "",
    "```sh",
    more.example,
    "```",
  ];
  if (command.options.length > 0) lines.push("", "| option | |", "|---|---|", ...command.options.map(optionLine));
  if (more.documents) lines.push("", `JSON: ${more.documents.map((name) => `\`${name}\``).join(", ")}.`);
  return `${lines.join("\n")}\n`;
}

const sentence = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}.`;

export function cliReference(): string {
  const { commands } = program(() => {});
  const list = commands.map(
    (command) => `| [\`${command.name()}\`](#clf-${command.name()}) | ${cell(command.description())} |`,
  );
  return [INTRO, ["| command | |", "|---|---|", ...list].join("\n"), ...commands.map(section)]
    .join("\n\n")
    .replaceAll(/\n{3,}/g, "\n\n");
}
