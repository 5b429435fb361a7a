/** A valid project file of about 4,000 lines: three targets with many labels, many models of every engine. */

export interface LargeProject {
  text: string;
  /** Labels by target column, to make data for it. */
  labels: Record<string, string[]>;
}

export function largeProject(lines = 4000): LargeProject {
  const labels: Record<string, string[]> = { Nature: [], Part: [], Event: [] };
  const columns = Object.keys(labels);
  const perTarget = Math.floor((lines * 0.6) / columns.length / 3);
  const head = [
    "# A generated project: long, and without a mistake.",
    "version: 1",
    "name: large",
    "dataset:",
    "  source: data/rows.csv",
    "  id: id",
    "  split: { train: 0.64, validation: 0.16, test: 0.20, seed: 42 }",
    "task:",
    "  instructions: Classify the workplace injury.",
    "  inputs: [Narrative, { column: Employer, name: employer }]",
    "  targets:",
  ];
  for (const column of columns) {
    head.push(`    - column: ${column}`, "      labels:");
    for (let i = 0; i < perTarget; i++) {
      const name = `${column} label ${i}`;
      labels[column]!.push(name);
      head.push(`        - name: ${name}`, `          description: What belongs under number ${i} of ${column}`);
      head.push(`          aliases: [${column.toLowerCase()}-${i}, "${column} no. ${i}"]`);
    }
  }
  const tail = [
    "endpoints:",
    "  openai: {}",
    "  local: { base_url: http://localhost:8000/v1, logprobs: 20 }",
    "hosts:",
    "  a10g: { kind: ssh, address: ubuntu@a10g, price_per_hour: 1.00 }",
    "confidence:",
    "  accept: { risk: 0.05, certainty: 0.95, scope: row }",
    "review: { model: linear-0, order: margin }",
  ];
  const models = ["models:"];
  for (let i = 0; head.length + models.length + tail.length < lines; i++) {
    models.push(`  linear-${i}:`, "    engine: linear", "    regularisation: 10", "    word_ngrams: [1, 2]");
    models.push(`  chat-${i}:`, "    engine: chat", "    endpoint: local", `    model: model-${i}`);
    models.push("    prompt: { style: few-shot, shots: { strategy: per-label, per_label: 1 } }");
    models.push(`  tuned-${i}:`, "    engine: qlora", "    base: Qwen/Qwen2.5-7B-Instruct", "    host: a10g");
    models.push("    lora: { rank: 16, alpha: 32, dropout: 0.05 }", "    epochs: 2");
  }
  return { text: [...head, ...models, ...tail, ""].join("\n"), labels };
}
