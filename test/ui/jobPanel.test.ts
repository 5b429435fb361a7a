/** The job panel and Try It in real VS Code: live figures and log, what differs, a text tried as it is typed; by keyboard, in three themes. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Frame } from "playwright-core";
import type { NewEvent } from "../../schemas/events.ts";
import type { Job } from "../../schemas/job.ts";
import { newJobId } from "../../server/src/jobs/id.ts";
import { identify } from "../../server/src/jobs/process.ts";
import { ROOT } from "../built.ts";
import { seriousIssues, THEMES } from "./accessibility.ts";
import { injuriesProject } from "./injuries.ts";
import { testWindow } from "./window.ts";
import { eventually } from "./workbench.ts";

const WIDTHS = [1400, 900, 560];
const HOSTILE = '<img src=x onerror="document.title=1"><b>bold</b> \u202Eleft\u202C 👩‍👩‍👧‍👦';
/** Bytes of the log's first part: more than the panel holds at once. */
const LINES = 60_000;

describe("Job panel and Try It", function () {
  this.timeout(180_000);
  const data = injuriesProject(600, 20);
  before(function () {
    this.timeout(180_000);
    const evaluate = spawnSync(
      process.execPath,
      [join(ROOT, "server/src/cli.ts"), "evaluate", join(data, "injuries.clf.yaml")],
      { encoding: "utf8" },
    );
    assert.equal(evaluate.status, 0, evaluate.stderr);
  });

  const window = testWindow({ workspace: data, extensionPath: ROOT, theme: "Dark Modern", width: 1400, height: 900 });
  let frame: Frame;

  // ── A job that goes on as long as the test wants ──────────────────────────────────────────────────────────────────

  let child: ChildProcess | undefined;
  let folder = "";
  let events = 0;
  after(() => void child?.kill("SIGKILL"));

  const attempt = () => join(folder, "attempts", "1");
  function report(event: NewEvent): void {
    const line = { seq: ++events, time: new Date().toISOString(), ...event };
    appendFileSync(join(attempt(), "events.jsonl"), `${JSON.stringify(line)}\n`);
  }
  const loss = (step: number, value: number, split: string): void =>
    report({ type: "metric", name: "loss", value, step, split });

  /** A fine-tune like the one that is there, but for one setting; what it reports is the test's. */
  async function startJob(): Promise<void> {
    const jobs = join(window.workspace, ".clf", "jobs");
    const job = readdirSync(jobs)
      .filter((name) => existsSync(join(jobs, name, "job.json")))
      .map((name) => JSON.parse(readFileSync(join(jobs, name, "job.json"), "utf8")) as Job)
      .find(({ kind }) => kind === "fine-tune")!;
    const id = newJobId("baseline");
    const spec = { ...job.models[0]!.spec, regularisation: 0.5 };
    const made = { ...job, id, created: new Date().toISOString(), models: [{ ...job.models[0]!, spec }] };
    const making = join(jobs, `.new-${id}`);
    folder = making;
    mkdirSync(attempt(), { recursive: true });
    writeFileSync(join(making, "job.json"), JSON.stringify(made));
    const submitted = { seq: 1, time: made.created, type: "submitted", attempt: 1 };
    writeFileSync(join(making, "manager.jsonl"), `${JSON.stringify(submitted)}\n`);
    child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" });
    await once(child, "spawn");
    const identity = { ...(await identify(child.pid!))!, time: made.created };
    writeFileSync(join(attempt(), "launch.json"), JSON.stringify({ ...identity, lock: false }));
    writeFileSync(join(attempt(), "runner.json"), JSON.stringify(identity));
    const lines = Array.from(
      { length: LINES },
      (_, i) => `line ${i + 1}: reading words of the ${HOSTILE.slice(0, 20)}`,
    );
    lines[123] = "line 124: Needle in the log";
    writeFileSync(join(attempt(), "log.txt"), `${lines.join("\n")}\n${HOSTILE}\nlast line\n`);
    report({ type: "state", state: "running" });
    report({ type: "progress", step: "epoch 1/2", done: 41, total: 100, left: 600 });
    // All at once, as the manager does: it would start a job that has not been launched.
    renameSync(making, join(jobs, id));
    folder = join(jobs, id);
  }

  // ── Looking ───────────────────────────────────────────────────────────────────────────────────────────────────────

  const text = async (selector: string) => (await frame.locator(selector).allInnerTexts())[0] ?? "";
  const shows = (selector: string, wanted: RegExp, what = `${wanted}`) =>
    eventually(
      () => text(selector),
      (found) => wanted.test(found),
      what,
      30,
    );
  const tab = (name: string) => frame.getByRole("tab", { name, exact: true });

  it("opens from a job in the Jobs view, and says how far it is", async () => {
    const { workbench } = window;
    await startJob();
    await workbench.showContainer("Clf");
    await eventually(
      () => workbench.treeItems("Jobs"),
      (rows) => rows.some(({ description }) => /epoch 1\/2/.test(description)),
      "the running job",
      60,
    );
    const row = workbench.page.locator(".monaco-list-row[aria-level='2']", { hasText: "epoch 1/2" });
    const items = await workbench.contextMenu(row);
    assert.ok(items.includes("Show Job"), items.join(", "));
    await workbench.chooseMenuItem("Show Job");
    frame = await workbench.webview("epoch 1/2", 40);
    await shows("header", /running: epoch 1\/2, 41 %/);
    assert.match(await text("header"), /about 10 min/);
    assert.match(await text("#part"), /has not reported any figure yet/);
  });

  it("draws figures as they come", async () => {
    for (let step = 1; step <= 40; step++) loss(step, 2 / step, "train");
    for (let step = 10; step <= 40; step += 10) loss(step, 2.5 / step, "tune");
    report({ type: "metric", name: HOSTILE, value: 7 });
    await eventually(
      async () =>
        frame.locator(".chart svg[role=img]").evaluateAll((all) => all.map((svg) => svg.getAttribute("aria-label"))),
      (labels) =>
        labels.length === 1 && /^loss\. train: 0\.05 at step 40, lowest 0\.05, highest 2; tune: /.test(labels[0] ?? ""),
      "the chart, in words too",
      30,
    );
    loss(41, 0.0125, "train");
    await eventually(
      () => frame.locator(".chart svg[role=img]").getAttribute("aria-label"),
      (label) => /train: 0\.0125 at step 41/.test(label ?? ""),
      "the newest loss",
      30,
    );
    assert.ok((await text(".numbers")).includes(HOSTILE.slice(0, 30)), "a figure's name is text");
    assert.equal(await frame.locator("img, b").count(), 0);
    await window.workbench.screenshot("job-figures");
  });

  it("is walked by keyboard, and leaves the editor's own keys to it", async () => {
    const { workbench } = window;
    await tab("Figures").focus();
    await workbench.press("ArrowRight");
    await eventually(
      () => tab("Log").getAttribute("aria-selected"),
      (selected) => selected === "true",
      "the next tab",
    );
    await workbench.press("End");
    await shows("#part", /In the job's folder/);
    await workbench.press("F1");
    await workbench.page.locator(".quick-input-widget").waitFor({ state: "visible" });
    await workbench.press("Escape");
    await workbench.page.locator(".quick-input-widget").waitFor({ state: "hidden" });
  });

  it("shows the end of a long log, follows it, and finds a line in all of it", async () => {
    await tab("Log").click();
    await shows("#log", /last line/);
    assert.ok((await frame.locator("#log .piece").count()) <= 6);
    assert.equal(await frame.locator("#log img, #log b").count(), 0);
    assert.match(await text("#log"), /Earlier Lines/);
    appendFileSync(join(attempt(), "log.txt"), "a line that just came\n");
    await shows("#log", /a line that just came/);
    await frame.locator("#log-search").fill("NEEDLE");
    await shows("#hits", /124\s+line 124: Needle in the log/);
    await frame.locator("#hits button").first().click();
    await shows("#log", /^(Earlier Lines.*before this\s+)?line 124: Needle in the log/);
    await window.workbench.screenshot("job-log");
    await frame.getByText("Newest Lines").click();
    await shows("#log", /a line that just came/);
  });

  it("says what differs from the last run, what it was made from, and what it has made", async () => {
    await tab("What Differs").click();
    await shows("#part", /regularisation\s+auto\s+0\.5/);
    assert.match(await text("#part"), /Both have the same rows/);
    assert.match(await text("#part"), /log_loss/);
    await window.workbench.screenshot("job-differs");
    await tab("Spec").click();
    await shows("#part", /Model baseline[\s\S]*engine\s+linear[\s\S]*train rows/);
    await tab("Artifacts").click();
    await shows("#part", /What it makes is here once it has succeeded/);
    await frame.getByLabel("Open The job itself").click();
    await window.workbench.page.locator('.tab.active[data-resource-name="job.json"]').waitFor();
    await window.workbench.runCommand("View: Close Editor");
    frame = await window.workbench.webview("In the job's folder", 40);
  });

  it("has no serious accessibility issue, in three themes at three widths", async () => {
    const { workbench } = window;
    for (const [theme, name] of THEMES) {
      await workbench.setTheme(theme);
      // Spec and artifacts are tables like those of what differs: looked at in one theme.
      const parts = theme === "Dark Modern" ? ["Spec", "Artifacts"] : [];
      for (const part of [...parts, "Log", "What Differs", "Figures"]) {
        await tab(part).click();
        // Colours of the theme before may stand for a moment.
        await eventually(
          () => seriousIssues(frame),
          (found) => found.length === 0,
          `no serious issue in ${part}, ${theme}`,
          30,
        );
      }
      for (const width of WIDTHS) {
        await workbench.setWindowSize(width, 900);
        await eventually(
          () => frame.locator("html").evaluate((root) => root.scrollWidth - root.clientWidth),
          (over) => over <= 1,
          `nothing beyond the edge at ${width}`,
        );
        await workbench.screenshot(`job-${name}-${width}`);
      }
      await workbench.setWindowSize(1400, 900);
    }
  });

  it("comes back after a reload of the window", async () => {
    await tab("Spec").click();
    await shows("#part", /Model baseline/);
    // What was chosen is kept a moment after it was.
    await window.workbench.page.waitForTimeout(1000);
    await window.workbench.reload();
    frame = await window.workbench.webview("Model baseline", 60);
    assert.equal(await tab("Spec").getAttribute("aria-selected"), "true");
  });

  it("cancels by its button, and says so", async () => {
    await frame.getByText("Cancel", { exact: true }).click();
    await eventually(() => existsSync(join(folder, "cancel")), Boolean, "the cancel on disk", 30);
    report({ type: "state", state: "cancelled" });
    child?.kill("SIGKILL");
    await shows(".now", /^cancelled/);
    await frame.getByText("Resume", { exact: true }).waitFor();
    assert.equal(await frame.getByText("Cancel", { exact: true }).count(), 0);
  });

  // ── Try It ────────────────────────────────────────────────────────────────────────────────────────────────────────

  const TYPED = "Employee slipped on ice and broke his wrist";

  it("tries a selection: labels, confidence, words, and the nearest training rows", async () => {
    const { workbench } = window;
    await workbench.openFile("injuries.csv", 2);
    await workbench.press("Shift+End");
    await workbench.runCommand("Clf: Try Selection");
    frame = await workbench.webview("Nearest training rows", 60);
    const line = readFileSync(join(data, "injuries.csv"), "utf8").split("\n")[1]!;
    assert.equal(await frame.locator("#input-0").inputValue(), line);
    await shows("article", /NatureTitle[\s\S]*%[\s\S]*would be (accepted|flagged)[\s\S]*Words that mattered/);
    const [, id] = /^"?([^",]+)/.exec(line)!;
    assert.ok(id);
    assert.match(await text(".nearest"), /% alike/);
  });

  it("answers as one types, the last text wins", async () => {
    const { workbench } = window;
    await frame.locator("#input-0").fill("");
    await frame.locator("#input-0").focus();
    await workbench.typeText(TYPED);
    await shows("article .text", new RegExp(`^${TYPED}$`));
    await shows("article", /Fractures[\s\S]*broke\s+\+\d/);
    const mattered = await frame.locator("article .word.for").allInnerTexts();
    assert.ok(mattered.includes("broke"), mattered.join());
    await shows(".nearest", /Fractures/);
    await workbench.screenshot("try-dark-wide");
    await frame.locator("#input-0").fill("");
    await shows("section", /What the model says of it will stand here/);
    assert.equal(await frame.locator("article").count(), 0);
  });

  it("shows markup, right-to-left and emoji as text", async () => {
    await frame.locator("#input-0").fill(`${TYPED} ${HOSTILE}`);
    await shows("article .text", /<img src=x/);
    assert.equal(await frame.locator("article img, article b, .nearest img").count(), 0);
    assert.notEqual(await frame.title(), "1");
  });

  it("goes to a training row in its file", async () => {
    const { workbench } = window;
    await shows(".nearest", /line \d+/);
    const wanted = (await text(".nearest .link")).replace("line ", "").replaceAll(",", "");
    await frame.locator(".nearest .link").first().click();
    await workbench.page
      .locator(".statusbar-item")
      .filter({ hasText: new RegExp(`Ln ${wanted}, Col `) })
      .waitFor();
  });

  it("Try It has no serious accessibility issue, in three themes at three widths", async () => {
    const { workbench } = window;
    await workbench.runCommand("Clf: Try a Text");
    frame = await workbench.webview("Nearest training rows", 40);
    for (const [theme, name] of THEMES) {
      await workbench.setTheme(theme);
      await shows("article", /Words that mattered/);
      await eventually(
        () => seriousIssues(frame),
        (found) => found.length === 0,
        `no serious issue in ${theme}`,
        30,
      );
      for (const width of WIDTHS) {
        await workbench.setWindowSize(width, 900);
        await eventually(
          () => frame.locator("html").evaluate((root) => root.scrollWidth - root.clientWidth),
          (over) => over <= 1,
          `nothing beyond the edge at ${width}`,
        );
        await workbench.screenshot(`try-${name}-${width}`);
      }
      await workbench.setWindowSize(1400, 900);
    }
  });

  it("can be read where a job has succeeded, on a light ground too", async () => {
    const { workbench } = window;
    await workbench.setTheme("Light Modern");
    await workbench.contextMenu(
      workbench.page.locator(".monaco-list-row[aria-level='2']", { hasText: "log_loss" }).last(),
    );
    await workbench.chooseMenuItem("Show Job");
    frame = await workbench.webview("succeeded", 40);
    await eventually(
      () => seriousIssues(frame),
      (found) => found.length === 0,
      "no serious issue",
      30,
    );
  });
});
