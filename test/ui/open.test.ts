import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./workbench.ts";

const script = join(import.meta.dirname, "..", "..", "scripts", "editor.mjs");

/** The command that `npm start` ends with, where `code` is not installed and no browser can be shown. */
describe("node scripts/editor.mjs open", function () {
  this.timeout(600_000); // The first run installs VS Code.
  let folder: string;
  let child: ChildProcess;
  let output = "";

  async function open(): Promise<string> {
    output = "";
    child = spawn(process.execPath, [script, "open", folder, "--workbench"], {
      env: { ...process.env, DISPLAY: "", WAYLAND_DISPLAY: "" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
      });
    }
    const ended = once(child, "exit").then(() => {
      throw new Error(`ended early:\n${output}`);
    });
    ended.catch(() => {});
    const address = () => /Ctrl\+C/.test(output) && /VS Code with Clf: (http:\S+)/.exec(output)?.[1];
    return (await Promise.race([eventually(address, Boolean, "an address", 500), ended])) as string;
  }
  const answers = (url: string) =>
    fetch(url, { signal: AbortSignal.timeout(5000) }).then(
      (response) => response.ok,
      () => false,
    );

  before(async function () {
    if (process.platform === "win32") this.skip();
    folder = await mkdtemp(join(tmpdir(), "clf-open-"));
  });
  afterEach(() => {
    child?.kill("SIGKILL");
  });
  after(async () => {
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it("prints an address of this machine alone, and ends with Ctrl+C, leaving nothing behind", async () => {
    const url = await open();
    assert.equal(new URL(url).hostname, "127.0.0.1");
    assert.equal(new URL(url).searchParams.get("folder"), folder);
    assert.match(output, /Open the address in a browser/);
    assert.ok(await answers(url));
    child.kill("SIGINT");
    const [code] = await once(child, "exit");
    assert.equal(code, 0, output);
    assert.equal(await answers(url), false);
  });

  it("leaves nothing behind when it is killed", async () => {
    const url = await open();
    assert.ok(await answers(url));
    child.kill("SIGKILL");
    await eventually(
      () => answers(url),
      (answer) => !answer,
      "the end of the server",
      20,
    );
  });

  it("says what is wrong with a folder that is not there", async () => {
    for (const [args, status, message] of [
      [["open", join(folder, "missing")], 1, /There is no folder .*missing/],
      [["open"], 2, /open <folder>/],
      [["close"], 2, /open <folder>/],
    ] as const) {
      const run = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "ignore", "pipe"] });
      let text = "";
      run.stderr.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      const [code] = await once(run, "close");
      assert.equal(code, status, text);
      assert.match(text, message);
      assert.doesNotMatch(text, /\n\s+at /);
    }
  });
});
