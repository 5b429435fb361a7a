import assert from "node:assert/strict";
import fc from "fast-check";
import { assignFolds } from "../../../../server/src/engines/linear/folds.ts";

describe("linear folds", () => {
  it("spreads every label evenly", () => {
    const labels = Int32Array.from({ length: 1003 }, (_, i) => (i % 10 < 7 ? 0 : i % 10 < 9 ? 1 : 2));
    const fold = assignFolds(labels, undefined, 5, 1);
    for (let label = 0; label < 3; label++) {
      const rows = [0, 1, 2, 3, 4].map((f) => labels.filter((l, i) => l === label && fold[i] === f).length);
      assert.ok(Math.max(...rows) - Math.min(...rows) <= 1, `${label}: ${rows}`);
    }
  });

  it("keeps the rows of a group together, whatever the groups", () => {
    const row = fc.record({ label: fc.nat(4), group: fc.nat(30) });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 200 }), fc.nat(), (rows, seed) => {
        const fold = assignFolds(
          Int32Array.from(rows, (r) => r.label),
          Int32Array.from(rows, (r) => r.group),
          5,
          seed,
        );
        const foldOf = new Map<number, number>();
        rows.forEach(({ group }, i) => {
          assert.equal(foldOf.get(group) ?? fold[i], fold[i]);
          foldOf.set(group, fold[i]!);
          assert.ok(fold[i]! < 5);
        });
      }),
    );
  });

  it("depends on the seed alone", () => {
    const labels = Int32Array.from({ length: 300 }, (_, i) => i % 7);
    assert.deepEqual(assignFolds(labels, undefined, 5, 3), assignFolds(labels, undefined, 5, 3));
    assert.notDeepEqual(assignFolds(labels, undefined, 5, 3), assignFolds(labels, undefined, 5, 4));
  });
});
