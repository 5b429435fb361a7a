/** What a model says of every row it has predicted, as the Flagged view and the hints in data files have it. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FlaggedDocument } from "../../schemas/cli.ts";
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

  it("on which two people disagree are shown with who said what, and settled by another decision", async () => {
    const reviews = join(folder, "reviews.jsonl");
    const listed = async (...args: string[]) =>
      FlaggedDocument.parse(JSON.parse((await clf(["flagged", folder, "--json", ...args])).out));
    const { items } = await listed();
    const { row, target, label, top } = items.find(({ blind }) => !blind)!;
    const other = top.find(([name]) => name !== label)![0];
    const before = readFileSync(reviews, "utf8");
    const said = async (who: string, what: string): Promise<string> => {
      writeFileSync(reviews, before);
      const env = { GIT_CONFIG_VALUE_0: who };
      const { code, err } = await clf(["review", folder, row, target, what, "--note", `says ${who}`], { env });
      assert.equal(code, 0, err);
      return readFileSync(reviews, "utf8").slice(before.length);
    };
    // Neither has seen the other's decision; git keeps the lines of both.
    const lines = [await said("Ada", label!), await said("Ben", other)];
    writeFileSync(reviews, before + lines.join(""));
    const [found, ...more] = (await listed("--reason", "conflict")).items;
    assert.deepEqual([found?.row, more], [row, []]);
    assert.deepEqual(
      new Set(found!.conflict.map(({ who, after, note }) => `${who} ${after} ${note}`)),
      new Set([`Ada ${label} says Ada`, `Ben ${other} says Ben`]),
    );
    const words = (await clf(["flagged", folder, "--reason", "conflict"])).out;
    assert.ok(words.includes(`Ada: ${label}`) && words.includes(`Ben: ${other}`), words);
    assert.equal((await clf(["review", folder, row, target, other])).code, 0);
    assert.deepEqual((await listed("--reason", "conflict")).items, []);
  });

  it("can be asked for by the two labels between which they stand", async () => {
    const listed = async (...args: string[]) =>
      FlaggedDocument.parse(JSON.parse((await clf(["flagged", folder, "--json", ...args])).out)).items;
    const { label, top, given } = (await listed()).find(
      (item) => !item.blind && item.label !== null && item.top.length > 1,
    )!;
    const other = given !== null && given !== label ? given : top.find(([name]) => name !== label)![0];
    const pair = [label!, other];
    const found = await listed("--order", "informative", "--pair", ...pair.toReversed());
    assert.ok(found.length > 0);
    for (const item of found) assert.ok(pair.includes(item.label!));
    const { code, err } = await clf(["flagged", folder, "--pair", label!]);
    assert.deepEqual([code, err.includes("--pair takes two labels")], [2, true]);
  });
});
