/**
 * The fields of one record, as places in a buffer. One object is used again for every record: whoever needs a field
 * later copies it out.
 */
export interface Fields {
  buffer: Buffer;
  count: number;
  starts: number[];
  ends: number[];
  /** 1 where the field holds doubled quotes. */
  doubled: number[];
}

/** A record that cannot be read. */
export interface RecordFault {
  code: string;
  message: string;
  /** 1-based line. */
  line: number;
  /** 0-based, in UTF-16 units. */
  character?: number;
  /** Nothing after it can be read. */
  fatal: boolean;
}

/** Characters (UTF-16 units) between the start of the line and a place in the buffer. */
export function characterAt(buffer: Buffer, place: number, from = 0): number {
  let start = place;
  while (start > from && buffer[start - 1] !== 0x0a && buffer[start - 1] !== 0x0d) start--;
  return buffer.toString("utf8", start, place).length;
}
