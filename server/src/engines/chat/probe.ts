/** What an endpoint can do, found out by one small call whose answer is kept like any other. */
import type { Asker, Request } from "./ask.ts";
import { textStart } from "./logprobs.ts";
import { readFields } from "./read-answer.ts";

export interface Capabilities {
  /** Answers keep to a JSON schema. */
  structured: boolean;
  /** Alternatives a token that come with their log-probabilities; 0: none. */
  logprobs: number;
  /** Log-probabilities are those after the schema's mask (true) or before it (false); null: not known. */
  masked: boolean | null;
}

/** Labels that nobody would choose by themselves: an endpoint that answers with one keeps to the schema. */
const CHOICES = ["zebra", "quartz"];
const MOST_LOGPROBS = 20;

/**
 * @param known what the project file says; what it leaves open is tried
 * @param request the parameters that all requests of the model have
 */
export async function probeEndpoint(
  asker: Asker,
  known: { structured?: boolean | undefined; logprobs?: number | undefined },
  request: Omit<Request, "messages">,
  limit: (tokens: number) => Partial<Request>,
): Promise<Capabilities> {
  const wanted = known.logprobs ?? MOST_LOGPROBS;
  const { model, seed, reasoning_effort } = request;
  const found = await asker.ask({
    model,
    ...(seed === undefined ? {} : { seed }),
    ...(reasoning_effort === undefined ? {} : { reasoning_effort }),
    messages: [{ role: "user", content: "Is this text positive or negative? I loved every minute of it." }],
    // Models that reason need room for it, or give no answer at all.
    ...limit(reasoning_effort === undefined ? 64 : 2048),
    ...(wanted > 0 ? { logprobs: true, top_logprobs: wanted } : {}),
    ...(known.structured === false
      ? {}
      : {
          response_format: {
            type: "json_schema",
            json_schema: {
              name: "labels",
              strict: true,
              schema: {
                type: "object",
                properties: { label: { type: "string", enum: CHOICES } },
                required: ["label"],
                additionalProperties: false,
              },
            },
          },
        }),
  });
  const choice = "answer" in found ? found.answer.choices[0]! : null;
  const field = choice ? readFields(choice.text)?.[0] : undefined;
  const kept = field !== undefined && CHOICES.includes(field.value);
  const structured = known.structured ?? (!asker.refused.has("response_format") && kept);
  const most = Math.max(0, ...(choice?.tokens ?? []).map(({ top }) => top.length));
  const start = choice?.tokens ? textStart(choice.tokens, choice.text) : null;
  return {
    structured,
    logprobs: Math.min(wanted, most),
    masked: kept && most > 0 && start !== null ? maskedAt(choice!.tokens!, start + field.at.start) : null,
  };
}

/** After a mask every alternative that is not impossible leads to one of the choices. */
function maskedAt(
  tokens: readonly { text: string; top: readonly (readonly [string, number])[] }[],
  at: number,
): boolean {
  let position = 0;
  for (const { text, top } of tokens) {
    if (position + text.length > at) {
      const lead = text.slice(0, Math.max(0, at - position));
      const likely = top.filter(([, logprob]) => Math.exp(logprob) > 1e-4);
      return likely.every(([other]) => {
        const rest = other.startsWith(lead) ? other.slice(lead.length) : other.trimStart();
        return CHOICES.some((choice) => choice.startsWith(rest) || rest.startsWith(choice));
      });
    }
    position += text.length;
  }
  return false;
}
