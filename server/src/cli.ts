/** `clf`: the command line. Every command is a face on workflow/; see docs/cli.md. */
import { CommanderError } from "commander";
import type { FailureDocument } from "../../schemas/cli.ts";
import { CliError, EXIT, printJson, say } from "./cli/io.ts";
import { program } from "./cli/program.ts";
import { DuckDbError } from "./dataset/duckdb.ts";
import { EngineError } from "./engines/engine.ts";
import { ModelFileError } from "./engines/linear/model-file.ts";
import { fileErrorMessage } from "./file-error.ts";
import { UnreadableJob } from "./jobs/contract.ts";
import { JobError } from "./jobs/store.ts";
import { WorkflowError } from "./workflow/session.ts";

/** Their messages are written for people. */
const FOR_PEOPLE = [CliError, WorkflowError, JobError, UnreadableJob, EngineError, ModelFileError, DuckDbError];

/** Says what is wrong, never where in our code, and gives the exit code. */
function failure(error: unknown, json: boolean): number {
  // Help and version are no failures; commander has printed them.
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.fine;
  const { code, message, problems, job } = described(error);
  if (!(error instanceof CommanderError)) say(message);
  if (process.env.CLF_DEBUG && error instanceof Error) say(error.stack);
  if (json) {
    const document: FailureDocument = { error: { message, exit_code: code, problems: [...problems], job } };
    printJson(document);
  }
  return code;
}

function described(error: unknown): Pick<CliError, "code" | "message" | "problems" | "job"> {
  if (error instanceof CliError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof CommanderError) {
    return { code: EXIT.usage, message: message.replace(/^error: /, ""), problems: [], job: null };
  }
  const known = FOR_PEOPLE.some((kind) => error instanceof kind);
  const remedy = error instanceof EngineError && error.remedy ? ` ${error.remedy}` : "";
  return {
    code: EXIT.problems,
    message: known
      ? message + remedy
      : (fileErrorMessage(error) ?? `Something went wrong: ${message} (CLF_DEBUG=1 shows where.)`),
    problems: [],
    job: null,
  };
}

export async function main(argv: readonly string[]): Promise<number> {
  let code: Promise<number> = Promise.resolve(EXIT.fine);
  const clf = program((running) => {
    code = running;
  });
  clf.exitOverride();
  for (const sub of clf.commands) sub.exitOverride();
  try {
    clf.parse([...argv], { from: "user" });
    return await code;
  } catch (error) {
    return failure(error, argv.includes("--json"));
  }
}

function start(argv: readonly string[]): void {
  // `clf flagged … | head`: who reads has had enough.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.fine);
    throw error;
  });
  const json = argv.includes("--json");
  if (argv[0] !== "lsp") process.on("uncaughtException", (error) => process.exit(failure(error, json)));
  let done = false;
  process.on("beforeExit", () => {
    if (done) return;
    done = true;
    process.exitCode = failure(new Error("the command ended before its work was done."), json);
  });
  void main(argv).then((code) => {
    done = true;
    process.exitCode = code;
  });
}

if (process.argv[1]) start(process.argv.slice(2));
