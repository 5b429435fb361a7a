/** Answers a page's questions by asking the server; only of the requests that the page may make. */
import * as vscode from "vscode";
import type { Requests } from "../../../schemas/protocol.ts";
import type { Answered, GivenUp, Question } from "../../webview/shared/ask.ts";
import type { Server } from "../server/server.ts";

export interface AnswerOptions<Names extends keyof Requests> {
  server: Server;
  allowed: readonly Names[];
  /** What asks, as a refusal names it. */
  asker: string;
  post(message: Answered): void;
  /** Parameters as they are passed on: what the page may not choose is filled in. May throw. */
  given(name: Names, params: Requests[Names]["params"]): Requests[Names]["params"];
}

/** @returns what to hand the page's messages to: it takes questions, and leaves the rest */
export function answers<Names extends keyof Requests>({ server, allowed, asker, post, given }: AnswerOptions<Names>) {
  const open = new Map<number, vscode.CancellationTokenSource>();

  async function answer({ id, name, params }: Question): Promise<void> {
    const cancel = new vscode.CancellationTokenSource();
    open.set(id, cancel);
    try {
      if (!(allowed as readonly string[]).includes(name)) throw new Error(`${name} is no request of ${asker}.`);
      const known = name as Names;
      const result = await server.request(known, given(known, params as Requests[Names]["params"]), {
        token: cancel.token,
      });
      post({ type: "answer", id, result });
    } catch (error) {
      if (cancel.token.isCancellationRequested) return;
      post({ type: "failure", id, message: error instanceof Error ? error.message : String(error) });
    } finally {
      open.delete(id);
      cancel.dispose();
    }
  }

  return (message: { type: string }): message is Question<Names> | GivenUp => {
    if (message.type === "request") void answer(message as Question);
    else if (message.type === "giveUp") open.get((message as GivenUp).id)?.cancel();
    else return false;
    return true;
  };
}
