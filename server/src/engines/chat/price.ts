/** What tokens cost. */
import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources";
import type { JobEndpoint } from "../../../../schemas/job.ts";
import type { Price } from "../../../../schemas/project.ts";

export interface Tokens {
  prompt: number;
  completion: number;
  /** Of the prompt's, those the endpoint had in its cache. */
  cached?: number | undefined;
}

/** Dollars. */
export function dollarsOf(tokens: Tokens, price: Price, batch = false): number {
  const cached = Math.min(tokens.cached ?? 0, tokens.prompt);
  const input = (tokens.prompt - cached) * price.input_per_million;
  const reused = cached * (price.cached_input_per_million ?? price.input_per_million);
  const whole = (input + reused + tokens.completion * price.output_per_million) / 1e6;
  return batch ? whole * (1 - (price.batch_discount ?? 0)) : whole;
}

/**
 * List prices at OpenAI's own address, as its price page had them at the date. A price in the project file goes before them. Models
 * whose price is not certain are not here: their cost is not shown unless the project gives a price.
 */
const TABLE_DATE = "2025-04-14";
const OPENAI: Record<string, Price> = {
  "gpt-4o": { input_per_million: 2.5, cached_input_per_million: 1.25, output_per_million: 10, batch_discount: 0.5 },
  "gpt-4o-mini": {
    input_per_million: 0.15,
    cached_input_per_million: 0.075,
    output_per_million: 0.6,
    batch_discount: 0.5,
  },
  "gpt-4.1": { input_per_million: 2, cached_input_per_million: 0.5, output_per_million: 8, batch_discount: 0.5 },
  "gpt-4.1-mini": {
    input_per_million: 0.4,
    cached_input_per_million: 0.1,
    output_per_million: 1.6,
    batch_discount: 0.5,
  },
  "gpt-4.1-nano": {
    input_per_million: 0.1,
    cached_input_per_million: 0.025,
    output_per_million: 0.4,
    batch_discount: 0.5,
  },
};

export interface KnownPrice {
  price: Price;
  /** "the project file", or the table with its date and age. */
  from: string;
}

const PROJECT_FILE = "the project file";

/** @param model as the endpoint lists it; null for a fine-tune, whose price no table has */
export function priceOf(
  endpoint: { base_url: string; price?: Price | undefined },
  model: string | null,
): KnownPrice | null {
  if (endpoint.price) return { price: endpoint.price, from: PROJECT_FILE };
  if (model === null || new URL(endpoint.base_url).hostname !== "api.openai.com") return null;
  const price = OPENAI[model] ?? OPENAI[model.replace(/-\d{4}-\d{2}-\d{2}$/, "")];
  if (!price) return null;
  const months = Math.floor((Date.now() - Date.parse(TABLE_DATE)) / (30.44 * 86_400_000));
  return {
    price,
    from: `Clf's table of ${TABLE_DATE}, ${months} months old: check it, or give a price in the project file`,
  };
}

/** The price that a job's endpoint has taken along, and where it is from. */
export function priceIn({ price, price_from = PROJECT_FILE }: JobEndpoint): KnownPrice | null {
  return price ? { price, from: price_from } : null;
}

/**
 * Tokens of a text, about: 4 bytes of UTF-8 a token, as byte-pair vocabularies of English average. An estimate for dry runs and budgets;
 * what is reported is what the endpoint counted.
 */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text, "utf8") / 4);
}

/** Tokens of a request's messages, about: roles and separators cost some 4 each. */
export function estimatePrompt(messages: readonly { content?: unknown }[]): number {
  return messages.reduce(
    (sum, { content }) =>
      sum + 4 + estimateTokens(typeof content === "string" ? content : JSON.stringify(content ?? "")),
    3,
  );
}

/** Dollars of a request, about: as if its answers were as long as they may be. */
export function estimateDollars(
  request: Pick<ChatCompletionCreateParamsNonStreaming, "messages" | "max_completion_tokens" | "max_tokens" | "n">,
  { price }: KnownPrice,
  batch = false,
): number {
  const completion = (request.max_completion_tokens ?? request.max_tokens ?? 64) * (request.n ?? 1);
  return dollarsOf({ prompt: estimatePrompt(request.messages), completion }, price, batch);
}

/** Dollars with as many digits as say something. */
export function dollars(amount: number): string {
  return `$${amount >= 100 ? amount.toFixed(0) : amount >= 1 ? amount.toFixed(2) : amount.toPrecision(2)}`;
}
