/** An OpenAI-compatible endpoint: its client, and what its refusals mean. */
import OpenAI, { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError } from "openai";
import type { JobEndpoint } from "../../../../schemas/job.ts";
import { type EndpointKey, EngineError } from "../engine.ts";

/** Name of the environment variable that brings the keys to a runner: JSON, a list of {@link EndpointKey}. */
export const KEYS_VARIABLE = "CLF_ENDPOINT_KEYS";

export const originOf = (address: string): string => new URL(address).origin;

/** The keys that came with the environment. */
export function keysOf(env: NodeJS.ProcessEnv): EndpointKey[] {
  try {
    const list: unknown = JSON.parse(env[KEYS_VARIABLE] ?? "[]");
    return Array.isArray(list) ? (list as EndpointKey[]) : [];
  } catch {
    return [];
  }
}

/** @throws EngineError when the endpoint wants a key that is not there */
export function keyFor(endpoint: JobEndpoint, keys: readonly EndpointKey[]): string | undefined {
  if (endpoint.key === undefined) return undefined;
  const origin = originOf(endpoint.base_url);
  const found = keys.find(({ name, origin: to }) => name === endpoint.key && to === origin);
  if (found) return found.value;
  throw new EngineError(
    `The endpoint "${endpoint.name}" wants the key ${endpoint.key} for ${origin}, and it is not there.`,
    `Set the environment variable ${endpoint.key}, or in VS Code run "Clf: Set Key", then start again.`,
  );
}

/**
 * The client of an endpoint. It never tries again by itself, follows no redirect (a key goes to one origin), and takes nothing from the
 * environment.
 */
export function endpointClient(
  endpoint: JobEndpoint,
  key: string | undefined,
  { timeout }: { timeout: number },
): OpenAI {
  return new OpenAI({
    baseURL: endpoint.base_url,
    apiKey: key ?? "none",
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    timeout: timeout * 1000,
    logLevel: "off",
    fetchOptions: { redirect: "error" },
    ...(key === undefined ? { defaultHeaders: { Authorization: null } } : {}),
  });
}

/** The limit of an answer's tokens, under the name the endpoint knows. Where it knows the other one it says so, and gets it. */
export function tokenLimit({ base_url }: Pick<JobEndpoint, "base_url">) {
  const newer = /(^|\.)(openai\.com|azure\.com)$/.test(new URL(base_url).hostname);
  return (tokens: number) => (newer ? { max_completion_tokens: tokens } : { max_tokens: tokens });
}

/** What to do about a call that failed. */
export type Verdict =
  /**
   * Again, after `after` milliseconds at least. `limited`: the endpoint says that it is too much. `absent`: nobody is there,
   * which is said when nobody ever was.
   */
  | { do: "again"; after: number; limited: boolean; why: string; absent?: EngineError }
  /** A parameter that this endpoint or model does not take: again without it. */
  | { do: "without"; parameter: OptionalParameter; why: string }
  /** This row cannot be answered. */
  | { do: "give-up"; problem: "failed" | "refused"; why: string }
  /** No row can. */
  | { do: "stop"; error: EngineError };

/** Parameters that a request can do without. */
export const OPTIONAL = [
  "response_format",
  "top_logprobs",
  "logprobs",
  "reasoning_effort",
  "temperature",
  "seed",
  "max_completion_tokens",
  "max_tokens",
  "n",
] as const;
export type OptionalParameter = (typeof OPTIONAL)[number];

export function judgeFailure(
  error: unknown,
  endpoint: Pick<JobEndpoint, "name" | "base_url" | "key">,
  model: string,
): Verdict {
  if (error instanceof APIUserAbortError) throw error;
  if (error instanceof APIConnectionTimeoutError) return again("no answer in time");
  if (error instanceof APIConnectionError) return { ...again(innermost(error)), ...absence(error, endpoint) };
  // The body was cut off, or is no JSON.
  if (!(error instanceof APIError) || error.status === undefined) return again(innermost(error));
  const { status, headers } = error;
  const why = `${status} ${reason(error)}`;
  if (
    status === 429 &&
    (error.code === "insufficient_quota" || /insufficient_quota|exceeded your current quota/i.test(error.message))
  ) {
    return stop(
      `The account at ${originOf(endpoint.base_url)} has no credit left: ${reason(error)}`,
      "Add credit, then resume the job: nothing is paid twice.",
    );
  }
  if (status === 429 || status === 408 || status === 409 || status === 425 || status >= 500) {
    return {
      do: "again",
      after: waitOf(headers),
      limited: status === 429 || (status === 503 && headers?.has("retry-after") === true),
      why,
    };
  }
  if (status === 401 || status === 403) {
    return stop(
      `${originOf(endpoint.base_url)} does not accept the key${endpoint.key ? ` ${endpoint.key}` : ""}: ${why}`,
      endpoint.key
        ? `Look at the value of ${endpoint.key}.`
        : `If the endpoint wants a key, name it: endpoints.${endpoint.name}.key.`,
    );
  }
  if (status === 404) {
    return stop(
      `${endpoint.base_url} knows no model "${model}", or is not the address of the API: ${why}`,
      "Look at `model` and at the endpoint's `base_url`, which usually ends in /v1.",
    );
  }
  const parameter = unsupported(error);
  if (parameter) return { do: "without", parameter, why };
  if (/content_filter|content management policy|safety/i.test(`${error.code} ${error.message}`)) {
    return { do: "give-up", problem: "refused", why };
  }
  return { do: "give-up", problem: "failed", why };
}

const again = (why: string): Verdict => ({ do: "again", after: 0, limited: false, why });
const stop = (message: string, remedy: string): Verdict => ({ do: "stop", error: new EngineError(message, remedy) });

/** The parameter that a 400 complains of, where it is one that may be left out. */
function unsupported(error: APIError): OptionalParameter | undefined {
  if (error.status !== 400 && error.status !== 422 && error.status !== 501) return undefined;
  if (error.param) return OPTIONAL.find((name) => error.param === name || error.param!.startsWith(`${name}.`));
  if (!/not support|unsupported|unknown|unrecognized|invalid|not allowed|extra|unexpected|must be/i.test(error.message))
    return undefined;
  return OPTIONAL.find((name) => new RegExp(`\\b${name}\\b`).test(error.message));
}

function reason(error: APIError): string {
  const text = error.message.replace(/^\d+ /, "").replace(/\s+/g, " ").trim();
  return text.length > 300 ? `${text.slice(0, 299)}…` : text;
}

function causeOf(error: unknown): unknown {
  let at: unknown = error;
  while (at instanceof Error && at.cause instanceof Error) at = at.cause;
  return at;
}

function innermost(error: unknown): string {
  const at = causeOf(error);
  if (!(at instanceof Error)) return String(at);
  // A host with two addresses fails without a message, and with a code.
  const text = at.message || (at as NodeJS.ErrnoException).code || at.name;
  return text.replace(/\s+/g, " ").slice(0, 200);
}

/** No server at the address, or no such host. */
function absence(error: unknown, { name, base_url }: Pick<JobEndpoint, "name" | "base_url">): { absent?: EngineError } {
  const { code } = causeOf(error) as { code?: string };
  const { origin, hostname } = new URL(base_url);
  const what =
    code === "ECONNREFUSED"
      ? `Nobody answers at ${origin}`
      : code === "ENOTFOUND"
        ? `There is no host ${hostname}`
        : null;
  if (what === null) return {};
  return {
    absent: new EngineError(
      `${what} (${innermost(error)}).`,
      `Start the server of endpoint "${name}", or correct its base_url; then start again.`,
    ),
  };
}

const LONGEST_WAIT = 10 * 60_000;

/** Milliseconds the endpoint asks to wait; 0 when it does not say. */
export function waitOf(headers: Headers | undefined): number {
  const get = (name: string) => headers?.get(name) ?? undefined;
  const exact = Number(get("retry-after-ms"));
  if (exact > 0) return Math.min(exact, LONGEST_WAIT);
  const after = get("retry-after");
  if (after !== undefined) {
    const seconds = Number(after);
    const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(after) - Date.now();
    if (wait > 0) return Math.min(wait, LONGEST_WAIT);
  }
  const resets = (["requests", "tokens"] as const).map((what) =>
    get(`x-ratelimit-remaining-${what}`) === "0" ? spanOf(get(`x-ratelimit-reset-${what}`)) : 0,
  );
  return Math.min(Math.max(...resets), LONGEST_WAIT);
}

/** "1s", "6m0s", "120ms", "1h2m", "20" (seconds) → milliseconds; 0 for anything else. */
function spanOf(text: string | undefined): number {
  if (text === undefined) return 0;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const unit = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
  let total = 0;
  for (const [, number, name] of text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g))
    total += Number(number) * unit[name as keyof typeof unit];
  return total;
}
