/** `clf serve`: a finished model answers over HTTP on this machine, until Ctrl+C. */
import { dirname, join, relative, resolve } from "node:path";
import type { ClassifyAnswer, ServeHealth } from "../../../schemas/serve.ts";
import { EngineError } from "../engines/engine.ts";
import { isGlob, isInside } from "../project/paths.ts";
import { clfVersion } from "../versions.ts";
import { openServedModel, type ServedModel } from "../workflow/served-model.ts";
import { openServedPool, type ServedPool } from "../workflow/served-pool.ts";
import { type Session, WorkflowError } from "../workflow/session.ts";
import { CliError, EXIT, percent, print, printJson, say } from "./io.ts";
import { knownModel } from "./model-commands.ts";
import { withProject } from "./project.ts";
import { type Listening, listen } from "./serve-http.ts";

interface ServeOptions {
  json?: boolean;
  model?: string;
  port?: number;
  pool?: string;
}

const PORT = 8710;
/** Seconds after which to ask again while the model is loaded. */
const RETRY = 5;
const POOL_FILE = "served.jsonl";

export async function serve(path: string, options: ServeOptions): Promise<number> {
  return withProject(path, async (session) => {
    const name = knownModel(session, options.model ?? session.project.reviewModel);
    const model = await openServedModel(session, name, { warn: say });
    const pool = await openServedPool(session.project, poolFile(session, options.pool));
    const stop = interrupted();
    const listening = await listenOn(session, model, pool, options.port ?? PORT);
    try {
      if (await loaded(model, listening.url, stop)) {
        if (options.json) printJson({ url: listening.url, model: name, job: model.job, pool: pool.file });
        else {
          print(`${name} answers at ${listening.url}: POST /classify, GET /health. Ctrl+C ends it.`);
          for (const words of certificateWords(model)) print(words);
        }
        await sayPool(session, pool);
        await stop;
      }
      say("Stopping: requests that are here are answered. Ctrl+C again to leave at once.");
      process.once("SIGINT", () => process.exit(130));
    } finally {
      await listening.close();
      await model.close();
    }
    return EXIT.fine;
  });
}

/** Waits until the model is loaded; false when the server is asked to end before. */
async function loaded(model: ServedModel, url: string, stop: Promise<void>): Promise<boolean> {
  if (model.state.status !== "ok") say(`Loading ${model.name}. GET ${url}/health says when rows are answered.`);
  try {
    return await Promise.race([model.ready().then(() => true), stop.then(() => false)]);
  } catch (error) {
    if (error instanceof EngineError) throw new CliError([error.message, error.remedy ?? ""].join(" ").trim());
    throw error;
  }
}

/** Rows that come before the model is loaded. */
class NotLoaded extends Error {}

/** Where the worker has ended, another one is started. @throws NotLoaded */
function requireLoaded(model: ServedModel): void {
  const { status, message } = model.state;
  if (status === "ok") return;
  if (status === "failed") model.ready().catch(() => {});
  throw new NotLoaded(
    status === "failed"
      ? `${model.name} is loaded again: ${message}`
      : `${model.name} is still being loaded${message ? ` (${message})` : ""}.`,
  );
}

/** In the folder of the first pattern of `dataset.pool` that is one, else in `inbox`. */
function poolFile({ project }: Session, given: string | undefined): string {
  if (given !== undefined) {
    const file = resolve(given);
    if (!isInside(project.folder, file))
      throw new CliError("The file of --pool must lie in the project's folder or below it.", EXIT.usage);
    if (!/\.(jsonl|ndjson)$/i.test(file)) throw new CliError("The file of --pool must end in .jsonl.", EXIT.usage);
    return file;
  }
  const pool = [project.spec.dataset.pool ?? []].flat().find(isGlob);
  const folder = pool === undefined || isGlob(dirname(pool)) ? "inbox" : dirname(pool);
  return join(project.folder, folder, POOL_FILE);
}

async function listenOn(session: Session, model: ServedModel, pool: ServedPool, port: number): Promise<Listening> {
  const since = new Date().toISOString();
  const counts = { answered: 0, accepted: 0, flagged: 0 };
  const { project } = session;
  let warned = false;
  try {
    return await listen(port, {
      inputs: project.inputs.map(({ name }) => name),
      async classify(given): Promise<ClassifyAnswer> {
        requireLoaded(model);
        const rows = await model.classify(given);
        // What a person has to look at: whatever is not accepted, and what the audit drew.
        const seen = rows.map(({ targets }) => targets.some(({ reasons }) => reasons.length > 0));
        const joining = rows.flatMap(({ row }, i) => (seen[i] ? [{ row, inputs: given[i]!.inputs }] : []));
        const added = joining.length === 0 ? [] : await pool.add(joining);
        counts.answered += rows.length;
        counts.accepted += rows.filter(({ accepted }) => accepted).length;
        counts.flagged = counts.answered - counts.accepted;
        if (added.length > 0 && !warned) {
          warned = true;
          await sayPool(session, pool);
        }
        let next = 0;
        return {
          model: model.name,
          job: model.job,
          certificates: model.certificates,
          rows: rows.map((row, i) => ({ ...row, pool: seen[i] ? (added[next++] ? "joined" : "known") : null })),
        };
      },
      async health(): Promise<ServeHealth> {
        return {
          ...model.state,
          version: clfVersion(),
          project: project.name,
          model: model.name,
          engine: model.engine,
          job: model.job,
          artifact: model.artifact,
          inputs: project.inputs.map(({ name }) => name),
          targets: model.targets,
          certificates: model.certificates,
          since,
          rows: counts,
          pool: { file: pool.file, rows: pool.rows, named: await pool.named() },
        };
      },
      explain(error) {
        if (error instanceof NotLoaded) {
          const remedy = "Ask again when /health says ok.";
          return { status: 503, message: error.message, remedy, headers: { "retry-after": `${RETRY}` } };
        }
        // The endpoint or worker behind the model, or a disk that is full: whoever asked may try again.
        if (error instanceof EngineError)
          return { status: 502, message: error.message, remedy: error.remedy ?? "Try again." };
        if (error instanceof WorkflowError)
          return { status: 503, message: error.message, remedy: "Mend that, then ask again." };
        return undefined;
      },
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") throw new CliError(`Port ${port} is in use. Name another one: --port N (0: any).`);
    if (code === "EACCES")
      throw new CliError(`Port ${port} may not be used by you. Name another one: --port N (0: any).`);
    throw error;
  }
}

/** Says what is still to be done for flagged rows to be reviewed. */
async function sayPool({ project }: Session, pool: ServedPool): Promise<void> {
  const file = relative(project.folder, pool.file).replaceAll("\\", "/");
  if ((await pool.named()) === false) {
    say(
      `Flagged rows are written to ${file}, which dataset.pool does not name: add it there, and they are reviewed like other rows of the pool.`,
    );
  }
}

function* certificateWords(model: ServedModel): Generator<string> {
  for (const { targets, certified, risk, certainty, coverage, label_source, threshold, why } of model.certificates) {
    const of = model.certificates.length > 1 ? `${targets.join(" and ")}: ` : "";
    if (certified && risk !== null && certainty !== null && coverage !== null) {
      yield `${of}at most ${percent(risk, 0)} wrong among the accepted (${label_source}), ${percent(certainty, 0)} sure; it took ${percent(coverage, 0)} of the rows that certified.`;
    } else if (threshold !== null) yield `${of}accepted from the threshold on; nothing is promised. ${why}`;
    else yield `${of}every row is flagged. ${why}`;
  }
}

/** Resolves at the first Ctrl+C, or when the process is asked to end. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
}
