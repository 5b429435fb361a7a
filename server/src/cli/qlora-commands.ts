/** `clf bench-host`, `clf export-model`: the worker's own commands, run in its environment on this machine. */
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { BenchHostDocument } from "../../../schemas/cli.ts";
import { workerCommand } from "../engines/qlora/worker.ts";
import { currentFineTune, modelSpec } from "../workflow/artifacts.ts";
import { readData } from "../workflow/data.ts";
import { type Session, WorkflowError } from "../workflow/session.ts";
import { CliError, EXIT, print, printJson, say, table, whole } from "./io.ts";
import { projectPath, withProject } from "./project.ts";

function qloraSpec(session: Session, model: string) {
  const spec = modelSpec(session, model);
  if (spec.engine === "qlora") return spec;
  throw new CliError(`Model "${model}" is of engine ${spec.engine}; this command is for engine qlora.`, EXIT.usage);
}

/** Runs a module of the worker. What it prints is its answer; what it says of itself goes to the terminal. */
async function worker(module: string, args: string[], folder?: string): Promise<string> {
  const [command, ...script] = workerCommand();
  const { stdout, exitCode } = await execa(command, [...script, "--python", "-m", module, ...args], {
    stderr: "inherit",
    reject: false,
    ...(folder === undefined ? {} : { cwd: folder }),
  });
  if (exitCode !== 0) throw new WorkflowError("The worker could not do it: what it said stands above.");
  return stdout;
}

export async function benchHost(
  path: string,
  options: { json?: boolean; model: string; rows?: number },
): Promise<number> {
  return withProject(path, async (session) => {
    const spec = qloraSpec(session, options.model);
    const { dataset } = await readData(session, { saveSplits: false });
    const labels = dataset.rows.targets[0]!.labels.map(({ name }) => name);
    const base = resolve(session.project.folder, spec.base);
    const folder = await mkdtemp(join(tmpdir(), "clf-bench-host-"));
    try {
      const file = join(folder, "model.json");
      await writeFile(file, JSON.stringify({ spec: { ...spec, base: existsSync(base) ? base : spec.base }, labels }));
      say(`Loading ${spec.base}: this takes a while.`);
      const rows = options.rows ? ["--rows", String(options.rows)] : [];
      const found = BenchHostDocument.parse(JSON.parse(await worker("clf_worker.bench", [file, ...rows])));
      if (options.json) printJson(found);
      else {
        print(`${found.device}, ${spec.base}${found.quantized ? ", NF4" : ""}, ${whole(labels.length)} labels`);
        print(
          table([
            ["", "tokens", "trie nodes", "rows/s", "on paper, A10G", "$ a million at $1/h"],
            ...found.rates.map((rate) => [
              rate.head,
              String(rate["tokens a row"]),
              String(rate["trie nodes"]),
              rate["rows a second"].toFixed(2),
              rate["rows a second on paper, A10G"].toFixed(1),
              rate["dollars a million rows at $1 an hour"].toFixed(1),
            ]),
          ]),
        );
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    return EXIT.fine;
  });
}

export async function exportModel(
  path: string,
  options: { json?: boolean; model: string; output: string; merged?: boolean },
): Promise<number> {
  return withProject(path, async (session) => {
    qloraSpec(session, options.model);
    const job = await currentFineTune(session, options.model);
    if (!job) {
      throw new WorkflowError(
        `Model "${options.model}" has not been fine-tuned as it now stands. Run: clf fine-tune ${projectPath(session)} --model ${options.model}`,
      );
    }
    const output = resolve(options.output);
    const model = join(session.jobs.store.folder(job.id), "model");
    // A base that was brought to a host is named as the project names it: by a path from its folder.
    await worker("clf_worker.export", [model, output, ...(options.merged ? ["--merged"] : [])], session.project.folder);
    if (options.json) printJson({ file: output, job: job.id });
    else
      print(`${output}: adapter, prompt, labels${options.merged ? ", merged model" : ""} and README.md of ${job.id}`);
    return EXIT.fine;
  });
}
