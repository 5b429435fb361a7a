/** Asks an endpoint: from the journal where the answer is there, else by a call that is paced, tried again, and paid for once. */
import type OpenAI from "openai";
import type { ChatCompletion, ChatCompletionCreateParamsNonStreaming } from "openai/resources";
import type { JobEndpoint } from "../../../../schemas/job.ts";
import { EngineError } from "../engine.ts";
import { judgeFailure, OPTIONAL, type OptionalParameter, type Verdict, waitOf } from "./endpoint.ts";
import { type Choice, callKey, type Journal, type StoredAnswer } from "./journal.ts";
import { answerTokens } from "./logprobs.ts";
import { backOff, createPace, pauseFor, TRIES } from "./pace.ts";
import { dollarsOf, estimateDollars, type KnownPrice } from "./price.ts";

export type Request = ChatCompletionCreateParamsNonStreaming;

export type Answer =
  | { answer: StoredAnswer; from: "call" | "own" | "cache" }
  /** No answer after all tries. */
  | { problem: "failed" | "refused"; why: string };

export interface Asked {
  /** Calls answered now, answers that this job had (of earlier attempts, of batches), and answers other jobs had paid for. */
  calls: number;
  own: number;
  cached: number;
  /** Tries that were refused or broke off. */
  retries: number;
  /** Calls of an earlier attempt that were sent and never heard of: paid, perhaps, without an answer. */
  lost: number;
  /** Dollars this job has paid, all attempts together; null without a price. */
  spent: number | null;
}

export interface Asker {
  /** @param again tells calls with the same body apart */
  ask(request: Request, again?: number): Promise<Answer>;
  /** Whether the answer is there already. */
  known(request: Request, again?: number): boolean;
  /** Parameters that the endpoint has refused. */
  readonly refused: ReadonlySet<OptionalParameter>;
  readonly asked: Asked;
}

interface AskerOptions {
  client: OpenAI;
  endpoint: JobEndpoint;
  journal: Journal;
  signal: AbortSignal;
  price: KnownPrice | null;
  /** Dollars this job may pay, calls of earlier attempts included. */
  budget?: number | undefined;
  warn(message: string): void;
}

/** Malformed answers in a row after which a call is given up: an endpoint that cannot do better. */
const MALFORMED = 4;

/** Tries after which an endpoint that has not answered once, and where nobody is, is given up. */
const TRIES_OF_ABSENT = 3;

export function createAsker(options: AskerOptions): Asker {
  const { client, endpoint, journal, signal, price, budget } = options;
  if (budget !== undefined && !price) {
    throw new EngineError(
      `A budget of ${budget} dollars cannot be kept: nothing is known of the price of endpoint "${endpoint.name}".`,
      `Give the endpoint a price: price: { input_per_million: …, output_per_million: … }.`,
    );
  }
  const pace = createPace(endpoint.concurrency);
  const refused = new Set<OptionalParameter>();
  const asked: Asked = {
    calls: 0,
    own: 0,
    cached: 0,
    retries: 0,
    lost: journal.before.lost.length,
    spent: price ? 0 : null,
  };
  /** Of calls in flight. The client never takes its listeners off a signal: one for all calls would hold every one of them. */
  const controllers = new Set<AbortController>();
  const abort = (): void => {
    for (const controller of controllers) controller.abort(signal.reason);
  };
  /** Dollars of calls in flight, as estimated: a budget is kept before it is spent. */
  let pledged = 0;
  /** Once the budget is spent, or the endpoint takes no call: nobody asks any more. */
  let over: EngineError | undefined;

  /** Answers of this job that are in `asked.spent`. */
  const counted = new Set<string>();
  const paid = (key: string, answer: StoredAnswer): void => {
    counted.add(key);
    if (price && answer.usage) asked.spent! += dollarsOf(answer.usage, price.price, answer.batch);
  };
  // Rows of earlier attempts are not asked again; what they took counts.
  if (price) for (const key of journal.before.answered) paid(key, journal.find(key)!.answer);

  /** The request without what the endpoint does not take. */
  function fitted(request: Request): Request {
    if (refused.size === 0) return request;
    const fit: Partial<Record<string, unknown>> = { ...request };
    for (const name of refused) {
      if (fit[name] === undefined) continue;
      delete fit[name];
      // The one is the newer name of the other: whichever is taken.
      const other: OptionalParameter | null =
        name === "max_tokens" ? "max_completion_tokens" : name === "max_completion_tokens" ? "max_tokens" : null;
      if (other && !refused.has(other)) fit[other] = request[name];
    }
    if (fit.logprobs === undefined) delete fit.top_logprobs;
    return fit as unknown as Request;
  }

  function pledge(request: Request): number {
    if (!price) return 0;
    const dollars = estimateDollars(request, price);
    if (budget !== undefined && asked.spent! + pledged + dollars > budget) {
      over ??= new EngineError(
        `The budget of $${budget} is spent: $${asked.spent!.toFixed(4)} paid, and the next call may go over it.`,
        "Raise `budget` and start again: answers that are paid for are kept, and not paid again.",
      );
      throw over;
    }
    pledged += dollars;
    return dollars;
  }

  async function call(request: Request, key: string): Promise<Answer> {
    let malformed = 0;
    let body = request;
    for (let tries = 1; ; tries++) {
      try {
        return await pace.turn(async (): Promise<Answer> => {
          signal.throwIfAborted();
          if (over) throw over;
          const promised = pledge(body);
          const started = performance.now();
          journal.sent(key);
          const controller = new AbortController();
          if (controllers.size === 0) signal.addEventListener("abort", abort);
          controllers.add(controller);
          try {
            const { data, response } = await client.chat.completions
              .create(body, { signal: controller.signal })
              .withResponse();
            const answer = storedAnswer(data, (performance.now() - started) / 1000);
            journal.answered(key, answer);
            asked.calls++;
            paid(key, answer);
            pace.answered(waitOf(response.headers));
            return { answer, from: "call" };
          } catch (error) {
            // Before the next call takes this one's turn.
            if (!signal.aborted && !(error instanceof MalformedAnswer)) {
              const verdict = judgeFailure(error, endpoint, request.model);
              if (verdict.do === "stop") over ??= verdict.error;
            }
            throw error;
          } finally {
            controllers.delete(controller);
            if (controllers.size === 0) signal.removeEventListener("abort", abort);
            pledged -= promised;
          }
        });
      } catch (error) {
        if (error instanceof EngineError) throw error;
        signal.throwIfAborted();
        if (error instanceof MalformedAnswer && ++malformed >= MALFORMED) {
          journal.failed(key);
          return { problem: "failed", why: error.message };
        }
        const verdict: Verdict =
          error instanceof MalformedAnswer
            ? { do: "again", after: 0, limited: false, why: error.message }
            : judgeFailure(error, endpoint, request.model);
        if (verdict.do === "stop") {
          journal.failed(key);
          over ??= verdict.error;
          throw over;
        }
        if (verdict.do === "give-up") {
          journal.failed(key);
          return { problem: verdict.problem, why: verdict.why };
        }
        if (verdict.do === "without") {
          if (!refused.has(verdict.parameter)) {
            refused.add(verdict.parameter);
            options.warn(
              `The endpoint "${endpoint.name}" does not take "${verdict.parameter}" for ${request.model}: it is left out. (${verdict.why})`,
            );
          }
          body = fitted(body);
          if (OPTIONAL.some((name) => name === verdict.parameter && body[name] !== undefined)) {
            journal.failed(key);
            return { problem: "failed", why: verdict.why };
          }
          tries--;
          continue;
        }
        if (verdict.absent && asked.calls === 0 && tries >= TRIES_OF_ABSENT) {
          journal.failed(key);
          over ??= verdict.absent;
          throw over;
        }
        if (asked.retries++ === 0) {
          options.warn(
            `A call to "${endpoint.name}" is made again, as others will be, up to ${TRIES} times: ${verdict.why}.`,
          );
        }
        if (verdict.limited) pace.limited(verdict.after);
        if (tries >= TRIES) {
          journal.failed(key);
          return { problem: "failed", why: `${verdict.why}, ${TRIES} times` };
        }
        await pauseFor(Math.max(verdict.after, backOff(tries)), signal);
      }
    }
  }

  return {
    refused,
    asked,
    known: (request, again = 0) => journal.find(callKey(endpoint.base_url, request, again)) !== null,
    async ask(request, again = 0) {
      // By what was meant to be asked: what the endpoint refuses of it is learnt anew by each runner.
      const key = callKey(endpoint.base_url, request, again);
      const stored = journal.find(key);
      if (stored) {
        if (stored.own) {
          asked.own++;
          if (!counted.has(key)) paid(key, stored.answer);
        } else asked.cached++;
        return { answer: stored.answer, from: stored.own ? "own" : "cache" };
      }
      return call(fitted(request), key);
    },
  };
}

/** 200, and yet no answer. */
class MalformedAnswer extends Error {}

export function storedAnswer(data: ChatCompletion, seconds: number): StoredAnswer {
  if (typeof data !== "object" || data === null || !Array.isArray(data.choices) || data.choices.length === 0) {
    const error = (data as { error?: { message?: string } } | null)?.error?.message;
    throw new MalformedAnswer(error ? `the endpoint answered: ${error}` : "the endpoint's answer holds no choice");
  }
  const choices = data.choices.map(({ message, finish_reason, logprobs }): Choice => {
    if (typeof message !== "object" || message === null)
      throw new MalformedAnswer("the endpoint's answer holds no message");
    const refusal = typeof message.refusal === "string" && message.refusal !== "" ? message.refusal : null;
    const content = logprobs?.content;
    return {
      text: typeof message.content === "string" ? message.content : (refusal ?? ""),
      finish: finish_reason ?? null,
      refused: refusal !== null || finish_reason === "content_filter",
      tokens: Array.isArray(content) && content.length > 0 ? brief(answerTokens(content)) : null,
    };
  });
  const { usage } = data;
  const cached = usage?.prompt_tokens_details?.cached_tokens;
  return {
    choices,
    usage: usage
      ? {
          prompt: usage.prompt_tokens ?? 0,
          completion: usage.completion_tokens ?? 0,
          ...(cached ? { cached } : {}),
        }
      : null,
    seconds,
    model: data.model ?? null,
  };
}

const LONGEST_ANSWER = 400;
const DIGITS = 1e5;

/** Log-probabilities to five digits: far below what they mean. Of reasoning, the end. */
function brief(tokens: Choice["tokens"] & object): Choice["tokens"] {
  const round = (value: number) => Math.round(Math.max(value, -99) * DIGITS) / DIGITS;
  const from = Math.max(0, tokens.length - LONGEST_ANSWER);
  return tokens.map(({ text, logprob, top }, i) => ({
    text,
    logprob: round(logprob),
    top: i < from ? [] : top.map(([other, value]) => [other, round(value)] as const),
  }));
}
