/** Jobs of several projects in one workspace of two folders, in real VS Code: by mouse, with notifications and retention. */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { ROOT } from "../built.ts";
import { injuriesFolder } from "./injuries.ts";
import { processes } from "./processes.ts";
import { testWindow } from "./window.ts";
import { eventually } from "./workbench.ts";

const data = mkdtempSync(join(tmpdir(), "clf-folders-"));
for (const name of ["north", "south"]) {
  cpSync(injuriesFolder(1200, 10), join(data, name), { recursive: true });
  writeFileSync(
    join(data, name, "injuries.clf.yaml"),
    `version: 1
dataset: { source: injuries.csv, pool: inbox.csv, id: report_id }
task: { inputs: [Final Narrative], targets: [{ column: NatureTitle }] }
models: { baseline: { engine: linear } }
confidence: { accept: { threshold: 1 } }
`,
  );
}
writeFileSync(
  join(data, "both.code-workspace"),
  JSON.stringify({ folders: [{ path: "north" }, { path: "south" }], settings: {} }),
);
after(() => rmSync(data, { recursive: true, force: true }));

/** The runner of a job below a folder (Linux). */
const runner = (folder: string): number | undefined =>
  processes().find(
    ({ args }) =>
      args.some((argument) => /runner\.\w+$/.test(argument)) &&
      !args.some((argument) => argument.endsWith(".sh")) &&
      args.some((argument) => argument.startsWith(folder)),
  )?.pid;

describe("Jobs of two folders in a VS Code window", function () {
  this.timeout(150_000);
  const window = testWindow({
    workspace: data,
    open: "both.code-workspace",
    extensionPath: ROOT,
    theme: "Light Modern",
    width: 1400,
    height: 900,
  });
  const rows = async () => (await window.workbench.treeItems("Jobs")).filter(({ level }) => level === 2);
  const jobs = (n: number, first: RegExp) =>
    eventually(rows, (found) => found.length === n && first.test(found[0]!.description), `${n} jobs, ${first}`, 90);
  const row = (words: RegExp) =>
    window.workbench.page.locator(".tree-explorer-viewlet-tree-view .monaco-list-row[aria-level='2']", {
      hasText: words,
    });
  /** Runs a command on a project that is picked. */
  const run = (command: string, folder: string) =>
    window.workbench.runCommandAndPick(command, `injuries (${folder}/injuries.clf.yaml)`);

  it("asks which project is meant", async () => {
    const { workbench } = window;
    await workbench.showContainer("Clf");
    await eventually(
      () => workbench.page.locator(".welcome-view-content").allInnerTexts(),
      (texts) => texts.some((text) => /No jobs yet/.test(text)),
      "the projects",
      60,
    );
    await workbench.runCommand("Clf: Fine-tune a Model");
    const items = await eventually(
      () => workbench.quickPickItems(),
      (found) => found.length === 2,
    );
    assert.deepEqual(items, ["injuries (north/injuries.clf.yaml)", "injuries (south/injuries.clf.yaml)"]);
    await workbench.quickPick(items[1]!);
    const [job] = await jobs(1, /^fine-tune · local · log_loss .* s · /);
    assert.match(job!.description, / · injuries \(south\/injuries\.clf\.yaml\)$/);
    // It was over in seconds: the view says so, and nothing else does.
    assert.deepEqual(await workbench.notifications(), []);
  });

  it("cancels and resumes a job by mouse", async function () {
    if (!existsSync("/proc/self/cmdline")) this.skip();
    const { workbench } = window;
    await run("Clf: Fine-tune a Model", "north");
    // Held, so that there is time to cancel it.
    const pid = await eventually(() => runner(join(window.workspace, "north")), Boolean, "the runner", 30);
    process.kill(pid!, "SIGSTOP");
    const here = row(/north/);
    try {
      await jobs(2, /^fine-tune · local · /);
      await here.hover();
      await workbench.screenshot("jobs-running");
      await here.locator(".action-label[aria-label^='Cancel']").click();
      const folder = join(window.workspace, "north", ".clf", "jobs");
      await eventually(
        () => readdirSync(folder, { recursive: true, encoding: "utf8" }).some((file) => basename(file) === "cancel"),
        Boolean,
        "the cancel on disk",
      );
    } finally {
      process.kill(pid!, "SIGCONT");
    }
    await jobs(2, /^fine-tune · local · cancelled · /);
    await here.hover();
    await workbench.screenshot("jobs-cancelled");
    await here.locator(".action-label[aria-label^='Resume']").click();
    await jobs(2, /^fine-tune · local · log_loss /);
    assert.deepEqual(await workbench.notifications(), []);
  });

  it("keeps the projects' rows apart in the Flagged panel", async () => {
    const { workbench } = window;
    await run("Clf: Evaluate a Model", "south");
    await jobs(3, /^evaluation · local · acc 0\.\d+ · .* s · injuries \(south/);
    await run("Clf: Review Flagged Rows", "south");
    const panel = await workbench.webview("confirm", 40);
    const project = panel.locator("select[aria-label=Project]");
    const names = (await project.locator("option").allTextContents()).map((name) => name.trim());
    assert.deepEqual(names, ["injuries (north/injuries.clf.yaml)", "injuries (south/injuries.clf.yaml)"]);
    await project.selectOption({ label: names[0]! });
    await panel.getByText("has not been evaluated yet").waitFor();
    await project.selectOption({ label: names[1]! });
    await panel.locator(".row").first().waitFor();
  });

  it("tells of the end of a job that took long, and opens its report from there", async () => {
    const { workbench } = window;
    // “Long” is a setting: here, more than no time at all.
    await workbench.changeSettings({ "clf.notifications.afterSeconds": 0, "clf.jobs.keep": 1 });
    await run("Clf: Evaluate a Model", "north");
    const { message, severity, buttons } = await workbench.notification("The evaluation of baseline has finished", 60);
    assert.match(message, /has finished: acc 0\.\d+\.$/);
    assert.equal(severity, "info");
    assert.deepEqual(buttons, ["Open Report"]);
    await workbench.answerNotification("The evaluation", "Open Report");
    await workbench.webview("By label");
  });

  it("keeps as many ended jobs as the setting says, beside the current model", async () => {
    const fineTunes = async () => (await rows()).filter(({ description }) => /^fine-tune .*\(north/.test(description));
    for (let n = 2; n <= 4; n++) {
      await run("Clf: Fine-tune a Model", "north");
      const folder = join(window.workspace, "north", ".clf", "jobs");
      await eventually(
        async () => (await rows())[0]?.description,
        (words) => /^fine-tune · local · log_loss .* s · .*north/.test(words ?? "") && !runner(folder),
        "its end",
        60,
      );
    }
    // The current one, the one before it, and the one that the evaluation stands on: the fourth is gone.
    const left = await eventually(fineTunes, (found) => found.length <= 3, "an old fine-tune deleted", 30);
    assert.ok(left.length >= 2, JSON.stringify(left));
  });
});
