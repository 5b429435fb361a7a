// The door of `npm start` and `npm test`: runs on whatever Node the machine has, installs what package-lock.json
// names, then goes on under the pinned Node (the npm package `node`), so that every script runs on the same one.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [script, ...args] = process.argv.slice(2);
const marker = join(root, "node_modules", ".clf-installed");
const lock = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");

if (!existsSync(marker) || readFileSync(marker, "utf8") !== lock) {
  console.error("Installing dependencies…");
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"];
  // Not `npm ci`: it refuses a lock file without the native packages of platforms that a registry does not carry. The versions
  // are those of the lock file either way.
  const install = spawnSync(npm[0], [...npm.slice(1), "install", "--no-save", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    shell: npm[0] === "npm" && process.platform === "win32",
  });
  if (install.status !== 0) {
    console.error(
      "npm install failed: see above. Check the connection to the npm registry, then run the command again.",
    );
    process.exit(1);
  }
  writeFileSync(marker, lock);
}

const bin = join(root, "node_modules", "node", "bin");
const node = join(bin, process.platform === "win32" ? "node.exe" : "node");
const path = `${bin}${process.platform === "win32" ? ";" : ":"}${process.env.PATH ?? ""}`;
const run = spawnSync(node, [join(root, "scripts", `${script}.ts`), ...args], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, PATH: path },
});
process.exit(run.status ?? 1);
