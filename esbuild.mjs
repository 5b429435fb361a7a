// Builds every bundle. One entry a process or worker thread; nothing else is shipped.
// mainFields: yaml-language-server's UMD build crashes once bundled, its ES module build does not.
import { existsSync } from "node:fs";
import { copyFile, rm } from "node:fs/promises";
import * as esbuild from "esbuild";

const node = {
  bundle: true,
  platform: "node",
  target: "node22",
  mainFields: ["module", "main"],
  sourcemap: process.argv.includes("--no-sourcemap") ? false : "linked",
  minify: process.argv.includes("--minify"),
  logLevel: "warning",
  // Native: resolved at run time from node_modules beside the bundles.
  external: ["@duckdb/node-api", "@duckdb/node-bindings", "vscode"],
};

/** Entry points that run on Node outside the extension host: ES modules. */
const entries = {
  server: "server/src/server.ts",
  cli: "server/src/cli.ts",
  runner: "server/src/runner.ts",
  supervisor: "server/src/jobs/supervisor-windows.ts",
  duckdb: "server/src/dataset/duckdb-process.ts",
  workbench: "server/src/workbench/worker.ts",
  "data-worker": "server/src/language/data-worker.ts",
  "linear-worker": "server/src/engines/linear/worker.ts",
};

await rm("dist", { recursive: true, force: true });
await esbuild.build({
  ...node,
  entryPoints: Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(file))),
  outdir: "dist",
  format: "esm",
  // What is imported when it is needed (yaml-language-server) is read when it is needed; entries share what they have in common.
  splitting: true,
  outExtension: { ".js": ".mjs" },
  // CommonJS dependencies inside an ES module bundle still call require and ask for their file's name.
  define: { __filename: "__bundleFile" },
  banner: {
    js: [
      'import { createRequire as __createRequire } from "node:module";',
      'import { fileURLToPath as __fileURLToPath } from "node:url";',
      "const require = __createRequire(import.meta.url);",
      "const __bundleFile = __fileURLToPath(import.meta.url);",
    ].join(" "),
  },
});
// Read by /bin/sh beside the bundles, or sent to a host.
await copyFile("server/src/jobs/supervisor.sh", "dist/supervisor.sh");
if (existsSync("client/src/extension.ts")) {
  await esbuild.build({
    ...node,
    entryPoints: { extension: "client/src/extension.ts" },
    outdir: "dist",
    format: "cjs",
    outExtension: { ".js": ".cjs" },
  });
}
