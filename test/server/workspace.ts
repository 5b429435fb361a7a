/** Makes project folders for the tests of the language server. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface Folder {
  path: string;
  file(name: string): string;
  write(name: string, text: string): string;
  remove(): void;
}

export function makeFolder(): Folder {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "clf-server-")));
  const file = (name: string) => join(path, name);
  return {
    path,
    file,
    write(name, text) {
      mkdirSync(dirname(file(name)), { recursive: true });
      writeFileSync(file(name), text);
      return file(name);
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Rows with the columns id, text, label, team; labels in turn. */
export function csv(labels: string[], rows = 120): string {
  const lines = ["id,text,label,team"];
  for (let i = 0; i < rows; i++) {
    const label = labels[i % labels.length]!;
    lines.push(`${i},"word${(i * 7919) % 1009} word${(i * 104_729) % 997} and number ${i}",${label},team ${i % 7}`);
  }
  return `${lines.join("\n")}\n`;
}

export const PROJECT = `version: 1
dataset:
  source: data/a.csv
task:
  inputs: [text]
  targets:
    - column: label
      labels: [Burns, Cuts]
models:
  baseline: { engine: linear }
  second:
    engine: linear
    folds: 4
review: { model: baseline }
`;
