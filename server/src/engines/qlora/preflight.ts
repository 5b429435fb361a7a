/**
 * What a fine-tune will take, told before anything large: rows, tokens, time, price and memory. From the project alone, so that nothing has
 * to be loaded: the worker counts tokens with the model's own tokenizer, and memory from its shape, before it loads the weights.
 */
import type * as z from "zod";
import type { QloraModel } from "../../../../schemas/project.ts";

interface Preflight {
  rows: number;
  /** Tokens of an epoch, estimated. */
  tokens: number;
  steps: number;
  /** Parameters of the base, from its name; null when that does not tell. */
  parameters: number | null;
  /** On one A10G (docs/a10g.md). */
  seconds: number | null;
  /** Where the host's price is known. */
  dollars: number | null;
  /** Bytes on the GPU. */
  memory: number | null;
}

/** Characters a token, as English prose has it in current tokenizers. */
const CHARACTERS_A_TOKEN = 4;
/** Tokens of names, line ends and the answer. */
const TOKENS_AROUND = 12;
/** FLOP/s of an A10G that training is taken to reach: 70e12 on paper, a third of it with 4-bit weights and half without. */
const REACHED = { nf4: 70e12 * 0.35, none: 70e12 * 0.5 };
/** Shares of a model that are in its layers, and in its embeddings: those of Qwen2.5-7B. */
const LAYERS = 0.86;

/** @param texts the characters of each train row's inputs and labels together */
export function estimateFineTune(
  spec: z.output<typeof QloraModel>,
  texts: Iterable<number>,
  pricePerHour?: number,
): Preflight {
  let rows = 0;
  let tokens = 0;
  for (const characters of texts) {
    rows++;
    tokens += Math.min(spec.max_tokens, Math.ceil(characters / CHARACTERS_A_TOKEN) + TOKENS_AROUND);
  }
  const parameters = parametersOf(spec.gguf_file ?? spec.base) ?? parametersOf(spec.base);
  // Forward, forward again, backward to the inputs: 6 FLOPs a parameter of the layers and token.
  const seconds =
    parameters === null ? null : (6 * parameters * LAYERS * tokens * spec.epochs) / REACHED[spec.quantization];
  return {
    rows,
    tokens,
    steps: Math.ceil(Math.ceil(rows / spec.batch_size) * spec.epochs),
    parameters,
    seconds,
    dollars: seconds === null || pricePerHour === undefined ? null : (seconds / 3600) * pricePerHour,
    memory: parameters === null ? null : memoryOf(spec, parameters),
  };
}

/** "Qwen2.5-7B-Instruct" → 7e9, "SmolLM2-135M" → 135e6; null when the name does not tell. */
export function parametersOf(name: string): number | null {
  const found = /(?:^|[-_/ .])(\d+(?:\.\d+)?)([bm])(?![a-z0-9])/i.exec(name);
  if (!found) return null;
  return Number(found[1]) * (found[2]!.toLowerCase() === "b" ? 1e9 : 1e6);
}

/** Weights, adapter with its optimiser, and 8,192 places at a time at most (docs/a10g.md gives it by shape). */
function memoryOf(spec: z.output<typeof QloraModel>, parameters: number): number {
  const weights = parameters * (spec.quantization === "nf4" ? LAYERS * 0.516 + (1 - LAYERS) * 2 : 2);
  // Rank 16 on all linear layers of a 7B model is 40 million parameters.
  const adapter = 16 * parameters * 0.0058 * (spec.lora.rank / 16);
  const places = Math.min(8192, spec.batch_size * spec.max_tokens);
  const activations = places * (parameters / 7.6e9) ** 0.5 * 0.75e6;
  return 1.1 * (weights + adapter + activations);
}

/** In a sentence or two, for people. */
export function describePreflight(name: string, estimate: Preflight): string {
  const { rows, tokens, steps, seconds, dollars, memory } = estimate;
  const count = (n: number) => n.toLocaleString("en-US");
  const parts = [`${name}: ${count(rows)} train rows, about ${count(tokens)} tokens an epoch, ${count(steps)} steps.`];
  if (seconds !== null && memory !== null) {
    const hours = seconds / 3600;
    const time = hours >= 1 ? `${hours.toFixed(1)} hours` : `${Math.ceil(seconds / 60)} minutes`;
    const price = dollars === null ? "" : `, $${dollars.toFixed(2)}`;
    parts.push(`On one A10G about ${time}${price} and ${(memory / 2 ** 30).toFixed(1)} GiB of its memory, on paper.`);
  } else parts.push("How long it takes cannot be told from the base's name.");
  return parts.join(" ");
}
