import { createHash } from "node:crypto";
import { open } from "node:fs/promises";

/** Bytes at a time: with small pieces half of the time goes into asking for the next one. */
const PIECE = 1 << 20;

/** A file's SHA-256 in hexadecimal, as sha256sum says it. */
export async function checksum(path: string): Promise<string> {
  const hash = createHash("sha256");
  const file = await open(path);
  try {
    const piece = Buffer.allocUnsafe(PIECE);
    while (true) {
      const { bytesRead } = await file.read(piece, 0, PIECE);
      if (bytesRead === 0) return hash.digest("hex");
      hash.update(piece.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}
