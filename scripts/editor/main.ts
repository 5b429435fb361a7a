/** `node scripts/editor.mjs open <folder> [--workbench]` and `node scripts/editor.mjs install`. */
import { parseArgs } from "node:util";
import { installWorkbench } from "./install.ts";
import { openEditor } from "./open.ts";

const USAGE = `node scripts/editor.mjs open <folder> [--workbench]   open a folder in VS Code with Clf
node scripts/editor.mjs install                       install the browser workbench (once, one to two minutes)

--workbench   the workbench in the browser, even where \`code\` is installed`;

const say = (line: string) => console.log(line);
const ended = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => ended.abort());

try {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { workbench: { type: "boolean", default: false }, help: { type: "boolean", short: "h" } },
  });
  const [command, folder] = positionals;
  if (command === "install") {
    say(await installWorkbench(say));
  } else if (command === "open" && folder) {
    await openEditor({ folder, signal: ended.signal, say, prefer: values.workbench ? "workbench" : "code" });
  } else {
    (values.help ? console.log : console.error)(USAGE);
    process.exitCode = values.help ? 0 : 2;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
