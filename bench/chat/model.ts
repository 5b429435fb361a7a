/**
 * A small real model (SmolLM2-135M-Instruct, four bits) behind llama.cpp's server, asked as a user asks:
 *
 *     CLF_CHAT_MODEL=1 node bench/chat/model.ts FOLDER (banking77 | banking77-short | hwu64) COMMAND [OPTIONS]
 *
 * Makes the project in FOLDER once, starts the server, and runs `clf COMMAND` on it. Answers are kept in FOLDER: what was stopped goes on
 * where it was. Which rows are asked and what they cost does not depend on the machine; seconds do.
 */
import { existsSync, mkdirSync } from "node:fs";
import { loadavg } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { startModelServer } from "../../test/cli/chat-model/server.ts";
import { chatModel, writeBanking77, writeHwu64, writeModelProject } from "../../test/cli/chat-model/subsets.ts";

/** Always the same: answers are kept by address. */
const PORT = 18_177;
const CLI = join(import.meta.dirname, "..", "..", "server", "src", "cli.ts");

interface Task {
  targets: string[];
  instructions: string;
  accept: string;
  models: Record<string, string>;
  data(path: string): Promise<void>;
}

/** Of hwu64's 18; they have 13 of its 51 intents, in 17 pairs. */
const SCENARIOS = ["alarm", "audio", "calendar", "email", "lists", "music"];

const BANKING77: Omit<Task, "data"> = {
  targets: ["label"],
  instructions: "Classify the bank customer's message by its intent.",
  accept: "{ risk: 0.1, certainty: 0.9 }",
  models: {
    baseline: "{ engine: linear }",
    "zero-shot": chatModel("confidence: { samples: 3 }"),
    votes: chatModel("confidence: { signal: votes, samples: 3 }"),
    similar: chatModel("prompt: { style: few-shot, shots: { strategy: similar, count: 8 } }"),
    "cheap-first": "{ engine: cascade, stages: [baseline, zero-shot] }",
  },
};

const TASKS: Record<string, Task> = {
  banking77: { ...BANKING77, data: (path) => writeBanking77(path, 20, { train: 10, validation: 5, test: 5 }) },
  /** Some of the same rows, for models whose answers take long: the train rows, and so the prompts, are the same. */
  "banking77-short": { ...BANKING77, data: (path) => writeBanking77(path, 20, { train: 10, validation: 2, test: 3 }) },
  hwu64: {
    targets: ["scenario", "intent"],
    instructions: "Classify what is said to a home assistant.",
    accept: "{ risk: 0.1, certainty: 0.9 }",
    models: {
      baseline: "{ engine: linear }",
      "zero-shot": chatModel("confidence: { samples: 3 }"),
      votes: chatModel("confidence: { signal: votes, samples: 3 }"),
    },
    data: (path) => writeHwu64(path, { train: 6, validation: 2, test: 3 }, SCENARIOS),
  },
};

const [into, name, command, ...options] = process.argv.slice(2);
const task = TASKS[name ?? ""];
if (!into || !task || !command) throw new Error(`Usage: model.ts FOLDER (${Object.keys(TASKS).join(" | ")}) COMMAND …`);
const server = await startModelServer({ port: PORT });
if ("why" in server) throw new Error(server.why);
try {
  const folder = join(resolve(into), name!);
  const project = join(folder, `${name}.clf.yaml`);
  if (!existsSync(project)) {
    mkdirSync(folder, { recursive: true });
    await task.data(join(folder, "data.csv"));
    await writeModelProject(project, { url: server.url, ...task });
  }
  const started = performance.now();
  await execa(process.execPath, [CLI, command, project, ...options], {
    stdio: ["ignore", "inherit", "inherit"],
    reject: false,
  });
  const seconds = (performance.now() - started) / 1000;
  console.log(`${seconds.toFixed(0)} s, load ${loadavg()[0]!.toFixed(1)}`);
} finally {
  await server.close();
}
