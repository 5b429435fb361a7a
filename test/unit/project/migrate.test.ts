import assert from "node:assert/strict";
import { isMap, parseDocument } from "yaml";
import { loadProject } from "../../../server/src/project/load.ts";
import { type Migration, migrate } from "../../../server/src/project/migrate.ts";

/**
 * How a step is written. In a made-up version 0 the data stood under `data.file`, which version 1 calls
 * `dataset.source`. The step renames the keys in place: order and comments stay.
 */
const fromZero: Migration = {
  from: 0,
  apply: (document) => {
    const rename = (map: unknown, from: string, to: string) => {
      if (!isMap(map)) return undefined;
      const pair = map.items.find(({ key }) => String(key) === from);
      if (pair) (pair.key as { value: unknown }).value = to;
      return pair?.value;
    };
    rename(rename(document.contents, "data", "dataset"), "file", "source");
  },
};

const OLD = `# Injuries of 2024
version: 0
data:
  # moved in version 1
  file: a.csv # the export
task:
  inputs: [ Text ] # what is read
  targets:
    - column: Kind
`;

describe("migrate", () => {
  it("takes a document through each step, keeping comments and order", () => {
    const outcome = migrate(parseDocument(OLD), [fromZero], 1);
    assert.equal(outcome.state, "migrated");
    assert.equal(
      outcome.state === "migrated" && outcome.text,
      OLD.replace("version: 0", "version: 1").replace("data:", "dataset:").replace("file:", "source:"),
    );
  });

  it("applies steps in order up to the latest", () => {
    const seen: number[] = [];
    const steps = [2, 0, 1].map((from) => ({ from, apply: () => void seen.push(from) }));
    const document = parseDocument("version: 0\n");
    migrate(document, steps, 3);
    assert.deepEqual(seen, [0, 1, 2]);
    assert.equal(document.get("version"), 3);
  });

  it("changes nothing when a step is missing, and tells newer, missing and senseless versions apart", () => {
    const document = parseDocument("version: 0\n");
    assert.deepEqual(migrate(document, [fromZero], 3), { state: "unknown" });
    assert.equal(document.get("version"), 0);
    assert.deepEqual(migrate(parseDocument("version: 2\n")), { state: "newer", version: 2 });
    assert.deepEqual(migrate(parseDocument("a: 1\n")), { state: "missing" });
    assert.deepEqual(migrate(parseDocument("version: 1.5\n")), { state: "unknown" });
    assert.deepEqual(migrate(parseDocument("version: 1\n")), { state: "current" });
    assert.deepEqual(migrate(parseDocument("- 1\n")), { state: "missing" });
  });

  it("lets an older project load, says so, and offers its text", async () => {
    const loaded = await loadProject("/nowhere/x.clf.yaml", { text: OLD, migrations: [fromZero] });
    assert.deepEqual(
      loaded.problems.map(({ severity, code, range }) => [severity, code, range!.start.line]),
      [["information", "older-version", 1]],
    );
    assert.equal(loaded.project!.spec.dataset.source, "a.csv");
    assert.match(loaded.migrated!, /^# Injuries of 2024\nversion: 1\ndataset:/);
    assert.equal(loaded.document.text, OLD);
  });
});
