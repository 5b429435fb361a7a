/** A workspace that nobody has trusted yet: files are checked, nothing is run. */
import assert from "node:assert/strict";
import { ROOT } from "../built.ts";
import { injuriesProject } from "./injuries.ts";
import { testWindow } from "./window.ts";
import { eventually } from "./workbench.ts";

describe("Clf in an untrusted workspace", function () {
  this.timeout(120_000);
  const data = injuriesProject(60, 5, { input: "Final Narrativ" });
  const window = testWindow({ workspace: data, extensionPath: ROOT, theme: "Light Modern", trust: "ask" });

  it("checks files", async () => {
    const { workbench } = window;
    await workbench.openFile("injuries.clf.yaml");
    const marks = await eventually(
      () => workbench.squiggles(),
      (found) => found.length > 0,
      "a mark at the column that is not there",
      60,
    );
    assert.equal(marks[0]!.text.trim(), "Final Narrativ");
  });

  it("offers nothing that would run, and says why", async () => {
    const { workbench } = window;
    const commands = await workbench.commands("Clf: ");
    for (const name of ["Fine-tune a Model", "Evaluate a Model", "Predict Rows", "New Project from Data…", "Set Key"]) {
      assert.ok(!commands.includes(`Clf: ${name}`), commands.join(" | "));
    }
    assert.ok(commands.includes("Clf: Restart Language Server"), commands.join(" | "));
    assert.deepEqual(
      (await workbench.codeLenses()).filter((title) => /Fine-tune|Evaluate|Compare/.test(title)),
      [],
    );
    await workbench.showContainer("Clf");
    await eventually(
      () => workbench.page.locator(".welcome-view-content").allInnerTexts(),
      (texts) => texts.some((text) => /This workspace is not trusted/.test(text)),
      "the reason in the Jobs view",
    );
    await workbench.screenshot("client-untrusted");
  });
});
