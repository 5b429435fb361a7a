/**
 * The door of `clf serve`: HTTP on the loopback address alone. A page in a browser of this machine can send requests there too, so
 * whatever a page could send without being allowed to is turned away: other content types than JSON, other origins, and other
 * names of the host (DNS rebinding).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ClassifyRequest, MOST_SERVED_ROWS, type ServedInput, type ServeFailure } from "../../../schemas/serve.ts";

/** Only from this machine. */
const LOOPBACK = "127.0.0.1";
/** Bytes of a request's body. */
const MOST_BYTES = 8 * 2 ** 20;
/** Milliseconds a request may take to arrive. */
const ARRIVES = 30_000;

interface Explained {
  status: number;
  message: string;
  remedy: string;
  headers?: Record<string, string>;
}

export interface Doors {
  /** The model's inputs by name; a request may leave out none. */
  inputs: readonly string[];
  health(): Promise<unknown>;
  classify(rows: ServedInput[]): Promise<unknown>;
  /** What an error of `classify` means to whoever asked; undefined: a defect of ours. */
  explain(error: unknown): Explained | undefined;
}

/** Turns a request away. */
class Refused extends Error {
  readonly status: number;
  readonly remedy: string;
  readonly headers: Record<string, string>;
  constructor(status: number, message: string, remedy: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.remedy = remedy;
    this.headers = headers;
  }
}

export interface Listening {
  url: string;
  /** Takes no new request, answers those that are there, and resolves once the last is answered. */
  close(): Promise<void>;
}

/** @throws NodeJS.ErrnoException when the port cannot be had */
export async function listen(port: number, doors: Doors): Promise<Listening> {
  const server = createServer((request, response) => {
    answer(request, doors, server)
      .then((body) => send(response, 200, body, server.listening ? {} : { connection: "close" }))
      .catch((error: unknown) => refuse(request, response, error, doors));
  });
  server.requestTimeout = ARRIVES;
  server.headersTimeout = ARRIVES;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, LOOPBACK, resolve);
  });
  return {
    url: `http://${LOOPBACK}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

async function answer(request: IncomingMessage, doors: Doors, server: Server): Promise<unknown> {
  const { port } = server.address() as AddressInfo;
  fromHere(request, port);
  const [path] = (request.url ?? "/").split("?");
  const method = request.method === "HEAD" ? "GET" : request.method;
  if (path === "/health") {
    if (method !== "GET")
      throw new Refused(405, `${request.method} /health is not answered.`, "GET it.", { allow: "GET" });
    return doors.health();
  }
  if (path !== "/classify") {
    throw new Refused(404, `There is nothing at ${path}.`, "Ask for POST /classify or GET /health.");
  }
  if (method !== "POST") {
    throw new Refused(405, `${request.method} /classify is not answered.`, "POST the rows as JSON.", { allow: "POST" });
  }
  const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new Refused(
      415,
      `The body is ${type ?? "of no content type"}.`,
      "Send JSON, with content-type: application/json.",
    );
  }
  return doors.classify(rowsOf(await bodyOf(request), doors.inputs));
}

/** A page may reach this port by a name that it made point here, and says so; a page of another origin says so too. */
function fromHere({ headers }: IncomingMessage, port: number): void {
  const hosts = [`${LOOPBACK}:${port}`, `localhost:${port}`];
  if (!hosts.includes(headers.host ?? "")) {
    throw new Refused(421, "The Host header names another host.", `Ask for http://${LOOPBACK}:${port}.`);
  }
  const { origin } = headers;
  if (origin !== undefined && !hosts.some((host) => origin === `http://${host}`)) {
    throw new Refused(
      403,
      "Pages of other origins are not answered.",
      "Ask from a program of this machine, not from a page.",
    );
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const tooLong = () =>
    new Refused(413, `The body is longer than ${MOST_BYTES / 2 ** 20} MiB.`, "Send the rows in several requests.", {
      connection: "close",
    });
  if (Number(request.headers["content-length"] ?? 0) > MOST_BYTES) throw tooLong();
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MOST_BYTES) throw tooLong();
    parts.push(part);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts));
  } catch {
    throw new Refused(400, "The body is not UTF-8.", "Send JSON in UTF-8.");
  }
}

const SHAPE = 'Send {"inputs": {"NAME": "TEXT", …}} or {"rows": [{"inputs": {…}}, …]}; a row may have an "id".';

function rowsOf(body: string, names: readonly string[]): ServedInput[] {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (error) {
    throw new Refused(400, `The body is not JSON: ${(error as Error).message}.`, SHAPE);
  }
  const many = typeof json === "object" && json !== null ? (json as { rows?: unknown }).rows : undefined;
  if (Array.isArray(many) && many.length > MOST_SERVED_ROWS) {
    throw new Refused(413, `These are ${many.length} rows.`, `Send ${MOST_SERVED_ROWS} at most in one request.`);
  }
  const parsed = ClassifyRequest.safeParse(json);
  if (!parsed.success) throw new Refused(400, "The body is not a row, and not a list of rows.", SHAPE);
  const rows = "rows" in parsed.data ? parsed.data.rows : [parsed.data];
  for (const [i, { inputs }] of rows.entries()) {
    const of = rows.length > 1 ? `Row ${i + 1}` : "The row";
    const foreign = Object.keys(inputs).find((name) => !names.includes(name));
    const missing = names.find((name) => !Object.hasOwn(inputs, name));
    const listed = `The inputs: ${names.join(", ")}.`;
    if (foreign !== undefined)
      throw new Refused(400, `${of} has an input "${foreign}" that the model does not know.`, listed);
    if (missing !== undefined)
      throw new Refused(400, `${of} has no input "${missing}".`, `${listed} An empty text is allowed.`);
    if (Object.values(inputs).every((text) => text.trim() === "")) {
      throw new Refused(400, `${of} has no text.`, "Leave rows without any text out.");
    }
  }
  return rows;
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
  });
  response.end(`${JSON.stringify(body)}\n`);
}

function refuse(request: IncomingMessage, response: ServerResponse, error: unknown, { explain }: Doors): void {
  // Whoever asked has gone.
  if (response.destroyed) return;
  const known: Explained = (error instanceof Refused ? error : explain(error)) ?? {
    status: 500,
    message: `Something went wrong: ${(error as Error).message}`,
    remedy: "Start clf serve again; if it stays, report it.",
  };
  // The rest of a body that nobody reads would be taken for the next request.
  const headers = {
    ...known.headers,
    ...(request.complete ? {} : { connection: "close" }),
  };
  const { status, message, remedy } = known;
  send(response, status, { error: { message, remedy } } satisfies ServeFailure, headers);
}
