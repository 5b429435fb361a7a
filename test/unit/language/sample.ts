/** A project file to ask things of, and the figures that go with it. */
import type { SampledColumn } from "../../../server/src/language/data-protocol.ts";
import type { DataFigures, ModelFigures } from "../../../server/src/language/figures.ts";
import { readYaml, type YamlFile } from "../../../server/src/project/yaml.ts";

export const SAMPLE = `version: 1
dataset:
  source: data/a.csv
  group: Employer
task:
  inputs: [Text]
  targets:
    - column: Nature
      labels: [Burns, Cuts]
      never: [Burns]
models:
  baseline: { engine: linear }
  zero:
    engine: chat
    endpoint: here
    model: m
  tuned:
    engine: qlora
    base: x/y
    host: a10g
  both: { engine: cascade, stages: [baseline, tuned] }
endpoints:
  here: { base_url: "http://localhost:8000/v1" }
hosts:
  a10g: { kind: ssh, address: me@there }
review: { model: baseline }
`;

export const read = (text: string): YamlFile => readYaml("/projects/sample/p.clf.yaml", text);

/** The text without the first `│`, and where that stood. */
export function cursor(text: string): { file: YamlFile; offset: number } {
  const offset = text.indexOf("│");
  if (offset < 0) throw new Error("No cursor in the text");
  return { file: read(text.slice(0, offset) + text.slice(offset + 1)), offset };
}

/** SAMPLE with a cursor in `find`, which has a `│` in it. */
export function inSample(find: string): { file: YamlFile; offset: number } {
  const plain = find.replace("│", "");
  if (!SAMPLE.includes(plain)) throw new Error(`Not in the sample: ${plain}`);
  return cursor(SAMPLE.replace(plain, () => find));
}

export const DATA: DataFigures = {
  rows: 4812,
  splits: { train: 3080, validation: 770, test: 962 },
  pool: 12,
  duplicates: 31,
  inputs: [{ column: "Text", empty: 0, median: 80 }],
  targets: {
    Nature: {
      labelled: 4812,
      labels: [
        { name: "Burns", train: 2000, validation: 500, test: 600 },
        { name: "Cuts", train: 1080, validation: 270, test: 362 },
      ],
    },
  },
};

const column = (
  name: string,
  rows: number,
  values: [string, number][],
  distinct: number | null = values.length,
): SampledColumn => ({
  name,
  rows,
  empty: 0,
  values,
  distinct,
});

export const COLUMNS: SampledColumn[] = [
  column("Text", 100, [["a text", 1]], null),
  column("Employer", 100, [
    ["One", 60],
    ["Two", 40],
  ]),
  column("Nature", 100, [
    ["Burns", 60],
    ["Cuts", 30],
    ["on", 10],
  ]),
];

export const MODELS: Record<string, ModelFigures> = {
  baseline: {
    evaluation: {
      job: "20261121-2330-baseline-7f3a",
      time: "2026-11-21T23:30:00Z",
      targets: { Nature: { accuracy: 0.8312, interval: [0.81, 0.85], n: 962 } },
      joint_accuracy: 0.8312,
      coverage: 0.7134,
      certified: true,
    },
    labels: { Nature: { Burns: { rows: 600, right: 540 } } },
  },
};

export const NOW = Date.parse("2026-11-21T23:32:30Z");
