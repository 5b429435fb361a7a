/** What passes between the process that needs DuckDB and the child process that runs it. Both are of one build. */

export interface DuckDbSettings {
  /** Real paths under which files may be touched. */
  folders: string[];
  /** DuckDB's memory limit, e.g. "512MB". */
  memoryLimit: string;
  threads: number;
}

/** A value that binds to a parameter `$1`, `$2`, … */
export type DuckDbValue = string | number | boolean | null;

export type DuckDbRequest =
  | { id: number; do: "start"; settings: DuckDbSettings }
  /** Runs a statement; the result is a stream to take from. */
  | { id: number; do: "open"; sql: string; values: DuckDbValue[] }
  | { id: number; do: "take"; stream: number; rows: number }
  | { id: number; do: "close"; stream: number };

/** Interrupts the statement that the request with this id opened. Has no answer of its own. */
export interface DuckDbCancel {
  do: "cancel";
  request: number;
}

export interface DuckDbColumn {
  name: string;
  /** DuckDB's name of the type, e.g. `VARCHAR`, `STRUCT(a BIGINT)`. */
  type: string;
}

/** A value that came back: JSON, with whole numbers of 64 bits and more, dates and the like as text. */
export type DuckDbCell = string | number | boolean | null | DuckDbCell[] | { [key: string]: DuckDbCell };

export type DuckDbAnswer =
  | { id: number; ok: true; columns?: DuckDbColumn[]; data?: DuckDbCell[][]; done?: boolean }
  | { id: number; ok: false; message: string; interrupted: boolean };
