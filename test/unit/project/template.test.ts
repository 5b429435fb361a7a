import assert from "node:assert/strict";
import fc from "fast-check";
import { loadProject } from "../../../server/src/project/load.ts";
import { projectTemplate } from "../../../server/src/project/template.ts";

const load = (text: string) => loadProject("/nowhere/x.clf.yaml", { text });
/** Column names and labels as data has them, strange ones among them. */
const word = fc.oneof(
  fc.string({ minLength: 1, maxLength: 20 }),
  fc.constantFrom(
    "007",
    "true",
    "yes",
    "a: b",
    "# no",
    "- x",
    "*",
    "&a",
    "é\n\tb",
    "it's",
    '"q"',
    "null",
    "~",
    "{x}",
    "\u2028",
  ),
);

describe("projectTemplate", () => {
  it("is a project that means what it was given", async () => {
    const text = projectTemplate({
      source: "data/injuries.csv",
      name: "severe-injuries",
      id: "report_id",
      inputs: ["Final Narrative", "Employer"],
      targets: [
        {
          column: "NatureTitle",
          labels: [
            { name: "Burns", rows: 214 },
            { name: "Fractures", rows: 1804 },
          ],
        },
      ],
    });
    assert.match(text, /# 2 labels in the data: Fractures \(1,804\), Burns \(214\)/);
    const { project, problems } = await load(text);
    assert.deepEqual(problems, []);
    assert.equal(project!.name, "severe-injuries");
    assert.equal(project!.spec.dataset.id, "report_id");
    assert.deepEqual(
      project!.inputs.map(({ column }) => column),
      ["Final Narrative", "Employer"],
    );
    assert.deepEqual(project!.shares, { train: 0.64, validation: 0.16, test: 0.2 });
  });

  it("carves only the splits that have no file", async () => {
    const source = { train: "train.csv", test: "test.csv" };
    const { project, problems } = await load(projectTemplate({ source, inputs: ["t"], targets: [{ column: "y" }] }));
    assert.deepEqual(problems, []);
    assert.deepEqual(project!.shares, { train: 0.84, validation: 0.16, test: 0 });
  });

  it("has no problem, whatever the columns and labels are called", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          source: fc.constant("data.csv"),
          inputs: fc.array(word, { maxLength: 4 }),
          targets: fc.array(
            fc.record({
              column: word,
              labels: fc.array(fc.record({ name: fc.oneof(word, fc.constant("")), rows: fc.nat() }), { maxLength: 20 }),
            }),
            { maxLength: 3 },
          ),
          id: fc.option(word, { nil: undefined }),
          group: fc.option(word, { nil: undefined }),
          splitColumn: fc.option(word, { nil: undefined }),
        }),
        async (data) => {
          const { project, problems } = await load(projectTemplate(data));
          assert.deepEqual(problems, []);
          const columns = [...new Set(data.targets.map(({ column }) => column))];
          if (columns.length > 0)
            assert.deepEqual(
              project!.targets.map(({ column }) => column),
              columns,
            );
        },
      ),
      { numRuns: 200 },
    );
  });
});
