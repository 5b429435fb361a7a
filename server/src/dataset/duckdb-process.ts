/**
 * The child process that runs DuckDB: a crash in native code must not end the editor's server. Speaks
 * duckdb-protocol.ts over the IPC channel and ends when that channel closes, so that it never outlives its parent.
 */
import { type DuckDBConnection, DuckDBInstance, type DuckDBResult, JsonDuckDBValueConverter } from "@duckdb/node-api";
import type { DuckDbAnswer, DuckDbCancel, DuckDbCell, DuckDbRequest, DuckDbSettings } from "./duckdb-protocol.ts";
import { literal } from "./sql.ts";

interface Open {
  connection: DuckDBConnection;
  result?: DuckDBResult;
}

let instance: Promise<DuckDBInstance> | undefined;
/** By id of the request that opened them. */
const open = new Map<number, Open>();
/** Requests that are opening a connection, and whether they were cancelled meanwhile. */
const opening = new Map<number, boolean>();

/** An instance that can touch no file outside `folders`, load no extension, and have no setting changed. */
async function start({ folders, memoryLimit, threads }: DuckDbSettings): Promise<DuckDBInstance> {
  const made = await DuckDBInstance.create(":memory:", {
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    allow_community_extensions: "false",
    // A file is read from its beginning to its end, once: nothing of it need stay.
    enable_external_file_cache: "false",
    memory_limit: memoryLimit,
    threads: String(threads),
  });
  const connection = await made.connect();
  await connection.run("SET temp_directory = ''");
  await connection.run(`SET allowed_directories = [${folders.map(literal).join(", ")}]`);
  await connection.run("SET enable_external_access = false");
  await connection.run("SET lock_configuration = true");
  connection.closeSync();
  return made;
}

async function answer(request: DuckDbRequest): Promise<Omit<DuckDbAnswer & { ok: true }, "id" | "ok">> {
  switch (request.do) {
    case "start":
      instance = start(request.settings);
      await instance;
      return {};
    case "open": {
      if (!instance) throw new Error("DuckDB is not started.");
      opening.set(request.id, false);
      const connection = await (await instance).connect();
      const cancelled = opening.get(request.id);
      opening.delete(request.id);
      const stream: Open = { connection };
      open.set(request.id, stream);
      try {
        if (cancelled) throw new Error("INTERRUPT Error: Interrupted!");
        stream.result = await connection.stream(request.sql, request.values);
      } catch (error) {
        close(request.id);
        throw error;
      }
      const names = stream.result.columnNames();
      return { columns: stream.result.columnTypes().map((type, i) => ({ name: names[i]!, type: type.toString() })) };
    }
    case "take": {
      const stream = open.get(request.stream);
      if (!stream?.result) throw new Error("This result is closed.");
      const columns = stream.result.columnCount;
      const data: DuckDbCell[][] = Array.from({ length: columns }, () => []);
      while (columns > 0 && data[0]!.length < request.rows) {
        const chunk = await stream.result.fetchChunk();
        if (!chunk || chunk.rowCount === 0) {
          close(request.stream);
          return { data, done: true };
        }
        const values = chunk.convertColumns(JsonDuckDBValueConverter);
        for (let i = 0; i < columns; i++) for (const value of values[i]!) data[i]!.push(value as DuckDbCell);
      }
      return { data, done: false };
    }
    case "close":
      close(request.stream);
      return {};
  }
}

function close(id: number): void {
  open.get(id)?.connection.closeSync();
  open.delete(id);
}

function cancel(id: number): void {
  const stream = open.get(id);
  if (stream) stream.connection.interrupt();
  else if (opening.has(id)) opening.set(id, true);
}

function send(message: DuckDbAnswer): void {
  // A parent that has gone closes the channel; "disconnect" then ends this process.
  if (process.connected) process.send?.(message, () => {});
}

process.on("message", (request: DuckDbRequest | DuckDbCancel) => {
  if (request.do === "cancel") {
    cancel(request.request);
    return;
  }
  answer(request).then(
    (result) => send({ id: request.id, ok: true, ...result }),
    (error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      send({ id: request.id, ok: false, message, interrupted: message.startsWith("INTERRUPT Error") });
    },
  );
});
process.on("disconnect", () => process.exit(0));
