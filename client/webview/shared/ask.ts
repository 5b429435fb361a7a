/** Questions to the extension by number, answered by number. */
import type { Requests } from "../../../schemas/protocol.ts";

export interface Question<K extends keyof Requests = keyof Requests> {
  type: "request";
  id: number;
  name: K;
  params: Requests[K]["params"];
}
/** The answer to a question that was asked before is no longer wanted. */
export interface GivenUp {
  type: "giveUp";
  id: number;
}
export type Answered =
  | { type: "answer"; id: number; result: unknown }
  | { type: "failure"; id: number; message: string };

/** What a question ends with whose answer is no longer wanted. */
export class NotWanted extends Error {}

export interface Asking<Names extends keyof Requests> {
  ask<K extends Names>(name: K, params: Requests[K]["params"], signal?: AbortSignal): Promise<Requests[K]["result"]>;
  /** Takes an answer. @returns whether the message was one */
  take(message: { type: string }): boolean;
}

export function createAsking<Names extends keyof Requests>(
  post: (message: Question<Names> | GivenUp) => void,
): Asking<Names> {
  const open = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  let questions = 0;
  return {
    ask(name, params, signal) {
      const id = ++questions;
      post({ type: "request", id, name, params });
      return new Promise((resolve, reject) => {
        open.set(id, { resolve: resolve as (result: never) => void, reject });
        signal?.addEventListener("abort", () => {
          if (!open.delete(id)) return;
          post({ type: "giveUp", id });
          reject(new NotWanted());
        });
      });
    },
    take(message) {
      const answer = message as Answered;
      if (answer.type !== "answer" && answer.type !== "failure") return false;
      const question = open.get(answer.id);
      open.delete(answer.id);
      if (answer.type === "answer") question?.resolve(answer.result as never);
      else question?.reject(new Error(answer.message));
      return true;
    },
  };
}
