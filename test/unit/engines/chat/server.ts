/**
 * A chat endpoint on loopback for tests. Its shapes are those of the SDK's own types. It answers by a function, counts what it
 * answered by request, and misbehaves on demand.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type {
  ChatCompletion,
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionTokenLogprob,
} from "openai/resources";

export type Body = ChatCompletionCreateParamsNonStreaming;

/** What to do instead of answering. */
export type Fault =
  | "429"
  | "429 with headers"
  | "500"
  | "cut"
  | "slow"
  | "malformed"
  | "empty choices"
  | "error in 200"
  | "hang up"
  | { status: number; body: unknown; headers?: Record<string, string> };

export interface Reply {
  text: string;
  tokens?: ChatCompletionTokenLogprob[];
  finish?: ChatCompletion.Choice["finish_reason"];
  refusal?: string;
}

export interface TestServer {
  url: string;
  /** Requests that were answered in full, by the last message's text. */
  answered: Map<string, number>;
  requests: number;
  /** Requests in flight, and the most there were. */
  inFlight: number;
  mostInFlight: number;
  bodies: Body[];
  close(): Promise<void>;
}

export interface TestServerOptions {
  reply(body: Body, choice: number): Reply;
  fault?(body: Body, request: number): Fault | undefined;
  /** Milliseconds an answer takes. */
  delay?: number;
  keepBodies?: boolean;
  /** Answers other paths. Undefined: not found. */
  other?(request: { method: string; path: string; body: Buffer; headers: IncomingMessage["headers"] }): unknown;
}

export const lastMessage = ({ messages }: Body): string => String(messages.at(-1)?.content ?? "");

/** One token with its alternatives, the first of them written. */
export function token(...alternatives: [text: string, probability: number][]): ChatCompletionTokenLogprob {
  const top = alternatives.map(([text, p]) => ({ token: text, logprob: Math.log(p), bytes: [...Buffer.from(text)] }));
  return { ...top[0]!, top_logprobs: top };
}

export async function startServer(options: TestServerOptions): Promise<TestServer> {
  const state: TestServer = {
    url: "",
    answered: new Map(),
    requests: 0,
    inFlight: 0,
    mostInFlight: 0,
    bodies: [],
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const raw = Buffer.concat(parts);
    const path = request.url ?? "";
    if (!path.startsWith("/v1/chat/completions")) {
      const found = await options.other?.({ method: request.method ?? "", path, body: raw, headers: request.headers });
      if (found instanceof Buffer) response.writeHead(200).end(found);
      else if (found === undefined)
        send(response, 404, { error: { message: "no such path", code: null, param: null, type: "x" } });
      else if (typeof found === "object" && found !== null && "status" in found && "body" in found)
        send(response, Number((found as { status: number }).status), (found as { body: unknown }).body);
      else send(response, 200, found);
      return;
    }
    const body = JSON.parse(raw.toString("utf8")) as Body;
    if (options.keepBodies) state.bodies.push(body);
    const number = ++state.requests;
    const fault = options.fault?.(body, number);
    if (options.delay) await sleep(options.delay);
    if (fault !== undefined && fault !== "slow") {
      misbehave(response, fault);
      return;
    }
    const completion = completionOf(body, options);
    const text = JSON.stringify(completion);
    if (fault === "slow") {
      response.writeHead(200, { "content-type": "application/json" });
      for (const piece of [text.slice(0, 20), text.slice(20, 60), text.slice(60)]) {
        response.write(piece);
        await sleep(5);
      }
      response.end();
    } else send(response, 200, completion);
    const key = lastMessage(body);
    state.answered.set(key, (state.answered.get(key) ?? 0) + 1);
  }

  const server = createServer((request, response) => {
    state.inFlight++;
    state.mostInFlight = Math.max(state.mostInFlight, state.inFlight);
    response.on("close", () => state.inFlight--);
    answer(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  return state;
}

function completionOf(body: Body, { reply }: TestServerOptions): ChatCompletion {
  const choices = Array.from({ length: body.n ?? 1 }, (_, index): ChatCompletion.Choice => {
    const { text, tokens, finish = "stop", refusal } = reply(body, index);
    return {
      index,
      finish_reason: finish,
      message: { role: "assistant", content: refusal ? null : text, refusal: refusal ?? null },
      logprobs: body.logprobs && tokens ? { content: tokens, refusal: null } : null,
    };
  });
  const prompt = Math.ceil(JSON.stringify(body.messages).length / 4);
  return {
    id: "chatcmpl-test",
    object: "chat.completion",
    created: 0,
    model: body.model,
    choices,
    usage: { prompt_tokens: prompt, completion_tokens: 3 * choices.length, total_tokens: prompt + 3 * choices.length },
  };
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

const error = (message: string, code: string | null = null) => ({
  error: { message, code, param: null, type: "error" },
});

function misbehave(response: ServerResponse, fault: Exclude<Fault, "slow">): unknown {
  if (typeof fault === "object") return send(response, fault.status, fault.body, fault.headers);
  switch (fault) {
    case "429":
      return send(response, 429, error("Rate limit reached"));
    case "429 with headers":
      return send(response, 429, error("Rate limit reached"), {
        "retry-after-ms": "20",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "20ms",
      });
    case "500":
      return send(response, 500, error("The server had an error"));
    case "malformed":
      response.writeHead(200, { "content-type": "application/json" }).end('{"id": "x", "choices": [{"mess');
      return undefined;
    case "empty choices":
      return send(response, 200, { id: "x", object: "chat.completion", created: 0, model: "m", choices: [] });
    case "error in 200":
      return send(response, 200, error("overloaded"));
    case "cut":
      response.writeHead(200, { "content-type": "application/json", "content-length": "5000" });
      response.write('{"id": "x", "cho');
      return setTimeout(() => response.destroy(), 2);
    case "hang up":
      return response.destroy();
  }
}
