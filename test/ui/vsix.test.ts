/** The first hour with the package that people install: made by scripts/package.ts, installed into real VS Code. */
import assert from "node:assert/strict";
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { execaSync } from "execa";
import { ROOT } from "../built.ts";
import { firstHour } from "./firstHour.ts";
import { processes } from "./processes.ts";

const libc = (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header.glibcVersionRuntime;
/** The platform of this machine as packages name it. */
const target = `${process.platform === "linux" && !libc ? "alpine" : process.platform}-${process.arch}`;

let folder: string | undefined;
after(() => {
  if (folder) rmSync(folder, { recursive: true, force: true });
});

function madePackage(): string {
  folder = mkdtempSync(join(tmpdir(), "clf-vsix-"));
  execaSync(process.execPath, [join(ROOT, "scripts", "package.ts"), target, "--out", folder], {
    cwd: ROOT,
    timeout: 240_000,
  });
  const [name] = readdirSync(folder).filter((file) => file.endsWith(".vsix"));
  return join(folder, name!);
}

firstHour({
  title: "Clf installed from its package",
  pictures: "vsix",
  brief: true,
  extension: () => ({ vsix: madePackage() }),
  more(window) {
    /** Programs that ran jobs of this workspace. They end quickly: they are looked for all the time. */
    const runners = new Set<string>();
    let watch: NodeJS.Timeout | undefined;
    before(() => {
      watch = setInterval(() => {
        const jobs = join(window.workspace, ".clf", "jobs");
        for (const { args } of processes()) {
          if (!args.some((argument) => argument.startsWith(jobs))) continue;
          for (const argument of args) if (/runner\.\w+$/.test(argument)) runners.add(argument);
        }
      }, 100);
    });
    after(() => clearInterval(watch));

    it("ran from the installed files alone", function () {
      const extensions = join(window.editor.state, "extensions");
      const installed = readdirSync(extensions).filter((name) => name.startsWith("clf."));
      assert.equal(installed.length, 1, installed.join(" "));
      const home = join(extensions, installed[0]!);
      assert.ok(!lstatSync(home).isSymbolicLink() && !realpathSync(home).startsWith(ROOT + sep), home);
      for (const absent of ["client", "server", "scripts", "test", join("dist", "server.mjs.map")]) {
        assert.ok(!existsSync(join(home, absent)), `${absent} is in the package`);
      }
      const notices = readFileSync(join(home, "THIRD-PARTY-NOTICES.txt"), "utf8");
      for (const name of ["zod", "lit-html", "@duckdb/node-api"]) assert.ok(notices.includes(`\n- ${name} `), name);
      if (process.platform !== "linux") this.skip();
      assert.deepEqual([...runners], [join(home, "dist", "runner.mjs")]);
      const mine = processes().filter(({ args }) => args.some((argument) => argument.startsWith(home)));
      const named = (bundle: string) => mine.filter(({ args }) => args.includes(join(home, "dist", bundle)));
      assert.equal(named("server.mjs").length, 1);
      const [duckdb] = named("duckdb.mjs");
      assert.ok(duckdb, "DuckDB's process");
      const mapped = readFileSync(`/proc/${duckdb.pid}/maps`, "utf8");
      assert.ok(mapped.includes(join(home, "node_modules", "@duckdb")), "the package's own DuckDB");
      for (const { pid } of mine) {
        assert.ok(!readFileSync(`/proc/${pid}/maps`, "utf8").includes(join(ROOT, "node_modules", "@duckdb")));
      }
    });
  },
});
