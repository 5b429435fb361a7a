/** Two targets, each row with a label of one of them alone. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { EvaluateDocument, FlaggedDocument } from "../../schemas/cli.ts";
import { build, document, removeFolder, temporaryFolder } from "./support.ts";

const PROJECT = `version: 1
dataset: { source: data.csv, id: id, split: { train: 0.8, validation: 0, test: 0.2 } }
task: { inputs: [text], targets: [{ column: fruit }, { column: stone }] }
models: { m: { engine: linear, char_ngrams: [3, 3] } }
`;
const LABELS = { fruit: ["apple", "pear"], stone: ["slate", "flint"] };
/** Every 20th label is the other one. */
const ROWS = Array.from({ length: 240 }, (_, i) => {
  const target = i % 2 ? "fruit" : "stone";
  const which = (i >> 1) % 2;
  const label = LABELS[target][i % 20 < 2 ? 1 - which : which]!;
  const text = `${LABELS[target][which]} of batch ${i * 7919} and ${i * 104729}`;
  return [`r${i}`, text, ...(target === "fruit" ? [label, ""] : ["", label])].join(",");
});

describe("rows with a label of one target alone", function () {
  this.timeout(60_000);
  const cwd = temporaryFolder();
  before(function () {
    this.timeout(120_000);
    build();
    writeFileSync(join(cwd, "p.clf.yaml"), PROJECT);
    writeFileSync(join(cwd, "data.csv"), `id,text,fruit,stone\n${ROWS.join("\n")}\n`);
  });
  after(() => removeFolder(cwd));

  it("are evaluated, and doubtful labels of either target are found", async () => {
    const { models } = await document(EvaluateDocument, ["evaluate", "p.clf.yaml"], { cwd });
    assert.equal(models.m!.joint_accuracy, null);
    assert.ok(models.m!.targets.fruit!.n > 10 && models.m!.targets.stone!.n > 10);
    const { items } = await document(FlaggedDocument, ["flagged", "p.clf.yaml", "--reason", "label-issue"], { cwd });
    assert.deepEqual([...new Set(items.map(({ target }) => target))].sort(), ["fruit", "stone"]);
  });
});
