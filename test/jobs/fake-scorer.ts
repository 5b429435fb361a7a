/**
 * What `python -m clf_worker.serve FOLDER MODEL` does, without the gigabytes: `node fake-scorer.ts FOLDER MODEL`. Loads once the file that CLF_FAKE_GATE
 * names is there, and writes its process id into CLF_FAKE_PID. Says wet of texts with rain in them, else dry; some texts are orders.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Prediction } from "../../schemas/predictions.ts";
import type { ScorerLine, ScorerQuestion } from "../../schemas/scorer.ts";

const [folder, model] = process.argv.slice(2) as [string, string];
const { CLF_FAKE_GATE: gate, CLF_FAKE_PID: pid } = process.env;
const job = JSON.parse(readFileSync(join(folder, "job.json"), "utf8")) as {
  models: { name: string; spec: { base: string } }[];
  task: { targets: { name: string }[] };
};
const { base } = job.models.find(({ name }) => name === model)!.spec;
const say = (line: ScorerLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

if (pid) writeFileSync(pid, `${process.pid}`);
if (base === "missing") {
  say({ type: "error", message: 'The model "missing" cannot be loaded.', remedy: "Check the name." });
  process.exit(1);
}
say({ type: "progress", step: `loading ${base}` });
while (gate && !existsSync(gate)) await sleep(20);
say({ type: "ready" });

function predictionOf(row: string, target: string, text: string): Prediction {
  const [label, other] = text.includes("rain") ? ["wet", "dry"] : ["dry", "wet"];
  return {
    ...{ row, target, model, split: "pool", label, score: 0.9, rest: 0 },
    ...{ top: [[label, 0.9] as [string, number], [other, 0.1] as [string, number]] },
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { rows } = JSON.parse(line) as ScorerQuestion;
  const texts = rows.map(({ inputs }) => Object.values(inputs).join(" "));
  if (texts.includes("die")) process.exit(7);
  if (texts.includes("say nothing")) continue;
  if (texts.includes("say nonsense")) {
    process.stdout.write("Loading weights: 100%\n");
    continue;
  }
  if (texts.includes("fail")) {
    say({ type: "error", message: "The GPU ran out of memory.", remedy: "Lower max_tokens." });
    continue;
  }
  // As the worker does: batch by batch, in no order.
  for (const i of rows.keys()) {
    const place = rows.length - 1 - i;
    const predictions = job.task.targets.map(({ name }) => predictionOf(rows[place]!.row, name, texts[place]!));
    say({ type: "predictions", predictions });
  }
  say({ type: "answered" });
}
