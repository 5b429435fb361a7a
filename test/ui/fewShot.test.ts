/** From a zero-shot report, by one button: the few-shot model aimed at its errors, evaluated beside it, and the comparison open. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, DIST, ROOT } from "../built.ts";
import { lastMessage, startServer, type TestServer, token } from "../unit/engines/chat/server.ts";
import { testWindow } from "./window.ts";
import { eventually } from "./workbench.ts";

const LABELS = ["refund", "card_lost", "card_arrival", "exchange"];
const data = mkdtempSync(join(tmpdir(), "clf-few-shot-"));

describe("The few-shot model of a zero-shot report, in a VS Code window", function () {
  this.timeout(240_000);
  let endpoint: TestServer;

  before(async function () {
    this.timeout(240_000);
    build();
    endpoint = await startServer({
      keepBodies: true,
      reply(body) {
        const text = lastMessage(body);
        const label = LABELS.find((one) => text.includes(one.replace("_", " ")));
        // What says little is answered rightly once there are examples.
        const said = label ?? (body.messages.length > 2 ? LABELS[Number(/\d+/.exec(text)?.[0] ?? 0) % 4]! : "refund");
        const p = label ? 0.97 : 0.5;
        return { text: said, tokens: [token([said, p], [LABELS.find((one) => one !== said)!, 1 - p])] };
      },
    });
    const splits = ["train", "train", "train", "validation", "test"];
    const lines = Array.from({ length: 300 }, (_, i) => {
      const label = LABELS[i % LABELS.length]!;
      const text = i % 6 === 5 ? `message ${i} says little` : `message ${i} about ${label.replace("_", " ")} today`;
      return `r${i},${text},${label},${splits[i % splits.length]}`;
    });
    writeFileSync(join(data, "data.csv"), ["id,text,label,split", ...lines].join("\n"));
    writeFileSync(
      join(data, "bank.clf.yaml"),
      `version: 1
dataset: { source: data.csv, id: id, split: { column: split, tune: 0.3 } }
task: { inputs: [text], targets: [{ column: label }] }
models:
  zero-shot: { engine: chat, endpoint: here, model: some-model } # kept
endpoints:
  here: { base_url: "${endpoint.url}", price: { input_per_million: 1, output_per_million: 2 } }
confidence: { accept: { risk: 0.2, certainty: 0.9 } }
`,
    );
    // In this process the endpoint answers meanwhile.
    const args = [join(DIST, "cli.mjs"), "evaluate", join(data, "bank.clf.yaml"), "--model", "zero-shot"];
    const clf = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
    const [code] = await once(clf, "exit");
    assert.equal(code, 0);
  });
  after(async () => {
    await endpoint?.close();
    rmSync(data, { recursive: true, force: true });
  });

  const window = testWindow({ workspace: data, extensionPath: ROOT, theme: "Dark Modern", width: 1300, height: 900 });

  it("one button makes the model, evaluates both, and opens the comparison", async () => {
    const { workbench } = window;
    await workbench.runCommand("Clf: Open Report");
    const report = await workbench.webview("What made this report", 60);
    const asked = endpoint.requests;
    await report.getByRole("button", { name: "Make a Targeted Few-shot Model" }).click();
    // An endpoint on this machine is asked without a question.
    const comparison = await workbench.webview("zero-shot-few-shot is better than zero-shot", 90);
    assert.match(
      String(await comparison.locator("body").textContent()),
      /zero-shot-few-shot is better than zero-shot by/,
    );
    await workbench.screenshot("report-few-shot");

    const project = readFileSync(join(window.workspace, "bank.clf.yaml"), "utf8");
    assert.match(project, /zero-shot-few-shot: .*strategy: targeted, after: zero-shot/);
    assert.match(project, /# kept/);
    // The zero-shot answers were there: what was asked now has examples.
    const now = endpoint.bodies.slice(asked);
    assert.ok(now.length > 50, `${now.length} calls`);
    assert.ok(now.every(({ messages }) => messages.length > 2));
    await workbench.showContainer("Clf");
    await eventually(
      () => workbench.treeItems("Jobs"),
      (found) => found.some(({ label }) => label.includes("zero-shot-few-shot")),
      "the comparison among the jobs",
      30,
    );
  });
});
