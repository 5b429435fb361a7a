import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { endianness } from "node:os";
import * as z from "zod";
import type { LinearModel } from "./model.ts";

/**
 * A model as one file. All numbers are little-endian.
 *
 *     8 bytes   "CLFLINER"
 *     uint32    format version: 1
 *     uint32    length of the header in bytes, padded with spaces to a multiple of 4
 *     header    JSON: classes, columns, options, c, features, metadata (the caller's: label names and the like)
 *     int32     hashes, one a feature
 *     float32   idf, one a feature
 *     float32   scales, one a feature and one for the intercepts
 *     int8      weights, (features + 1) × classes
 *     32 bytes  SHA-256 of all the above
 */
const MAGIC = "CLFLINER";
const VERSION = 1;
const PREFIX_BYTES = 16;
const CHECKSUM_BYTES = 32;
const MAX_HEADER_BYTES = 16 * 2 ** 20;
const MAX_FILE_BYTES = 2 ** 31;

const count = z.number().int().min(0);
const headerSchema = z.object({
  classes: count.min(1).max(10_000_000),
  columns: count.max(100_000),
  options: z.object({
    wordNgrams: count.max(10),
    characterNgrams: z.tuple([count.max(20), count.max(20)]),
  }),
  c: z.number().positive(),
  features: count.max(2 ** 30),
  metadata: z.record(z.string(), z.unknown()),
});

/** The file is not a model, of a newer version, cut short or damaged; the message says which and what to do. */
export class ModelFileError extends Error {
  override name = "ModelFileError";
}

/** What a model file holds besides the model: anything that JSON can say. */
export type ModelMetadata = Record<string, unknown>;

export function encodeModel(model: LinearModel, metadata: ModelMetadata = {}): Uint8Array {
  const { classes, columns, options, c, hashes, idf, scales, weights } = model;
  const json = JSON.stringify({ classes, columns, options, c, features: hashes.length, metadata });
  const header = Buffer.from(json.padEnd(json.length + ((4 - (Buffer.byteLength(json) % 4)) % 4)));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.write(MAGIC, "latin1");
  prefix.writeUInt32LE(VERSION, 8);
  prefix.writeUInt32LE(header.length, 12);
  const parts = [prefix, header, littleEndian(hashes), littleEndian(idf), littleEndian(scales), bytesOf(weights)];
  const checksum = createHash("sha256");
  for (const part of parts) checksum.update(part);
  // A plain Uint8Array: a Buffer's slice would be a view.
  return bytesOf(Buffer.concat([...parts, checksum.digest()]));
}

/** @throws ModelFileError */
export function decodeModel(bytes: Uint8Array): { model: LinearModel; metadata: ModelMetadata } {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = readPrefix(file);
  const header = readHeader(file.subarray(PREFIX_BYTES, PREFIX_BYTES + headerBytes));
  checkSize(file.length, headerBytes, header);
  const content = file.subarray(0, file.length - CHECKSUM_BYTES);
  if (!createHash("sha256").update(content).digest().equals(file.subarray(content.length))) {
    throw new ModelFileError(
      "The model file is damaged: its checksum does not match. Fine-tune again, or fetch it again.",
    );
  }
  const { features, metadata, ...rest } = header;
  let at = PREFIX_BYTES + headerBytes;
  const take = (length: number) => {
    // A copy, so that it starts at an address that numbers may be read from.
    const part = new Uint8Array(content.subarray(at, at + length));
    at += length;
    return part;
  };
  return {
    model: {
      ...rest,
      hashes: new Int32Array(nativeEndian(take(features * 4)).buffer),
      idf: new Float32Array(nativeEndian(take(features * 4)).buffer),
      scales: new Float32Array(nativeEndian(take((features + 1) * 4)).buffer),
      weights: new Int8Array(take((features + 1) * rest.classes).buffer),
    },
    metadata,
  };
}

/**
 * Reads a model file; nothing large is read before its header agrees with its size.
 * @throws ModelFileError; the system's error when the file cannot be opened
 */
export async function readModel(path: string): Promise<{ model: LinearModel; metadata: ModelMetadata }> {
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    const prefix = Buffer.alloc(Math.min(size, PREFIX_BYTES));
    await handle.read(prefix, 0, prefix.length, 0);
    const headerBytes = readPrefix(prefix);
    const header = Buffer.alloc(Math.min(headerBytes, Math.max(0, size - PREFIX_BYTES)));
    await handle.read(header, 0, header.length, PREFIX_BYTES);
    checkSize(size, headerBytes, readHeader(header));
    const file = Buffer.alloc(size);
    let at = 0;
    while (at < size) {
      const { bytesRead } = await handle.read(file, at, size - at, at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return decodeModel(file.subarray(0, at));
  } finally {
    await handle.close();
  }
}

type Header = z.infer<typeof headerSchema>;

/** Length of the header. */
function readPrefix(file: Buffer): number {
  if (file.length < PREFIX_BYTES || file.toString("latin1", 0, 8) !== MAGIC) {
    throw new ModelFileError("This is not a model file of the linear engine.");
  }
  const version = file.readUInt32LE(8);
  if (version !== VERSION) {
    throw new ModelFileError(
      `The model file has format version ${version}; this version of Clf reads version ${VERSION}. Update Clf, or fine-tune again.`,
    );
  }
  const headerBytes = file.readUInt32LE(12);
  if (headerBytes > MAX_HEADER_BYTES) throw new ModelFileError("The model file is damaged: its header is too long.");
  return headerBytes;
}

function readHeader(json: Buffer): Header {
  let value: unknown;
  try {
    value = JSON.parse(json.toString("utf8"));
  } catch {
    throw new ModelFileError("The model file is damaged or cut short: its header cannot be read. Fetch it again.");
  }
  const result = headerSchema.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0]!;
    throw new ModelFileError(
      `The model file is damaged: ${issue.path.join(".")} in its header is wrong (${issue.message}).`,
    );
  }
  return result.data;
}

function checkSize(size: number, headerBytes: number, { features, classes }: Header): void {
  const expected = PREFIX_BYTES + headerBytes + features * 8 + (features + 1) * (4 + classes) + CHECKSUM_BYTES;
  if (expected > MAX_FILE_BYTES) throw new ModelFileError("The model file is too large: over 2 GiB.");
  if (size !== expected) {
    throw new ModelFileError(
      `The model file is ${size < expected ? "cut short" : "damaged"}: it has ${size} bytes and should have ${expected}. Fetch it again.`,
    );
  }
}

function bytesOf(array: Int32Array | Float32Array | Int8Array | Buffer): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function littleEndian(array: Int32Array | Float32Array): Uint8Array {
  return endianness() === "LE" ? bytesOf(array) : Buffer.from(bytesOf(array)).swap32();
}

/** Swaps in place where the machine is big-endian. */
function nativeEndian(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (endianness() === "BE") Buffer.from(bytes.buffer).swap32();
  return bytes;
}
