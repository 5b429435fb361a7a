// `node scripts/editor.mjs open <folder>`: Clf in real VS Code, from the sources. Runs on whatever Node the machine has
// and goes on under the pinned one (the npm package `node`), which runs TypeScript as it is.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const scripts = dirname(fileURLToPath(import.meta.url));

if (Number(process.versions.node.split(".")[0]) >= 24) {
  await import("./editor/main.ts");
} else {
  const node = join(scripts, "..", "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");
  if (!existsSync(node)) {
    console.error("Dependencies are not installed yet. Run `npm ci`, then the command again.");
    process.exit(1);
  }
  const child = spawn(node, [join(scripts, "editor", "main.ts"), ...process.argv.slice(2)], { stdio: "inherit" });
  // The child ends the editor itself; this process only waits for it.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("exit", (code) => process.exit(code ?? 1));
}
