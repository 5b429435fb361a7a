/**
 * What a user of the test sshd finds at login: a GPU that is made up, and a stand-in for the worker's Python. With CLF_SSH_MODEL (a base model on
 * this machine: a folder, or a .gguf file) and CLF_PYTHON (a Python that has the worker's packages), both readable by everybody, the real
 * worker runs.
 */
import { appendFile, chmod, copyFile, mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Sshd, TestUser } from "./sshd.ts";

/** The real model and its Python, when a person has named them. */
export function namedModel(): { model: string; python: string } | null {
  const { CLF_SSH_MODEL: model, CLF_PYTHON: python } = process.env;
  if (!model) return null;
  if (!python) throw new Error("CLF_SSH_MODEL needs CLF_PYTHON: a Python that has the worker's packages.");
  return { model, python };
}

/** The project's entry of a qlora model that such a user can fine-tune: fields of YAML. @param folder of the model, if not its own */
function tunedModel(folder?: string): string {
  const named = namedModel();
  if (!named) return "engine: qlora, base: Qwen/Qwen2.5-0.5B-Instruct";
  const { model } = named;
  const gguf = model.endsWith(".gguf");
  const base = folder ?? (gguf ? dirname(model) : model);
  const file = gguf ? `, gguf_file: ${basename(model)}` : "";
  return `engine: qlora, base: ${base}${file}, quantization: none, epochs: 1, learning_rate: 5e-3, max_tokens: 64`;
}

/** A project of one such model, `tuned`. */
export function weatherProject(folder?: string): string {
  return `version: 1
dataset: { source: reports.csv, split: { column: split } }
task: { inputs: [text], targets: [{ column: label }] }
models:
  tuned: { ${tunedModel(folder)} }
confidence: { accept: { threshold: 0.8 } }
`;
}

/** Its reports.csv: 240 rows of two labels, wet and dry. */
export function weatherReports(): string {
  const words = { wet: ["rain", "storm", "drizzle", "flood"], dry: ["sun", "drought", "dust", "heat"] };
  const rows = Array.from({ length: 240 }, (_, n) => {
    const label = n % 2 ? "wet" : "dry";
    const split = ["train", "validation", "test"][n % 3];
    return `"report ${n}: ${words[label][n % 4]} and ${words[label][(n * 7) % 4]} at place ${(n * 7919) % 1000}",${label},${split}`;
  });
  return `text,label,split\n${rows.join("\n")}\n`;
}

export interface HostWorker {
  /** A stand-in fine-tune goes on until this file is there. */
  gate: string;
}

/** @param user whose login shell is bash */
export async function installWorker(sshd: Sshd, user: TestUser): Promise<HostWorker> {
  const gate = join(sshd.folder, "gate");
  const named = namedModel();
  let python = named?.python;
  if (!python) {
    const worker = join(sshd.folder, "fake-worker.sh");
    await copyFile(join(import.meta.dirname, "fake-worker.sh"), worker);
    python = join(sshd.folder, "python");
    await script(python, `[ "$1 $2" = "-m clf_worker" ] || exit 9\nexec sh ${worker} ${gate} "$3"`);
  }
  await appendFile(join(user.home, ".bashrc"), `export CLF_PYTHON=${python}\n`);
  const bin = join(user.home, ".local/bin");
  await mkdir(bin, { recursive: true });
  await script(
    join(bin, "nvidia-smi"),
    "case $1 in --query-gpu*) echo 'NVIDIA A10G, 570.86, 23028, 412' ;; *) ;; esac",
  );
  return { gate };
}

async function script(path: string, text: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
}
