/** What a model says of every row it has predicted, as the Flagged view and the hints in data files have it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { loadProject } from "../../server/src/project/load.ts";
import { verdictsOnJudged } from "../../server/src/workflow/data.ts";
import { type JudgedRows, judgedRows } from "../../server/src/workflow/flagged.ts";
import { openSession, type Session } from "../../server/src/workflow/session.ts";
import { build, clf, LABELLED, POOL, removeFolder, smallProject } from "./support.ts";

describe("judged rows", function () {
  this.timeout(120_000);
  let folder: string;
  let session: Session;

  before(async () => {
    build();
    folder = await smallProject();
    assert.equal((await clf(["evaluate", folder, "-m", "baseline"])).code, 0);
    const { project } = await loadProject(join(folder, "small.clf.yaml"));
    session = openSession(project!);
  });
  after(async () => {
    await session?.close();
    if (folder) await removeFolder(folder);
  });

  const bySplit = ({ rows }: JudgedRows): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { row } of rows.values()) counts[row.split] = (counts[row.split] ?? 0) + 1;
    return counts;
  };

  it("are those of validation, test and pool, and once they are predicted out of fold those of train", async () => {
    const before = bySplit((await judgedRows(session, "baseline")) as JudgedRows);
    assert.deepEqual(Object.keys(before).sort(), ["pool", "test", "validation"]);
    assert.equal(before.pool, POOL);
    assert.equal((await clf(["predict", folder, "-m", "baseline", "--out-of-fold"])).code, 0);
    const after = bySplit((await judgedRows(session, "baseline")) as JudgedRows);
    assert.deepEqual({ ...after, train: undefined, tune: undefined }, { ...before, train: undefined, tune: undefined });
    assert.equal(
      Object.values(after).reduce((a, b) => a + b, 0),
      LABELLED + POOL,
    );
  });

  it("too many to be held are not read: it is said why, and what to do", async () => {
    const many = await judgedRows(session, "baseline", { most: POOL });
    assert.ok("why" in many);
    assert.match(many.why, /at most 40 can be shown here\. Review them in parts.*clf flagged/);
    assert.ok(!("why" in (await judgedRows(session, "baseline", { most: LABELLED + POOL }))));
  });

  it("have their decisions without a reading of the data", async () => {
    const judged = (await judgedRows(session, "baseline")) as JudgedRows;
    const { row, targets } = [...judged.rows.values()].find(({ row }) => row.split === "pool")!;
    assert.equal((await verdictsOnJudged(session, judged)).size, 0);
    assert.equal((await clf(["review", folder, row.row, targets[0]!.target, "--confirm"])).code, 0);
    assert.equal((await verdictsOnJudged(session, judged)).size, 1);
  });
});
