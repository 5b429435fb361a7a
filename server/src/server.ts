/** Entry point of the language server: `node server.mjs --stdio`, or `--node-ipc` as VS Code starts it. */
import { startServer } from "./language-server.ts";
import { describe } from "./requests.ts";

if (!process.argv.slice(2).some((argument) => /^--(stdio|node-ipc|socket|pipe)/.test(argument))) {
  console.error("Say how to talk to the editor: --stdio, --node-ipc, --socket=PORT or --pipe=NAME.");
  process.exit(2);
}
const { connection } = startServer();
// A mistake in one answer must not take the editor's other features away.
process.on("uncaughtException", (error) => connection.console.error(describe(error)));
process.on("unhandledRejection", (error) => connection.console.error(describe(error)));
