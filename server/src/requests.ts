/**
 * The door for the requests of schemas/protocol.ts: parameters are checked before a handler sees them, and whatever a
 * handler throws becomes an answer that a person can read.
 */
import {
  type CancellationToken,
  type Connection,
  ErrorCodes,
  LSPErrorCodes,
  ResponseError,
  type WorkDoneProgressReporter,
} from "vscode-languageserver";
import type * as z from "zod";
import { requests } from "../../schemas/protocol.ts";

export type RequestName = keyof typeof requests;
type Params<K extends RequestName> = z.output<(typeof requests)[K]["params"]>;
type Result<K extends RequestName> = z.output<(typeof requests)[K]["result"]>;

export interface RequestContext {
  /** Aborted when the client no longer wants the answer. */
  signal: AbortSignal;
  /** Shown to the person who waits; does nothing for a client that asked for none. */
  progress: WorkDoneProgressReporter;
}

/** Handlers by request; a request without one is answered "not available". */
export type RequestHandlers = {
  [K in RequestName]?: (params: Params<K>, context: RequestContext) => Result<K> | Promise<Result<K>>;
};

/** An error whose message is meant for a person: what is wrong and what to do. It is passed on as it is, without a log entry. */
export class RequestError extends Error {
  override name = "RequestError";
}

export function registerRequests(connection: Connection, handlers: RequestHandlers): void {
  for (const name of Object.keys(requests) as RequestName[]) {
    connection.onRequest(name, (params: unknown, token: CancellationToken) =>
      answer(connection, name, handlers[name] as Handler | undefined, params, token),
    );
  }
}

type Handler = (params: unknown, context: RequestContext) => unknown;

async function answer(
  connection: Connection,
  name: RequestName,
  handler: Handler | undefined,
  raw: unknown,
  token: CancellationToken,
): Promise<unknown> {
  if (!handler) return new ResponseError(ErrorCodes.MethodNotFound, `${name} is not available in this server.`);
  const { workDoneToken, ...rest } = typeof raw === "object" && raw !== null ? (raw as Record<string, unknown>) : {};
  const params = requests[name].params.safeParse(rest);
  if (!params.success) {
    const issues = params.error.issues.map((issue) => `${issue.path.join(".") || "parameters"}: ${issue.message}`);
    return new ResponseError(ErrorCodes.InvalidParams, `${name}: ${issues.slice(0, 5).join("; ")}`);
  }
  const abort = new AbortController();
  const watch = token.onCancellationRequested(() => abort.abort());
  if (token.isCancellationRequested) abort.abort();
  try {
    const progress = await connection.window.attachWorkDoneProgress(workDoneToken as never);
    return await handler(params.data, { signal: abort.signal, progress });
  } catch (error) {
    if (abort.signal.aborted) return new ResponseError(LSPErrorCodes.RequestCancelled, "Cancelled.");
    if (error instanceof ResponseError) return error;
    if (!(error instanceof RequestError)) connection.console.error(`${name}: ${describe(error)}`);
    return new ResponseError(LSPErrorCodes.RequestFailed, toldToPeople(name, error));
  } finally {
    watch.dispose();
  }
}

/** Errors of the language itself are mistakes of ours: their messages help nobody. */
function toldToPeople(name: RequestName, error: unknown): string {
  const mistake = [TypeError, ReferenceError, RangeError, SyntaxError].some((kind) => error instanceof kind);
  if (!mistake) return error instanceof Error ? error.message : String(error);
  return `Clf made a mistake in ${name}. The log of the Clf language server tells more: please report it.`;
}

/** An error for the log: with its stack, which people never see. */
export function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
