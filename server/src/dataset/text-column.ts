/**
 * A column of texts as UTF-8 bytes in one buffer: a fraction of what as many JavaScript strings take, off the heap, and
 * copied between threads and processes as it stands. Plain data; the functions below read it.
 */
export interface TextColumn {
  count: number;
  /** UTF-8, all texts one after the other. */
  bytes: Uint8Array;
  /** Text i is bytes[offsets[i], offsets[i + 1]). count + 1 numbers. */
  offsets: Float64Array;
}

/** Text `i` of a column. */
export function textAt(column: TextColumn, i: number): string {
  return decodeText(column.bytes, column.offsets[i]!, column.offsets[i + 1]!);
}

/** Length of text `i` in bytes. */
export function byteLengthAt(column: TextColumn, i: number): number {
  return column.offsets[i + 1]! - column.offsets[i]!;
}

/** Whether text `i` has nothing but white space. */
export function isBlankAt(column: TextColumn, i: number): boolean {
  const end = column.offsets[i + 1]!;
  for (let at = column.offsets[i]!; at < end; at++) {
    const byte = column.bytes[at]!;
    if (byte >= 0x80) return textAt(column, i).trim() === "";
    if (byte !== 0x20 && (byte < 0x09 || byte > 0x0d)) return false;
  }
  return true;
}

/** Texts of a column, in order. */
export function* textsOf(column: TextColumn): Generator<string> {
  for (let i = 0; i < column.count; i++) yield textAt(column, i);
}

/** UTF-8 bytes [start, end) as text. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
}

/** Grows a text column row by row. */
export interface TextColumnBuilder {
  count: number;
  /** Appends UTF-8 bytes as they stand. */
  appendBytes(source: Uint8Array, start: number, end: number): void;
  appendText(text: string): void;
  /** Whether text `i`, appended before, is these bytes. */
  equals(i: number, other: Uint8Array): boolean;
  finish(): TextColumn;
}

export function buildTextColumn(): TextColumnBuilder {
  let bytes = Buffer.allocUnsafe(1 << 16);
  let used = 0;
  let offsets = new Float64Array(1 << 10);

  function reserve(more: number): void {
    if (used + more <= bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(used + more, bytes.length * 2));
    bytes.copy(grown, 0, 0, used);
    bytes = grown;
  }
  function close(): void {
    builder.count++;
    if (builder.count === offsets.length) {
      const grown = new Float64Array(offsets.length * 2);
      grown.set(offsets);
      offsets = grown;
    }
    offsets[builder.count] = used;
  }

  const builder: TextColumnBuilder = {
    count: 0,
    appendBytes(source, start, end) {
      reserve(end - start);
      bytes.set(source.subarray(start, end), used);
      used += end - start;
      close();
    },
    appendText(text) {
      reserve(text.length * 3);
      used += bytes.write(text, used, "utf8");
      close();
    },
    equals(i, other) {
      return bytes.compare(other, 0, other.length, offsets[i]!, offsets[i + 1]!) === 0;
    },
    finish() {
      // Copies, so that what growing left over is given back.
      return {
        count: builder.count,
        bytes: new Uint8Array(bytes.subarray(0, used)),
        offsets: offsets.slice(0, builder.count + 1),
      };
    },
  };
  return builder;
}
