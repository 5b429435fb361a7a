/** Windows that close and servers that die, in real VS Code: jobs go on, and what was on screen comes back. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../built.ts";
import { injuriesProject } from "./injuries.ts";
import { serversOf } from "./processes.ts";
import { testWindow } from "./window.ts";
import { eventually, Workbench } from "./workbench.ts";

describe("Windows that close and servers that die", function () {
  this.timeout(240_000);
  // Enough rows for a job that is still at work when its window has closed.
  const data = injuriesProject(3000, 20, { model: "{ engine: linear, char_ngrams: [2, 6] }" });
  const window = testWindow({ workspace: data, extensionPath: ROOT, theme: "Dark Modern" });
  before(function () {
    if (process.platform !== "linux") this.skip();
  });

  const jobsFolder = () => join(window.workspace, ".clf", "jobs");
  const jobs = () =>
    existsSync(jobsFolder()) ? readdirSync(jobsFolder()).filter((name) => !name.startsWith(".")) : [];
  const attempt = (job: string) => join(jobsFolder(), job, "attempts", "1");
  const runs = (job: string) =>
    existsSync(join(attempt(job), "runner.json")) && !existsSync(join(attempt(job), "exit.json"));
  const events = (job: string) =>
    readFileSync(join(attempt(job), "events.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { seq: number; type: string; state?: string });

  /** Starts a job and waits until its runner is at work. */
  async function startJob(): Promise<string> {
    const before = jobs();
    await window.workbench.runCommand("Clf: Fine-tune a Model");
    const [job] = await eventually(
      () => jobs().filter((id) => !before.includes(id) && runs(id)),
      (found) => found.length === 1,
      "a job at work",
      60,
    );
    return job!;
  }
  /** Jobs in the view, newest first: what stands beside their names. */
  const shown = async () => (await window.workbench.treeItems("Jobs")).filter(({ level }) => level === 2);
  const shownEnded = (count: number) =>
    eventually(
      shown,
      (found) =>
        found.length === count && found.every(({ description }) => /^fine-tune · local · .* s$/.test(description)),
      `${count} ended jobs in the view`,
      120,
    );
  const server = () =>
    eventually(
      () => serversOf(window.editor),
      (pids) => pids.length === 1,
      "one language server",
      60,
    ).then(([pid]) => pid!);
  /** Kills the server and waits for the next one. */
  async function crash(): Promise<void> {
    const old = await server();
    process.kill(old, "SIGKILL");
    await eventually(
      () => serversOf(window.editor),
      (pids) => pids.length === 1 && pids[0] !== old,
      "another language server",
      30,
    );
    // A server that dies before it has answered is another case.
    await window.workbench.page.waitForTimeout(2500);
  }
  const errorsAt = (line: number) =>
    window.workbench.squiggles().then((all) => all.filter((mark) => mark.line === line && mark.severity === "error"));
  const marked = (line: number) =>
    eventually(
      () => errorsAt(line),
      (found) => found.length > 0,
      `an error at line ${line}`,
      30,
    );

  it("a window closes in mid-job: the job finishes, and the next window shows it", async () => {
    await window.workbench.openFile("injuries.clf.yaml");
    await window.workbench.showContainer("Clf");
    const job = await startJob();
    const old = await server();
    await window.workbench.closeWindow();
    await eventually(
      () => existsSync(`/proc/${old}`),
      (there) => !there,
      "the end of the language server",
      20,
    );
    console.log(`      ${runs(job) ? "still at work" : "ended"} when the window and its server were gone`);
    window.workbench = await Workbench.open(window.windows, window.editor);
    await window.workbench.showContainer("Clf");
    await shownEnded(1);
    const all = events(job);
    assert.deepEqual(
      all.map(({ seq }) => seq),
      all.map((_, i) => i + 1),
    );
    assert.deepEqual(
      all.flatMap(({ state }) => state ?? []),
      ["running", "succeeded"],
    );
    await window.workbench.screenshot("client-reopened");
  });

  it("the server dies: it is started again, the job goes on, and views and documents come back", async () => {
    const { workbench } = window;
    await workbench.openFile("injuries.clf.yaml");
    const job = await startJob();
    await crash();
    await shownEnded(2);
    assert.deepEqual(
      events(job).flatMap(({ state }) => state ?? []),
      ["running", "succeeded"],
    );
    // The document that is open, with an edit that is on no disk.
    await workbench.openFile("injuries.clf.yaml", 8, 22);
    await workbench.insertText("x");
    await marked(8);
    assert.deepEqual(await workbench.notifications(), []);
  });

  it("dies again and again: one message, with a button that starts it", async () => {
    const { workbench } = window;
    for (let times = 2; times <= 4; times++) await crash();
    assert.deepEqual(await workbench.notifications(), []);
    process.kill(await server(), "SIGKILL");
    const { message, buttons } = await workbench.notification("stopped several times");
    assert.match(message, /Jobs that run go on without it/);
    assert.deepEqual(buttons.slice(0, 2), ["Restart", "Show Output"]);
    await workbench.page.waitForTimeout(2000);
    assert.equal((await workbench.notifications()).length, 1);
    assert.deepEqual(serversOf(window.editor), []);
    await workbench.screenshot("client-server-stopped");
    await workbench.answerNotification("stopped several times", "Restart");
    await server();
    await marked(8);
    await workbench.press("ControlOrMeta+Z");
    await eventually(
      () => errorsAt(8),
      (found) => found.length === 0,
      "no error",
      30,
    );
    await workbench.showContainer("Clf");
    await shownEnded(2);
  });
});
