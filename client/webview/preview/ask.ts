/** Questions to the extension by number, answered by number. */
import { connectHost } from "../shared/vscode.ts";
import type { FromPreview, PreviewAnswer, PreviewRequest, ToPreview } from "./messages.ts";
import type { PreviewState } from "./state.ts";

export const host = connectHost<FromPreview, PreviewState>();

const open = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
let questions = 0;

export function ask<K extends PreviewRequest>(name: K, params: Record<string, unknown>): Promise<PreviewAnswer<K>> {
  const id = ++questions;
  host.postMessage({ type: "request", id, name, params });
  return new Promise((resolve, reject) => open.set(id, { resolve: resolve as (result: never) => void, reject }));
}

/** Takes an answer. @returns whether the message was one */
export function takeAnswer(message: ToPreview): boolean {
  if (message.type !== "answer" && message.type !== "failure") return false;
  const question = open.get(message.id);
  open.delete(message.id);
  if (message.type === "answer") question?.resolve(message.result as never);
  else question?.reject(new Error(message.message));
  return true;
}
