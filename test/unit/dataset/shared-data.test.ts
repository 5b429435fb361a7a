/** The real data sets, where they lie beside the repository. */
import assert from "node:assert/strict";
import { cpSync, existsSync } from "node:fs";
import path from "node:path";
import type { ProjectFileInput } from "../../../schemas/project.ts";
import { withProject } from "./made-project.ts";

const shared = path.resolve(import.meta.dirname, "../../../../shared/data");

interface Expected {
  folder: string;
  dataset: ProjectFileInput["dataset"];
  targets: string[];
  inputs?: string[];
  rows: number;
  labels: number[];
  codes: string[];
}

const sets: Expected[] = [
  {
    folder: "banking77",
    dataset: { source: { train: "train.csv", test: "test.csv" } },
    targets: ["label"],
    rows: 13_083,
    labels: [77],
    codes: ["conflicting-labels", "split-leak"],
  },
  {
    folder: "hwu64",
    dataset: { source: "all_10fold.csv" },
    targets: ["scenario", "intent"],
    rows: 11_036,
    labels: [18, 51],
    codes: ["conflicting-labels"],
  },
  {
    folder: "osha_abstracts_2015_2017",
    dataset: { source: "data.csv", id: "id" },
    targets: ["nature_of_injury", "part_of_body", "event_type", "degree_of_injury"],
    rows: 4847,
    labels: [20, 30, 15, 2],
    codes: ["conflicting-labels", "duplicate-id", "rare-label", "suspicious-label"],
  },
  {
    folder: "msha_body_part",
    dataset: { source: { train: "train_2010_2012.csv.gz", test: "test_2013_with_autocoder.csv.gz" } },
    targets: ["label"],
    rows: 36_356,
    labels: [46],
    codes: ["conflicting-labels", "split-leak"],
  },
  {
    folder: "doe_oe417",
    dataset: { source: "raw_events_2002_2023.csv" },
    inputs: ["text", "alert_criteria"],
    targets: ["event_type", "nerc_region"],
    rows: 3950,
    labels: [405, 48],
    codes: ["conflicting-labels", "label-spellings", "rare-label", "suspicious-label"],
  },
  {
    folder: "doe_oe417",
    dataset: { source: "clean_events.csv" },
    targets: ["event_type", "nerc_region"],
    rows: 3834,
    labels: [15, 34],
    codes: ["conflicting-labels", "label-spellings", "rare-label", "templated-texts"],
  },
  {
    folder: "noisy_ag_news",
    dataset: { source: "train_noisy_10000.csv" },
    targets: ["label"],
    rows: 10_000,
    labels: [4],
    codes: ["conflicting-labels"],
  },
];

describe("real data", () => {
  for (const { folder, dataset, targets, inputs = ["text"], rows, labels, codes } of sets) {
    it(`${folder}: ${JSON.stringify(dataset.source)}`, async function () {
      if (!existsSync(path.join(shared, folder))) this.skip();
      this.timeout(60_000);
      await withProject({ dataset, task: { inputs, targets: targets.map((column) => ({ column })) } }, async (made) => {
        cpSync(path.join(shared, folder), made.folder, { recursive: true });
        const { profile, problems } = await made.open();
        assert.equal(profile.rows, rows);
        assert.deepEqual(
          profile.targets.map((target) => target.labels.length),
          labels,
        );
        assert.deepEqual([...new Set(problems.map((p) => p.code))].sort(), codes);
        assert.ok(problems.length < 40, `${problems.length} problems`);
        assert.deepEqual(
          problems.filter((p) => p.severity === "error"),
          [],
        );
        const divided = Object.values(profile.splits).reduce((sum, n) => sum + n, 0);
        const left = Object.values(profile.left_out).reduce((sum, n) => sum + n, 0);
        assert.equal(divided + left, rows);
      });
    });
  }
});
