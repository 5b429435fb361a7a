// Builds every bundle. One entry a process or worker thread; nothing else is shipped.
// Files are written over the old ones, and what is stale goes last: what runs from dist/ meanwhile (an editor, a job) goes on.
// `--outdir=DIR` builds elsewhere: a package is built beside what runs from dist/. `--inputs=FILE` lists there what the bundles hold.
// mainFields: yaml-language-server's UMD build crashes once bundled, its ES module build does not.
import { existsSync } from "node:fs";
import { copyFile, readdir, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import * as esbuild from "esbuild";

const option = (name) => process.argv.find((given) => given.startsWith(`--${name}=`))?.slice(name.length + 3);
const outdir = option("outdir") ?? "dist";

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

/** Paths below the folder that belong there. */
const made = new Set();
/** Source files of which something is in a bundle. */
const inputs = new Set();
async function build(options) {
  const { metafile } = await esbuild.build({ ...options, metafile: true });
  for (const [file, output] of Object.entries(metafile.outputs)) {
    made.add(relative(outdir, file));
    for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) if (bytesInOutput > 0) inputs.add(input);
  }
}

await build({
  ...node,
  entryPoints: Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(file))),
  outdir,
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
await copyFile("server/src/jobs/supervisor.sh", join(outdir, "supervisor.sh"));
made.add("supervisor.sh");
await copyFile("server/src/jobs/hosts/ssh/host.sh", join(outdir, "ssh-host.sh"));
made.add("ssh-host.sh");
// The extension host: CommonJS. The language client is most of the code and comes after activation: a file of its own.
const extension = { ...node, outdir, format: "cjs", outExtension: { ".js": ".cjs" } };
await build({ ...extension, entryPoints: { "language-client": "vscode-languageclient/node" } });
await build({
  ...extension,
  entryPoints: { extension: "client/src/extension.ts" },
  // `import()` becomes a `require` that waits its turn.
  supported: { "dynamic-import": false },
  plugins: [
    {
      name: "language-client",
      setup: ({ onResolve }) =>
        onResolve({ filter: /^vscode-languageclient\/node$/ }, () => ({
          path: "./language-client.cjs",
          external: true,
        })),
    },
  ],
});
// What runs inside webviews: one script and one style sheet each, for the Chromium of VS Code 1.101.
const webviews = ["review", "report", "preview", "job", "try"].filter((name) =>
  existsSync(`client/webview/${name}/main.ts`),
);
await build({
  entryPoints: webviews.flatMap((name) => [
    { in: `client/webview/${name}/main.ts`, out: name },
    { in: `client/webview/${name}/main.css`, out: name },
  ]),
  outdir: join(outdir, "webview"),
  bundle: true,
  format: "iife",
  platform: "browser",
  target: "chrome134",
  sourcemap: node.sourcemap,
  minify: node.minify,
  logLevel: "warning",
});
for (const entry of await readdir(outdir, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (entry.isFile() && !made.has(relative(outdir, path))) await rm(path);
}
const list = option("inputs");
if (list) await writeFile(list, `${JSON.stringify([...inputs].sort(), null, 1)}\n`);
