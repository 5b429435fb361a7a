/**
 * `npm run package`: a VSIX for each platform, in `packages/`. `npm run package -- linux-x64 alpine-x64` makes only those.
 *
 * DuckDB is native: each package holds the bindings of its platform and no other. What goes in is copied to a folder of
 * its own first, so that nothing else can. The licences of all packages in it stand in THIRD-PARTY-NOTICES.txt.
 * `--out DIR` writes elsewhere.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { createVSIX } from "@vscode/vsce";
import { noticesText, packageFolders } from "./notices.ts";

const root = join(import.meta.dirname, "..");
const cache = join(root, "node_modules", ".cache", "clf-package");

/** VS Code's name of a platform → DuckDB's. Alpine has musl in place of glibc. */
const PLATFORMS: Record<string, string> = {
  "linux-x64": "linux-x64",
  "linux-arm64": "linux-arm64",
  "alpine-x64": "linux-x64-musl",
  "alpine-arm64": "linux-arm64-musl",
  "darwin-x64": "darwin-x64",
  "darwin-arm64": "darwin-arm64",
  "win32-x64": "win32-x64",
  "win32-arm64": "win32-arm64",
};

type Manifest = Record<string, unknown> & { version: string; dependencies: Record<string, string> };

function run(command: string, args: string[], cwd: string): string {
  const result = spawnSync(command, args, { cwd, encoding: "utf8", shell: process.platform === "win32" });
  if (result.status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${result.stderr || result.stdout}`);
  return result.stdout;
}

/** Folder of an npm package of exactly that version: the installed one, else fetched once into the cache. */
function packageFolder(name: string, version: string): string {
  const installed = join(root, "node_modules", name);
  if (existsSync(installed) && manifestOf(installed).version === version) return installed;
  const folder = join(cache, `${name.replace("/", "+")}@${version}`);
  if (existsSync(join(folder, "package.json"))) return folder;
  mkdirSync(cache, { recursive: true });
  const staging = mkdtempSync(join(cache, "fetching-"));
  try {
    run("npm", ["pack", `${name}@${version}`, "--loglevel=error", "--pack-destination", staging], staging);
    run("tar", ["-xzf", `${name.replace("@", "").replace("/", "-")}-${version}.tgz`], staging);
    cpSync(join(staging, "package"), folder, { recursive: true });
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  return folder;
}

const manifestOf = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/** Parts of a package that only people read. */
const WANTED = (file: string) => !/\.(d\.ts|d\.ts\.map|js\.map|md)$/i.test(file) || /licen[cs]e/i.test(file);

/** @param bundled folders of the npm packages that the bundles hold, relative to the repository */
async function makePackage(
  target: string,
  manifest: Manifest,
  bundles: string,
  bundled: readonly string[],
  out: string,
): Promise<string> {
  const stage = mkdtempSync(join(tmpdir(), "clf-package-"));
  try {
    cpSync(bundles, join(stage, "dist"), { recursive: true });
    for (const part of ["media", "syntaxes", "schemas/json", "docs/pictures"]) {
      cpSync(join(root, part), join(stage, part), { recursive: true });
    }
    // The worker's sources and lock file; its environment is made where it runs.
    for (const part of ["pyproject.toml", "uv.lock", "run.sh", "src"]) {
      const filter = (path: string) => !path.endsWith("__pycache__");
      cpSync(join(root, "worker", part), join(stage, "worker", part), { recursive: true, filter });
    }
    for (const file of ["README.md", "LICENSE", "CHANGELOG.md", ".vscodeignore"]) {
      if (existsSync(join(root, file))) cpSync(join(root, file), join(stage, file));
    }
    const version = manifest.dependencies["@duckdb/node-api"]!;
    const native = ["@duckdb/node-api", "@duckdb/node-bindings", `@duckdb/node-bindings-${PLATFORMS[target]}`];
    for (const name of native) {
      const to = join(stage, "node_modules", name);
      cpSync(packageFolder(name, version), to, { recursive: true, filter: WANTED });
    }
    const folders = native.map((name) => packageFolder(name, version));
    // Tells glibc from musl on Linux; elsewhere it is not asked.
    if (!/^(darwin|win32)/.test(target)) {
      const [name, range] = [
        "detect-libc",
        manifestOf(packageFolder(native[1]!, version)).dependencies["detect-libc"]!,
      ];
      const installed = join(root, "node_modules", name);
      const found = manifestOf(installed).version;
      if (found.split(".")[0] !== range.replace("^", "").split(".")[0])
        throw new Error(`${name} ${found} is not ${range}`);
      cpSync(installed, join(stage, "node_modules", name), { recursive: true, filter: WANTED });
      folders.push(installed);
    }
    const notices = noticesText([...bundled.map((folder) => join(root, folder)), ...folders]);
    writeFileSync(join(stage, "THIRD-PARTY-NOTICES.txt"), notices);
    const { scripts: _s, devDependencies: _d, bin: _b, private: _p, ...kept } = manifest;
    const dependencies = { "@duckdb/node-api": version };
    writeFileSync(join(stage, "package.json"), `${JSON.stringify({ ...kept, dependencies }, null, 2)}\n`);
    const file = join(out, `clf-${target}-${manifest.version}.vsix`);
    await createVSIX({
      cwd: stage,
      target,
      packagePath: file,
      allowMissingRepository: true,
      rewriteRelativeLinks: false,
    });
    return file;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

const { positionals: wanted, values } = parseArgs({
  allowPositionals: true,
  options: { out: { type: "string", default: join(root, "packages") } },
});
const unknown = wanted.filter((name) => !(name in PLATFORMS));
if (unknown.length > 0) {
  console.error(`No platform ${unknown.join(", ")}. Platforms: ${Object.keys(PLATFORMS).join(", ")}.`);
  process.exit(2);
}
const out = resolve(values.out);
mkdirSync(out, { recursive: true });
// Not dist/: what runs from there meanwhile stays as it is.
const bundles = mkdtempSync(join(tmpdir(), "clf-bundles-"));
const lists = mkdtempSync(join(tmpdir(), "clf-lists-"));
let failed = 0;
try {
  const inputs = join(lists, "inputs.json");
  run(
    process.execPath,
    ["esbuild.mjs", "--minify", "--no-sourcemap", `--outdir=${bundles}`, `--inputs=${inputs}`],
    root,
  );
  const bundled = packageFolders(JSON.parse(readFileSync(inputs, "utf8")) as string[]);
  const manifest = manifestOf(root);
  for (const target of wanted.length > 0 ? wanted : Object.keys(PLATFORMS)) {
    try {
      const file = await makePackage(target, manifest, bundles, bundled, out);
      console.log(`${target}: ${relative(root, file)}, ${(statSync(file).size / 1e6).toFixed(1)} MB`);
    } catch (error) {
      failed++;
      console.error(`${target}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
} finally {
  for (const folder of [bundles, lists]) rmSync(folder, { recursive: true, force: true });
}
process.exit(failed === 0 ? 0 : 1);
