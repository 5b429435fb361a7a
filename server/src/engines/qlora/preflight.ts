/**
 * What a fine-tune or a prediction will take, told before anything large: rows, tokens, time, price and memory. From the project alone, so
 * that nothing has to be loaded: the worker counts tokens with the model's own tokenizer, and memory from its shape, before it loads the weights.
 */
import type * as z from "zod";
import type { QloraModel } from "../../../../schemas/project.ts";

type Spec = z.output<typeof QloraModel>;

/** Where it is to run. */
export interface Machine {
  /** FLOP/s that are reached, with 4-bit weights and with whole ones. */
  reached: { nf4: number; none: number };
  gpu: boolean;
  /** "one A10G, on paper" */
  name: string;
  /** Dollars. */
  pricePerHour?: number | undefined;
}

/** 70e12 FLOP/s on the data sheet, a third of it reached with 4-bit weights and half without (docs/a10g.md). */
export const A10G: Machine = {
  reached: { nf4: 70e12 * 0.35, none: 70e12 * 0.5 },
  gpu: true,
  name: "one A10G, on paper",
};

/** FLOP/s of a core in full precision: what SmolLM2-135M reached on cores of a Xeon at 2.5 GHz was 20e9 to 40e9. */
const CORE = 25e9;

export function processors(cores: number, pricePerHour?: number): Machine {
  const name = cores === 1 ? "one processor core" : `${cores} processor cores`;
  return { reached: { nf4: cores * CORE, none: cores * CORE }, gpu: false, name, pricePerHour };
}

export interface Preflight {
  rows: number;
  /** Tokens that go through the network: of an epoch, or of all rows predicted. Estimated. */
  tokens: number;
  /** Of a fine-tune. */
  steps: number | null;
  /** Null when the base's name does not tell its size. */
  seconds: number | null;
  /** Where the host's price is known. */
  dollars: number | null;
  /** Bytes, on the GPU where there is one. */
  memory: number | null;
}

/** Characters a token, as English prose has it in current tokenizers. */
const CHARACTERS_A_TOKEN = 4;
/** Tokens of names, line ends and the answer. */
const TOKENS_AROUND = 12;
/** Trie nodes a row and target of a fine-tuned model: unlikely branches are not evaluated. */
const TUNED_NODES = 12;
/** Shares of a model that are in its layers, and in its embeddings: those of Qwen2.5-7B. */
const LAYERS = 0.86;

/** @param texts the characters of each train row's inputs and labels together */
export function estimateFineTune(spec: Spec, texts: Iterable<number>, machine: Machine = A10G): Preflight {
  const { rows, tokens } = count(spec, texts);
  // Forward, forward again (on a GPU), backward to the inputs: 2 FLOPs a parameter of the layers and token each.
  const passes = machine.gpu ? 3 : 2;
  return {
    rows,
    tokens,
    steps: Math.ceil(Math.ceil(rows / spec.batch_size) * spec.epochs),
    ...price(spec, 2 * passes * tokens * spec.epochs, machine),
    memory: memoryOf(spec, machine, Math.min(machine.gpu ? 8192 : 2048, spec.batch_size * spec.max_tokens)),
  };
}

/**
 * @param texts the characters of each row's inputs
 * @param labels the characters of each label, by target
 */
export function estimatePrediction(
  spec: Spec,
  texts: Iterable<number>,
  labels: readonly (readonly number[])[],
  machine: Machine = A10G,
): Preflight {
  const { rows, tokens: read } = count(spec, texts);
  let nodes = 0;
  if (spec.head === "label-text") {
    for (const lengths of labels) {
      const all = lengths.reduce((sum, length) => sum + Math.ceil(length / CHARACTERS_A_TOKEN), 0);
      nodes += spec.epochs === 0 ? all : Math.min(all, TUNED_NODES);
    }
  }
  const tokens = read + rows * nodes;
  return { rows, tokens, steps: null, ...price(spec, 2 * tokens, machine), memory: memoryOf(spec, machine, 0) };
}

function count(spec: Spec, texts: Iterable<number>): { rows: number; tokens: number } {
  let rows = 0;
  let tokens = 0;
  for (const characters of texts) {
    rows++;
    tokens += Math.min(spec.max_tokens, Math.ceil(characters / CHARACTERS_A_TOKEN) + TOKENS_AROUND);
  }
  return { rows, tokens };
}

/** @param flops a parameter of the layers */
function price(spec: Spec, flops: number, machine: Machine): Pick<Preflight, "seconds" | "dollars"> {
  const parameters = sizeOf(spec);
  if (parameters === null) return { seconds: null, dollars: null };
  const seconds = (flops * parameters * LAYERS) / machine.reached[spec.quantization];
  const { pricePerHour } = machine;
  return { seconds, dollars: pricePerHour === undefined ? null : (seconds / 3600) * pricePerHour };
}

const sizeOf = (spec: Spec): number | null => parametersOf(spec.gguf_file ?? spec.base) ?? parametersOf(spec.base);

/** "Qwen2.5-7B-Instruct" → 7e9, "SmolLM2-135M" → 135e6; null when the name does not tell. */
export function parametersOf(name: string): number | null {
  const found = /(?:^|[-_/ .])(\d+(?:\.\d+)?)([bm])(?![a-z0-9])/i.exec(name);
  if (!found) return null;
  return Number(found[1]) * (found[2]!.toLowerCase() === "b" ? 1e9 : 1e6);
}

/**
 * Weights, and for a fine-tune the adapter with its optimiser and what is kept of the places that go through at a time (docs/a10g.md gives
 * it by shape). Without a GPU weights are whole and in full precision, whatever is asked for.
 */
function memoryOf(spec: Spec, machine: Machine, places: number): number | null {
  const parameters = sizeOf(spec);
  if (parameters === null) return null;
  const whole = machine.gpu ? 2 : 4;
  const nf4 = machine.gpu && spec.quantization === "nf4";
  const weights = parameters * (nf4 ? LAYERS * 0.516 + (1 - LAYERS) * 2 : whole);
  if (places === 0) return 1.1 * weights;
  // Rank 16 on all linear layers of a 7B model is 40 million parameters.
  const adapter = 16 * parameters * 0.0058 * (spec.lora.rank / 16);
  // Layers are gone through again on a GPU; without one all that they hold is kept, in full precision.
  const activations = places * (parameters / 7.6e9) ** 0.5 * (machine.gpu ? 0.75e6 : 19e6);
  return 1.1 * (weights + adapter + activations);
}

/** In a sentence or two, for people. */
export function describePreflight(name: string, estimate: Preflight, machine: Machine = A10G): string {
  const { rows, tokens, steps, seconds, dollars, memory } = estimate;
  const whole = (n: number) => n.toLocaleString("en-US");
  const what =
    steps === null
      ? `${name}: ${whole(rows)} rows to predict, about ${whole(tokens)} tokens.`
      : `${name}: ${whole(rows)} train rows, about ${whole(tokens)} tokens an epoch, ${whole(steps)} steps.`;
  if (seconds === null || memory === null) return `${what} How long it takes cannot be told from the base's name.`;
  const minutes = Math.ceil(seconds / 60);
  const time =
    minutes > 90 ? `${(seconds / 3600).toFixed(1)} hours` : minutes === 1 ? "a minute" : `${minutes} minutes`;
  const cost = dollars === null ? "" : `, $${dollars.toFixed(2)}`;
  const of = machine.gpu ? "its memory" : "memory";
  return `${what} On ${machine.name}: about ${time}${cost}, ${(memory / 2 ** 30).toFixed(1)} GiB of ${of}.`;
}
