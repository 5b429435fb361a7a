import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import type { Dataset } from "../../../server/src/dataset/dataset.ts";
import { LEFT_OUT, rowId, rowLabel, SPLITS } from "../../../server/src/dataset/rows.ts";
import { stratify } from "../../../server/src/dataset/stratify.ts";
import { type MadeProject, toCsv, withProject } from "./made-project.ts";

/** Row id → split, tune counted as train; "left out" with the reason. */
function splitsOf({ rows }: Dataset): Map<string, string> {
  const splits = new Map<string, string>();
  for (let i = 0; i < rows.count; i++) {
    const split = SPLITS[rows.split[i]!]!;
    splits.set(
      rowId(rows, i),
      rows.leftOut[i] ? `left out: ${LEFT_OUT[rows.leftOut[i]!]}` : split === "tune" ? "train" : split,
    );
  }
  return splits;
}

/** Texts that are no near-duplicates of one another. */
const text = (n: number): string => Array.from({ length: 6 }, (_, k) => ((n + 1) * 7919 ** (k + 1)) % 99991).join(" ");

const header = ["id", "text", "label", "owner"];
const row = (n: number, label: string, owner = ""): string[] => [`r${n}`, text(n), label, owner];
const grouped = { source: "data.csv", id: "id", group: "owner" };

const some = fc.array(
  fc.record({ label: fc.constantFrom("a", "a", "a", "b", "b", "c"), owner: fc.integer({ min: 0, max: 30 }) }),
  {
    minLength: 1,
    maxLength: 120,
  },
);
const toRows = (made: { label: string; owner: number }[], from = 0): string[][] =>
  made.map(({ label, owner }, i) => row(from + i, label, owner === 0 ? "" : `o${owner}`));

const files = (rows: string[][]) => ({ "data.csv": toCsv(header, rows) });

describe("splits", () => {
  it("never move when rows are added, whatever their order, and no group straddles", async () => {
    await fc.assert(
      fc.asyncProperty(some, some, fc.boolean(), async (first, later, reversed) => {
        const before = toRows(first);
        const added = toRows(later, first.length);
        await withProject({ dataset: grouped, files: files(before) }, async ({ open, write }) => {
          const made = await open();
          // Splits of data with errors (here: a single label) are not for good.
          fc.pre(made.problems.every((p) => p.severity !== "error"));
          const saved = splitsOf(made);
          const all = reversed ? [...added, ...before].reverse() : [...before, ...added];
          await write("data.csv", toCsv(header, all));
          const dataset = await open();
          const now = splitsOf(dataset);
          for (const [id, split] of saved) assert.equal(now.get(id), split);
          assert.deepEqual(splitsOf(await open()), now);
          const bySplit = new Map<string, Set<string>>();
          for (const [id, , , owner] of all) {
            if (owner === "" || now.get(id!)!.startsWith("left out")) continue;
            const splits = bySplit.get(owner!) ?? new Set();
            bySplit.set(owner!, splits.add(now.get(id!)!));
          }
          for (const [owner, splits] of bySplit) assert.equal(splits.size, 1, `${owner} is in ${[...splits]}`);
        });
      }),
      { numRuns: 25 },
    );
  });

  it("place a new row the same whether it comes first or last", () =>
    withProject({ dataset: grouped, files: files([row(0, "a"), row(1, "b")]) }, async ({ open, write, project }) => {
      await open();
      const start = readFileSync(project.splitsFile);
      const fresh = Array.from({ length: 50 }, (_, i) => row(i + 2, i % 2 ? "a" : "b"));
      const results: Map<string, string>[] = [];
      for (const batches of [[fresh], [fresh.slice(25), fresh], [fresh.slice(0, 10).reverse(), [...fresh].reverse()]]) {
        writeFileSync(project.splitsFile, start);
        let last: Dataset | undefined;
        for (const batch of batches) {
          await write("data.csv", toCsv(header, [row(0, "a"), row(1, "b"), ...batch]));
          last = await open();
        }
        results.push(new Map([...splitsOf(last!)].sort()));
      }
      assert.deepEqual(results[1], results[0]);
      assert.deepEqual(results[2], results[0]);
      assert.ok(new Set(results[0]!.values()).size === 3);
    }));

  it("are stratified: every label within a row of its share, the whole within one in a hundred", () =>
    withProject(
      {
        dataset: { source: "data.csv", id: "id" },
        files: files(Array.from({ length: 2000 }, (_, n) => row(n, `label ${Math.floor(Math.log2(n + 1))}`))),
      },
      async ({ open }) => {
        const { profile } = await open();
        const { train, tune, validation, test } = profile.splits as Record<string, number>;
        assert.deepEqual(
          [train! + tune!, validation, test].map((n) => Math.round(n! / 20)),
          [64, 16, 20],
        );
        assert.ok(Math.abs(tune! / (train! + tune!) - 0.1) < 0.01);
        for (const { name, rows, splits } of profile.targets[0]!.labels) {
          const got = [(splits.train ?? 0) + (splits.tune ?? 0), splits.validation ?? 0, splits.test ?? 0];
          for (const [i, share] of [0.64, 0.16, 0.2].entries()) {
            assert.ok(Math.abs(got[i]! - share * rows) <= 1.5, `${name}: ${got} of ${rows}`);
          }
          assert.ok(got[0]! > 0);
        }
      },
    ));

  it("keep duplicates, near-duplicates and groups together", () => {
    const long = Array.from({ length: 40 }, (_, n) => `${text(n)} ${text(n + 1000)} ${text(n + 2000)}`);
    const rows = long.flatMap((t, n) => [
      [`a${n}`, t, "x", ""],
      [`b${n}`, `${t.toUpperCase()}!`, "y", ""],
      [`c${n}`, `${t} z`, "x", ""],
      [`d${n}`, text(5000 + n), "y", `owner ${n}`],
      [`e${n}`, text(6000 + n), "x", `owner ${n}`],
    ]);
    return withProject({ dataset: grouped, files: files(rows) }, async ({ open }) => {
      const dataset = await open();
      const splits = splitsOf(dataset);
      assert.deepEqual(dataset.profile.duplicates, { exact: 40, near: 40, largest_group: 3 });
      for (let n = 0; n < 40; n++) {
        assert.equal(splits.get(`a${n}`), splits.get(`b${n}`));
        assert.equal(splits.get(`a${n}`), splits.get(`c${n}`));
        assert.equal(splits.get(`d${n}`), splits.get(`e${n}`));
      }
      assert.equal(dataset.profile.leaks, 0);
      assert.deepEqual(new Set(splits.values()), new Set(["train", "validation", "test"]));
    });
  });

  it("leave out a new row that would bridge two splits, and say so", () => {
    const rows = Array.from({ length: 40 }, (_, n) => row(n, n % 2 ? "a" : "b", `owner ${n}`));
    return withProject({ dataset: grouped, files: files(rows) }, async ({ open, write }) => {
      const saved = splitsOf(await open());
      const inTrain = rows.find(([id]) => saved.get(id!) === "train")!;
      const inTest = rows.find(([id]) => saved.get(id!) === "test")!;
      // The text of one, the group of the other.
      await write("data.csv", toCsv(header, [...rows, ["bridge", inTrain[1]!, "a", inTest[3]!]]));
      const dataset = await open();
      const now = splitsOf(dataset);
      assert.equal(now.get("bridge"), "left out: bridge");
      for (const [id, split] of saved) assert.equal(now.get(id), split);
      const problem = dataset.problems.find((p) => p.code === "bridge")!;
      assert.equal(problem.range!.start.line, 41);
      assert.equal(problem.row, "bridge");
      assert.deepEqual(dataset.profile.left_out, { bridge: 1 });
    });
  });

  it("divide groups that duplicates chain together, and leave out the links", () => {
    const rows = Array.from({ length: 400 }, (_, n) => row(n, n % 2 ? "a" : "b", `owner ${n % 20}`));
    // Each owner shares a text with the next.
    for (let owner = 0; owner < 20; owner++) {
      rows.push([`p${owner}`, text(9000 + owner), "a", `owner ${owner}`]);
      rows.push([`q${owner}`, text(9000 + owner), "a", `owner ${(owner + 1) % 20}`]);
    }
    return withProject({ dataset: grouped, files: files(rows) }, async ({ open }) => {
      const dataset = await open();
      assert.ok(dataset.problems.some((p) => p.code === "chained-groups"));
      const splits = splitsOf(dataset);
      const { train, tune, validation, test } = dataset.profile.splits as Record<string, number>;
      assert.ok(validation! > 0 && test! > 0 && train! + tune! > test!);
      const owners = new Map<string, Set<string>>();
      const texts = new Map<string, Set<string>>();
      for (const [id, words, , owner] of rows) {
        const split = splits.get(id!)!;
        if (split.startsWith("left out")) continue;
        owners.set(owner!, (owners.get(owner!) ?? new Set()).add(split));
        texts.set(words!, (texts.get(words!) ?? new Set()).add(split));
      }
      for (const splitsOfOne of [...owners.values(), ...texts.values()]) assert.equal(splitsOfOne.size, 1);
      assert.deepEqual(splitsOf(await open()), splits);
      assert.equal(dataset.profile.leaks, 0);
    });
  });

  it("of files stay, and the rest of train is carved by renormalised shares", () =>
    withProject(
      {
        dataset: { source: { train: "train.csv", test: "test.csv" }, id: "id", split: { train: 0.8, validation: 0.2 } },
        files: {
          "train.csv": toCsv(
            header,
            Array.from({ length: 200 }, (_, n) => row(n, n % 2 ? "a" : "b")),
          ),
          "test.csv": toCsv(
            header,
            Array.from({ length: 50 }, (_, n) => row(1000 + n, n % 2 ? "a" : "b")),
          ),
        },
      },
      async ({ open, project }) => {
        const { profile } = await open();
        const { train, tune, validation, test } = profile.splits as Record<string, number>;
        assert.deepEqual([train! + tune!, validation, test], [160, 40, 50]);
        // Only what was carved is saved.
        assert.equal(readFileSync(project.splitsFile, "utf8").trim().split("\n").length, 200);
      },
    ));

  it("of a column stay, unlabelled rows are the pool, nothing is saved", () =>
    withProject(
      {
        dataset: { source: "data.csv", split: { column: "split" } },
        files: { "data.csv": "text,label,split\nt1,a,train\nt2,b,train\nt3,a,Dev\nt4,b,test\nt5,,test\n" },
      },
      async ({ open, project, folder }) => {
        const dataset = await open();
        assert.deepEqual([...splitsOf(dataset).values()], ["train", "train", "validation", "test", "pool"]);
        assert.ok(!readdirSync(folder).includes(project.splitsFile.split("/").at(-1)!));
      },
    ));

  it("keep rows that people judged as flagged out of validation and test", () =>
    withProject(
      { dataset: grouped, files: files(Array.from({ length: 60 }, (_, n) => row(n, n % 2 ? "a" : "b"))) },
      async ({ open, project }) => {
        const judged = new Set(Array.from({ length: 20 }, (_, n) => `r${n}`));
        const splits = splitsOf(await open({ keepInTrain: judged }));
        for (const id of judged) assert.equal(splits.get(id), "train");
        assert.ok([...splits.values()].includes("test"));
        const saved = readFileSync(project.splitsFile, "utf8");
        assert.match(saved, /\{"row":"r0","split":"train"\}\n/);
      },
    ));

  it("are saved sorted, a line a row, and not at all when asked", () =>
    withProject(
      { dataset: grouped, files: files([row(9, "a"), row(10, "b"), row(1, "a")]) },
      async ({ open, project, folder }) => {
        await open({ saveSplits: false });
        assert.deepEqual(readdirSync(folder), ["data.csv"]);
        await open();
        const ids = readFileSync(project.splitsFile, "utf8")
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line).row);
        assert.deepEqual(ids, ["r1", "r10", "r9"]);
      },
    ));

  it("in a damaged file hold as far as they can be read; the file is set aside, never lost", () =>
    withProject(
      { dataset: grouped, files: files(Array.from({ length: 40 }, (_, n) => row(n, n % 2 ? "a" : "b"))) },
      async ({ open, write, project, folder }: MadeProject) => {
        const before = splitsOf(await open());
        const damaged = `<<<<<<< HEAD\n${readFileSync(project.splitsFile, "utf8")}=======\n`;
        writeFileSync(project.splitsFile, damaged);
        const dataset = await open({ saveSplits: false });
        assert.deepEqual(splitsOf(dataset), before);
        const problem = dataset.problems.find((p) => p.code === "unreadable-splits")!;
        assert.equal(problem.range!.start.line, 0);
        assert.equal(readFileSync(project.splitsFile, "utf8"), damaged);

        await write(
          "data.csv",
          toCsv(
            header,
            Array.from({ length: 41 }, (_, n) => row(n, n % 2 ? "a" : "b")),
          ),
        );
        const later = await open();
        for (const [id, split] of before) assert.equal(splitsOf(later).get(id), split);
        const aside = readdirSync(folder).find((name) => name.includes(".unreadable-"))!;
        assert.equal(readFileSync(`${folder}/${aside}`, "utf8"), damaged);
        assert.ok(later.problems.some((p) => p.code === "splits-set-aside"));
        assert.ok(!(await open()).problems.some((p) => p.code === "unreadable-splits"));
      },
    ));

  it("say when the saved ones are not what the project asks for", () =>
    withProject(
      {
        dataset: { source: "data.csv", id: "id" },
        files: files(Array.from({ length: 200 }, (_, n) => row(n, n % 2 ? "a" : "b"))),
      },
      async ({ open, project }) => {
        await open();
        project.shares = { train: 0.8, validation: 0, test: 0.2 };
        const { problems } = await open();
        assert.match(
          problems.find((p) => p.code === "saved-splits-differ")!.message,
          /16 % validation.*asks for 80 % train, 0 % validation/,
        );
      },
    ));
});

describe("stratify", () => {
  it("divides units of several labels close to their shares, label by label", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 5, max: 8 })), {
          minLength: 60,
          maxLength: 300,
        }),
        (pairs) => {
          const parts = stratify(
            {
              count: pairs.length,
              sizes: new Int32Array(pairs.length).fill(1),
              hashes: Uint32Array.from(pairs, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 0),
              starts: Int32Array.from({ length: pairs.length + 1 }, (_, i) => 2 * i),
              labels: Int32Array.from(pairs.flat()),
            },
            [0.6, 0.2, 0.2],
            9,
          );
          const shares = [0, 0, 0];
          for (const part of parts) shares[part]! += 1 / pairs.length;
          for (const [i, share] of [0.6, 0.2, 0.2].entries())
            assert.ok(Math.abs(shares[i]! - share) <= 0.05 + 5 / pairs.length, `${shares}`);
          for (let label = 0; label < 9; label++) {
            const mine = pairs.flatMap((pair, i) => (pair.includes(label) ? [parts[i]!] : []));
            for (const [part, share] of [0.6, 0.2, 0.2].entries()) {
              const got = mine.filter((p) => p === part).length;
              assert.ok(
                Math.abs(got - share * mine.length) <= Math.max(4, 0.15 * mine.length),
                `label ${label}: ${got} of ${mine.length}`,
              );
            }
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it("gives a part of share 0 nothing, and a rare label to the first part", () => {
    const parts = stratify(
      {
        count: 5,
        sizes: new Int32Array(5).fill(1),
        hashes: new Uint32Array([5, 4, 3, 2, 1]),
        starts: Int32Array.from([0, 1, 2, 3, 4, 5]),
        labels: Int32Array.from([0, 1, 2, 3, 4]),
      },
      [0.1, 0, 0.9],
      5,
    );
    assert.deepEqual([...parts], [0, 0, 0, 0, 0]);
  });
});

describe("splits of a row without its label", () => {
  it("return when the label does", () =>
    withProject(
      { dataset: grouped, files: files(Array.from({ length: 30 }, (_, n) => row(n, n % 2 ? "a" : "b"))) },
      async ({ open, write }) => {
        const before = splitsOf(await open());
        await write(
          "data.csv",
          toCsv(
            header,
            Array.from({ length: 30 }, (_, n) => row(n, n === 3 ? "" : n % 2 ? "a" : "b")),
          ),
        );
        const without = await open();
        assert.equal(splitsOf(without).get("r3"), "pool");
        assert.equal(rowLabel(without.rows, 0, 3), null);
        await write(
          "data.csv",
          toCsv(
            header,
            Array.from({ length: 30 }, (_, n) => row(n, n % 2 ? "a" : "b")),
          ),
        );
        assert.deepEqual(splitsOf(await open()), before);
      },
    ));
});
