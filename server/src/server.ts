/**
 * Entry point of the language server: `node server.mjs --stdio`, or `--node-ipc` as VS Code starts it. `clf lsp` is the
 * same server.
 */
import { type LanguageServer, startServer } from "./language-server.ts";
import { describe } from "./requests.ts";
import { createWorkbench, type Workbench } from "./workbench/client.ts";

/** Serves an editor over standard input and output; the process ends with the connection. */
export function serveStdio(): Promise<never> {
  // Where the library looks for it; it also keeps everything but messages off standard output then.
  if (!process.argv.includes("--stdio")) process.argv.push("--stdio");
  serve();
  return new Promise(() => {});
}

function serve(): LanguageServer {
  let workbench: Workbench | undefined;
  const workbenchOf = (server: LanguageServer) => (workbench ??= createWorkbench(server));
  const server = startServer({
    handlers: (of) => workbenchOf(of).handlers,
    figures: (of) => workbenchOf(of).figures,
  });
  // A mistake in one answer must not take the editor's other features away.
  process.on("uncaughtException", (error) => server.connection.console.error(describe(error)));
  process.on("unhandledRejection", (error) => server.connection.console.error(describe(error)));
  return server;
}

if (/[\\/]server\.(ts|mjs)$/.test(process.argv[1] ?? "")) {
  if (process.argv.slice(2).some((argument) => /^--(stdio|node-ipc|socket|pipe)/.test(argument))) serve();
  else {
    console.error("Say how to talk to the editor: --stdio, --node-ipc, --socket=PORT or --pipe=NAME.");
    process.exitCode = 2;
  }
}
