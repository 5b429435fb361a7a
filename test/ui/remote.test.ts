/**
 * The remote machine in real VS Code: a host of the ssh config is added and checked, a model is fine-tuned there, the window is closed in
 * mid-job and opened again, the job is seen to its end, and its evaluation's report is read. A real sshd, another user with another home;
 * in place of the GPU's Python a stand-in, unless CLF_SSH_MODEL names a model (test/jobs/ssh-worker.ts).
 */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Frame } from "playwright-core";
import { ROOT } from "../built.ts";
import { installWorker, namedModel, weatherProject, weatherReports } from "../jobs/ssh-worker.ts";
import { type Sshd, startSshd, whyNoSshd } from "../jobs/sshd.ts";
import { leftProcesses, processesNaming } from "../jobs/support.ts";
import { testWindow } from "./window.ts";
import { eventually, Workbench } from "./workbench.ts";

const why = whyNoSshd();
const HOST = "host-bash";
/** Seconds that a job may take. */
const PATIENCE = namedModel() ? 600 : 60;

(why ? describe.skip : describe)(`A remote host in a VS Code window${why ? ` (${why})` : ""}`, function () {
  this.timeout(2 * PATIENCE * 1000 + 60_000);
  let sshd: Sshd;
  let gate: string;
  const data = mkdtempSync(join(tmpdir(), "clf-remote-"));
  after(() => rmSync(data, { recursive: true, force: true }));
  before(async () => {
    sshd = await startSshd(["bash"]);
    ({ gate } = await installWorker(sshd, sshd.user("bash")));
    writeFileSync(join(data, "reports.csv"), weatherReports());
    writeFileSync(join(data, "weather.clf.yaml"), weatherProject());
  });
  after(() => sshd?.close());
  const window = testWindow(() => ({
    workspace: data,
    extensionPath: ROOT,
    theme: "Dark Modern",
    width: 1400,
    height: 900,
    env: { CLF_SSH_CONFIG: sshd.config },
  }));
  const picture = (name: string) => window.workbench.screenshot(`remote-${name}`);
  const rows = async () => (await window.workbench.treeItems("Jobs")).filter(({ level }) => level === 2);
  const newest = (words: RegExp, seconds = 30) =>
    eventually(
      async () => (await rows())[0]?.description ?? "",
      (text) => words.test(text),
      `a job like ${words}`,
      seconds,
    );
  /** The panel of the newest job. */
  const jobPanel = async (): Promise<Frame> => {
    const { workbench } = window;
    const row = workbench.page.locator(".monaco-list-row[aria-level='2']", { hasText: HOST }).first();
    await workbench.contextMenu(row);
    await workbench.chooseMenuItem("Show Job");
    return workbench.webview("What Differs", 40);
  };
  const partOf = async (panel: Frame, tab: string, words: RegExp) => {
    await panel.getByRole("tab", { name: tab, exact: true }).click();
    await eventually(
      () => panel.locator("#part").innerText(),
      (text) => words.test(text),
      `${words} under ${tab}`,
      30,
    );
  };
  const jobs = () => join(window.workspace, ".clf", "jobs");
  const ids = () => (existsSync(jobs()) ? readdirSync(jobs()).filter((name) => /^\d/.test(name)) : []).sort();
  const there = (id: string) => join(sshd.user("bash").home, "clf/jobs", id);
  const events = (folder: string) => {
    const file = join(folder, "attempts/1/events.jsonl");
    return existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
  };

  it("adds a host of the ssh config", async () => {
    const { workbench } = window;
    await workbench.showContainer("Clf");
    await workbench.statusBarItem("Clf");
    await workbench.runCommandAndPick("Clf: Add Host…", HOST);
    await eventually(
      () => workbench.quickInputTitle(),
      (title) => title.includes("costs an hour"),
      "the price",
    );
    await workbench.quickInputText("1.00");
    const { message } = await workbench.notification(`Added the host ${HOST}`);
    assert.match(message, /choose it when you fine-tune/);
    assert.match(
      readFileSync(join(window.workspace, "weather.clf.yaml"), "utf8"),
      /hosts:\n {2}host-bash: \{ kind: ssh, address: "host-bash", price_per_hour: 1 \}\n/,
    );
    await picture("added");
    await workbench.clearNotifications();
  });

  it("checks it: what is there and what is missing", async () => {
    const { workbench } = window;
    await workbench.runCommand("Clf: Check Host");
    const page = await workbench.webview(`Host ${HOST}`, 60);
    const lines = (await page.locator("tr").allInnerTexts()).map((line) => line.replaceAll("\t", " "));
    assert.ok(
      lines.some((line) => /✓ GPU NVIDIA A10G, 22 GiB, driver 570\.86/.test(line)),
      lines.join("\n"),
    );
    assert.ok(lines.some((line) => /✓ GPU free of others/.test(line)));
    await picture("check");
    await workbench.runCommand("View: Close All Editors");
  });

  it("fine-tunes there, live over the line", async () => {
    const { workbench } = window;
    await workbench.showContainer("Clf");
    await workbench.runCommandAndPick("Clf: Fine-tune a Model", HOST);
    const { message } = await workbench.dialog();
    assert.match(message, /Start the fine-tune of tuned\?.*on host-bash, \$1\.00 an hour/s);
    await picture("preflight");
    await workbench.answerDialog("Start");
    await newest(/^fine-tune · host-bash · /);
    await newest(namedModel() ? /^fine-tune · host-bash · (fine-tuning|.*\d s)/ : /fine-tuning · loss 0\.5/, PATIENCE);
    await picture("running");
  });

  it("shows the job in its panel while it runs there", async function () {
    // A real fine-tune may have ended by now.
    if (namedModel()) this.skip();
    const panel = await jobPanel();
    await eventually(
      () => panel.locator("header").innerText(),
      (text) => /running: fine-tuning, /.test(text) && /host\s+host-bash/.test(text),
      "how far it is, and where",
    );
    await partOf(panel, "Figures", /loss\s+0\.5/);
    await partOf(panel, "Log", /step 1\n/);
    await partOf(panel, "Spec", /Model tuned[\s\S]*engine\s+qlora/);
    await partOf(panel, "Artifacts", /What it makes is here once it has succeeded/);
    await picture("panel");
  });

  it("goes on without the window, and is there when it opens again", async () => {
    const [id] = ids();
    await window.workbench.closeWindow();
    // Nobody follows any more.
    await eventually(
      () => processesNaming(sshd.config),
      (found) => found.length === 0,
      "the end of ssh",
      30,
    );
    if (namedModel() === null) {
      const before = events(there(id!)).length;
      await eventually(
        () => events(there(id!)).length,
        (count) => count > before + 5,
        "steps that nobody sees",
      );
      assert.ok(processesNaming(there(id!)).length > 0, "the job has ended with the window");
      assert.ok(events(join(jobs(), id!)).length < events(there(id!)).length, "somebody still follows");
    }
    const missed = events(there(id!)).length;
    window.workbench = await Workbench.open(window.windows, window.editor);
    const { workbench } = window;
    await workbench.showContainer("Clf");
    await newest(/^fine-tune · host-bash · /);
    await eventually(
      () => events(join(jobs(), id!)).length,
      (count) => count >= missed,
      "what was missed",
      30,
    );
    await picture("again");
    writeFileSync(gate, "");
    await newest(/^fine-tune · host-bash · .*\d (s|min)( · \$\d+\.\d+)?$/, PATIENCE);
    await eventually(() => existsSync(join(jobs(), id!, "model")), Boolean, "the model here", 30);
    const [here, away] = [events(join(jobs(), id!)), events(there(id!))];
    assert.deepEqual(here, away, "an event was lost or doubled");
    // Python writes a space there.
    assert.equal(here.filter((line) => /"state": ?"running"/.test(line)).length, 1, "it was started twice");
    const panel = await jobPanel();
    await eventually(
      () => panel.locator("header").innerText(),
      (text) => text.includes("succeeded"),
      "its end in the panel",
    );
    await partOf(panel, "Artifacts", /model\s+\d[\d.]* (kB|MB|KiB|MiB)/);
    if (!namedModel()) {
      const last = here.filter((line) => line.includes('"type":"progress"')).length;
      await partOf(panel, "Log", new RegExp(`step ${last}\\n?$`));
    }
    await picture("panel-end");
  });

  it("evaluates there, and shows the report", async () => {
    const { workbench } = window;
    await workbench.runCommandAndPick("Clf: Evaluate a Model", HOST);
    await workbench.answerDialog("Start");
    // The worker itself says what it cost, before how long it took.
    await newest(/^evaluation · host-bash · (.* · )?\d+ (s|min)/, PATIENCE);
    // The figures are made here, from the predictions that come back: the panel is told of them when they are there.
    const told = () =>
      workbench.webview("has not been evaluated", 0).then(
        () => false,
        () => true,
      );
    await eventually(told, Boolean, "the Flagged panel told of it", 60);
    await workbench.runCommand("Clf: Open Report");
    const page = await workbench.webview("On the test rows", 30);
    const [verdict] = await page.locator(".verdict li").allInnerTexts();
    assert.match(verdict ?? "", /label: accuracy \d+\.\d %/);
    await picture("report");
  });

  it("leaves nothing running there", async () => {
    assert.deepEqual(await leftProcesses(join(sshd.user("bash").home, "clf")), []);
  });
});
