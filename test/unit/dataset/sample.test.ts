import assert from "node:assert/strict";
import type { ProjectFileInput } from "../../../schemas/project.ts";
import type { Dataset } from "../../../server/src/dataset/dataset.ts";
import { rowId, rowLabel, SPLITS } from "../../../server/src/dataset/rows.ts";
import { toCsv, withProject } from "./made-project.ts";

type Sampling = NonNullable<ProjectFileInput["dataset"]["sampling"]>;

/** 100 of a, 40 of b, 10 of c, 2 of d; a second target that is rare in one row. */
const made: string[][] = [];
for (const [label, n] of [
  ["a", 100],
  ["b", 40],
  ["c", 10],
  ["d", 2],
] as const) {
  for (let i = 0; i < n; i++)
    made.push([
      `${label}${i}`,
      `${label} ${i} ${(i + 1) * 7919} ${(i + 3) * 104729}`,
      label,
      label === "a" && i === 0 ? "odd" : i % 2 ? "p" : "q",
      i % 5 === 4 ? "test" : "train",
    ]);
}

const withSampling = (sampling: Sampling, use: (dataset: Dataset) => void, rows = made) =>
  withProject(
    {
      dataset: { source: "data.csv", id: "id", split: { column: "split", tune: 0 }, sampling },
      task: { inputs: ["text"], targets: [{ column: "label" }, { column: "second" }] },
      files: { "data.csv": toCsv(["id", "text", "label", "second", "split"], rows) },
    },
    async ({ open }) => use(await open()),
  );

/** Rows that take part, by split and label. */
function counts({ rows }: Dataset): Record<string, Record<string, number>> {
  const result: Record<string, Record<string, number>> = {};
  for (let i = 0; i < rows.count; i++) {
    if (rows.leftOut[i] !== 0) continue;
    const split = (result[SPLITS[rows.split[i]!]!] ??= {});
    const label = rowLabel(rows, 0, i)!;
    split[label] = (split[label] ?? 0) + 1;
  }
  return result;
}

const test = { a: 20, b: 8, c: 2 };

describe("sampling", () => {
  it("natural keeps every row", () =>
    withSampling({}, (dataset) => {
      assert.deepEqual(counts(dataset), { train: { a: 80, b: 32, c: 8, d: 2 }, test });
      assert.deepEqual(dataset.sampling, { left_out: 0, dropped_labels: {}, applied: "train" });
    }));

  it("min_examples drops rare labels of every target from train alone", () =>
    withSampling({ min_examples: 9 }, (dataset) => {
      assert.deepEqual(counts(dataset), { train: { a: 79, b: 32 }, test });
      assert.deepEqual(dataset.sampling, {
        left_out: 11,
        dropped_labels: { label: ["c", "d"], second: ["odd"] },
        applied: "train",
      });
    }));

  it("with apply: all drops them everywhere", () =>
    withSampling({ min_examples: 9, apply: "all" }, (dataset) => {
      assert.deepEqual(counts(dataset).test, { a: 20, b: 8 });
      assert.equal(dataset.sampling.applied, "all");
      assert.deepEqual(dataset.profile.left_out, { "dropped-label": 13 });
    }));

  it("balanced takes equal numbers of the most frequent labels", async () => {
    await withSampling({ strategy: "balanced", labels: 3 }, (dataset) => {
      assert.deepEqual(counts(dataset), { train: { a: 8, b: 8, c: 8 }, test });
      assert.deepEqual(dataset.sampling.dropped_labels.label, ["d"]);
      assert.equal(dataset.sampling.left_out, 98);
    });
    await withSampling({ strategy: "balanced", labels: 2, per_label: 5 }, (dataset) => {
      assert.deepEqual(counts(dataset).train, { a: 5, b: 5 });
    });
  });

  it("undersample cuts to a multiple of the rarest label that is left", () =>
    withSampling({ strategy: "undersample", max_ratio: 2.5, min_examples: 8 }, (dataset) => {
      assert.deepEqual(counts(dataset), { train: { a: 20, b: 20, c: 8 }, test });
    }));

  it("chooses the same rows whatever the order of the file", async () => {
    const kept: string[][] = [];
    for (const rows of [made, [...made].reverse()]) {
      await withSampling(
        { strategy: "balanced" },
        ({ rows: all }) =>
          kept.push(
            Array.from({ length: all.count }, (_, i) => i)
              .filter((i) => all.leftOut[i] === 0)
              .map((i) => rowId(all, i))
              .sort(),
          ),
        rows,
      );
    }
    assert.deepEqual(kept[1], kept[0]);
  });
});
