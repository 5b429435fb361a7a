/** The commands and their options. docs/cli.md is generated from this. */
import { Command, InvalidArgumentError, Option } from "commander";
import { clfVersion } from "../versions.ts";
import { audit, relabel } from "./blind-commands.ts";
import { fewShot, prompt, signals } from "./chat-commands.ts";
import { completionScript } from "./completion.ts";
import { check, init, profile } from "./data-commands.ts";
import { hosts } from "./host-commands.ts";
import { CliError, EXIT } from "./io.ts";
import { issues } from "./issues-command.ts";
import { jobs, report } from "./job-commands.ts";
import { compare, evaluate, fineTune } from "./model-commands.ts";
import { benchHost, exportModel } from "./qlora-commands.ts";
import { rounds } from "./rounds-command.ts";
import { exportRows, flagged, predict, review } from "./row-commands.ts";
import { slices } from "./slices-command.ts";

const wholeNumber = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("A whole number, 1 or more.");
  return value;
};
const price = (text: string): number => {
  const value = Number(text);
  if (!(value >= 0) || text.trim() === "") throw new InvalidArgumentError("Dollars an hour, 0 or more.");
  return value;
};
const portNumber = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) throw new InvalidArgumentError("A port: 0 to 65535.");
  return value;
};
const amount = (text: string): number => {
  const value = Number(text);
  if (!(value >= 0) || text.trim() === "") throw new InvalidArgumentError("Dollars, 0 or more.");
  return value;
};
const numbers = (text: string, before: number[] | undefined): number[] => [...(before ?? []), wholeNumber(text)];
const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

/** The commands; `run` gets each one's exit code. */
export function program(run: (code: Promise<number>) => void): Command {
  const clf = new Command("clf")
    .description("Author text classifiers whose confidence can be trusted.")
    .version(clfVersion(), "-V, --version")
    .showHelpAfterError("(clf --help shows all commands)")
    .showSuggestionAfterError();
  const command = (name: string, usage: string, description: string): Command =>
    clf
      .command(name)
      .usage(usage)
      .description(description)
      .showHelpAfterError(`(clf ${name.split(" ")[0]} --help shows its options)`)
      .option("--json", "print one JSON document on standard output");
  const models = (which: string) =>
    new Option("-m, --model <name>", `a model by name; repeatable; default: ${which}`).argParser(collect);
  const model = () => new Option("-m, --model <name>", "the model; default: review.model");
  const threads = () => new Option("--threads <n>", "threads a job may use; default: all").argParser(wholeNumber);

  command("init <data>", "DATA [options]", "write a commented project file beside a data file")
    .option("-o, --output <file>", "the project file; default: beside the data")
    .option("-i, --input <column>", "an input column; repeatable; default: guessed", collect)
    .option("-t, --target <column>", "a label column; repeatable; default: guessed", collect)
    .option("--id <column>", "the id column")
    .action((data, options) => run(init(data, options)));
  command(
    "import <sources...>",
    "SOURCE… --output FILE",
    "OpenAI chat JSONL, or a Hugging Face dataset folder, as data",
  )
    .requiredOption("-o, --output <file>", "the data file to make, .jsonl")
    .action((sources, options) =>
      run(import("./import-command.ts").then(({ importCommand }) => importCommand(sources, options))),
    );
  command("check <project>", "PROJECT [options]", "all problems of a project file and its data").action(
    (path, options) => run(check(path, options)),
  );
  command("profile <project>", "PROJECT [options]", "what is in the data").action((path, options) =>
    run(profile(path, options)),
  );
  command("fine-tune <project>", "PROJECT [options]", "fine-tune models")
    .addOption(models("all of engine linear or predictions"))
    .option("--host <name>", "where to run; default: the model's host, else local")
    .addOption(threads())
    .action((path, options) => run(fineTune(path, options)));
  command(
    "evaluate <project>",
    "PROJECT [options]",
    "evaluate models: accuracy, calibrated confidence, accept rule; fine-tunes first what needs it",
  )
    .addOption(models("all of engine linear or predictions"))
    .option("--host <name>", "where to run; default: the model's host, else local")
    .option("--no-pool", "leave the rows without labels out")
    .option("--learning-curve", "measure what more training rows would give: fits parts of them, engine linear only")
    .option("--dry-run", "say what asking the endpoints would cost, and send nothing")
    .option("--job <id>", "the fine-tune whose artifact is evaluated; default: the current one")
    .addOption(threads())
    .action((path, options) => run(evaluate(path, options)));
  command("prompt <project>", "PROJECT [options]", "a row's prompt as it would be sent, with tokens and price")
    .addOption(model())
    .option("--row <id>", "the row; default: the first tune row")
    .action((path, options) => run(prompt(path, options)));
  command("signals <project>", "PROJECT [options]", "which signal of confidence ranks a prompted model's answers best")
    .addOption(model())
    .action((path, options) => run(signals(path, options)));
  command(
    "few-shot <project>",
    "PROJECT --after MODEL [options]",
    "a few-shot model aimed at a zero-shot model's errors",
  )
    .requiredOption("--after <name>", "the zero-shot model, evaluated")
    .option("--name <name>", "the new model's name; default: MODEL-few-shot")
    .option("--no-evaluate", "write it into the project file, and no more")
    .action((path, options) => run(fewShot(path, options)));
  command("compare <project>", "PROJECT [options]", "evaluate several models side by side on the same rows")
    .addOption(models("all of engine linear or predictions"))
    .addOption(threads())
    .action((path, options) => run(compare(path, options)));
  command(
    "predict <project> [file]",
    "PROJECT [FILE] [options]",
    "predict a text, the rows of a file, the pool, or the rows trained on",
  )
    .addOption(model())
    .option("-t, --text <text>", "a text for the first input")
    .option("-i, --input <name=text>", "an input by name; repeatable", collect)
    .option("-o, --output <file>", "with FILE: write csv, tsv or jsonl; default: csv on standard output")
    .option("--pool", "the rows without labels (the default)")
    .option("--out-of-fold", "the labelled train rows, each by a model that has not seen it")
    .addOption(threads())
    .action((path, file, options) => run(predict(path, file, options)));
  command("flagged <project>", "PROJECT [options]", "the rows that wait for a person")
    .addOption(model())
    .option("--target <name>", "only this target; repeatable", collect)
    .option("--reason <reason>", "only rows flagged for this reason; repeatable", collect)
    .option("--label <label>", "only this predicted label; repeatable", collect)
    .option("--pair <labels...>", "only rows that stand between these two labels: --pair A B")
    .addOption(
      new Option("--order <order>", "default: review.order").choices([
        "margin",
        "confidence",
        "label-issues",
        "informative",
        "random",
        "file",
      ]),
    )
    .addOption(new Option("-n, --limit <n>", "rows shown; default: 50").argParser(wholeNumber))
    .action((path, options) => run(flagged(path, options)));
  command("review <project> [row] [target] [label]", "PROJECT ROW TARGET LABEL [options]", "record a decision on a row")
    .addOption(model())
    .option("--confirm", "the prediction is right")
    .option("--none", "none of these labels")
    .option("--skip", "decide later")
    .option("--undo", "take back your last decision")
    .option("--note <text>", "a note on the decision")
    .option("--blind", "neither label nor prediction was seen: for the rows of clf relabel")
    .option("--from <file>", 'record many: a JSON line each, {"row", "target", "label"}')
    .action((path, row, target, label, options) => run(review(path, row, target, label, options)));
  command("slices <project>", "PROJECT --column NAME [options]", "test figures by the values of a column of the data")
    .requiredOption("-c, --column <name>", "the column")
    .addOption(model())
    .action((path, options) => run(slices(path, options)));
  command("issues <project>", "PROJECT [options]", "labels in the data that are probably wrong, most doubtful first")
    .addOption(model())
    .option("--target <name>", "only this target; repeatable", collect)
    .addOption(new Option("-n, --limit <n>", "rows shown; default: 50").argParser(wholeNumber))
    .action((path, options) => run(issues(path, options)));
  command("audit <project>", "PROJECT [options]", "accepted rows that are judged all the same: is the promise kept")
    .addOption(model())
    .addOption(new Option("-n, --limit <n>", "rows shown; default: 10").argParser(wholeNumber))
    .action((path, options) => run(audit(path, options)));
  command(
    "relabel <project>",
    "PROJECT [options]",
    "random validation rows to be labelled again, blind: how wrong the given labels are",
  )
    .addOption(model())
    .addOption(new Option("-n, --limit <n>", "rows shown; default: 10").argParser(wholeNumber))
    .action((path, options) => run(relabel(path, options)));
  command("rounds <project>", "PROJECT [options]", "what each round of fine-tune and review bought")
    .addOption(model())
    .action((path, options) => run(rounds(path, options)));
  command("cost <project>", "PROJECT [options]", "what each model costs over volume, and where one becomes cheaper")
    .option("--rows <n>", "a number of rows; repeatable; default: 1000, 100000, 1000000", numbers)
    .addOption(new Option("--review <dollars>", "price of a review; default: confidence.price").argParser(amount))
    .addOption(
      new Option("--error <dollars>", "price of an accepted wrong row; default: confidence.price").argParser(amount),
    )
    .addOption(new Option("--hour <dollars>", "price of an hour where a host has none; default: 0").argParser(price))
    .action((path, options) => run(import("./cost-command.ts").then(({ cost }) => cost(path, options))));
  command("serve <project>", "PROJECT [options]", "answer POST /classify and GET /health on this machine, until Ctrl+C")
    .addOption(model())
    .addOption(new Option("-p, --port <n>", "the port; 0: any that is free; default: 8710").argParser(portNumber))
    .option("--pool <file>", "where flagged rows are written, .jsonl; default: served.jsonl in the pool's folder")
    .action((path, options) => run(import("./serve-command.ts").then(({ serve }) => serve(path, options))));
  command("export <project>", "PROJECT --output FILE [options]", "predictions beside the source columns")
    .addOption(model())
    .addOption(
      new Option(
        "--format <format>",
        "rows and labels instead, for other tools: chat JSONL, or a dataset folder",
      ).choices(["openai-chat", "huggingface"]),
    )
    .requiredOption("-o, --output <file>", "the file: .csv, .tsv or .jsonl; with --format the folder to make")
    .action((path, options) => run(exportRows(path, options)));
  command(
    "jobs <project> [action] [id]",
    "PROJECT [show|logs|cancel|resume|delete ID | clean] [options]",
    "list jobs; or show, logs, cancel, resume, delete one; or clean old ones",
  )
    .addOption(
      new Option(
        "--keep <n>",
        "clean: ended jobs of each model and kind that stay beside those in use; default: 10",
      ).argParser(wholeNumber),
    )
    .addOption(new Option("--days <n>", "clean: older jobs go however few there are").argParser(wholeNumber))
    .action((path, action, id, options) => run(jobs(path, action, id, options)));
  command(
    "hosts <action> <project> [host]",
    "check PROJECT [HOST] | add PROJECT [ADDRESS] [options]",
    "what a remote machine has and lacks; or add one to the project",
  )
    .option("--name <name>", "add: its name in the project; default: from the address")
    .option("--workdir <folder>", "add: the folder for jobs there; default: ~/clf")
    .addOption(new Option("--price <dollars>", "add: price an hour").argParser(price))
    .action((action, path, host, options) => run(hosts(action, path, host, options)));
  command(
    "export-model <project>",
    "PROJECT --model NAME --output DIR [options]",
    "a fine-tuned model of engine qlora, to be served elsewhere",
  )
    .requiredOption("-m, --model <name>", "the model")
    .requiredOption("-o, --output <dir>", "the folder to make; one that is there is replaced")
    .option("--merged", "the whole model with the adapter in it, beside the adapter")
    .action((path, options) => run(exportModel(path, options)));
  command(
    "bench-host <project>",
    "PROJECT --model NAME [options]",
    "rows a second of a model of engine qlora on this machine",
  )
    .requiredOption("-m, --model <name>", "the model")
    .option("--rows <n>", "rows at once; default: 64 on a GPU, 2 without", wholeNumber)
    .action((path, options) => run(benchHost(path, options)));
  command("report <project>", "PROJECT [options]", "the newest report: on the terminal, as JSON, or as one HTML file")
    .addOption(model())
    .option("--job <id>", "the report of this job")
    .option("-o, --output <file>", "write one self-contained HTML file")
    .action((path, options) => run(report(path, options)));
  clf
    .command("lsp")
    .description("the language server, for any editor")
    .option("--stdio", "speak over standard input and output (the default)")
    .action(() => run(import("../server.ts").then(({ serveStdio }) => serveStdio())));
  clf
    .command("completion <shell>")
    .usage("bash|zsh|fish")
    .description("print a completion script: bash, zsh or fish")
    .action((shell) => run(Promise.resolve().then(() => printCompletion(clf, shell))));
  return clf;
}

function printCompletion(clf: Command, shell: string): number {
  const script = completionScript(clf, shell);
  if (script === null) throw new CliError(`No completion for "${shell}". Shells: bash, zsh, fish.`, EXIT.usage);
  process.stdout.write(script);
  return EXIT.fine;
}
