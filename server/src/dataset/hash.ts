/** Fast seeded hashes, for placing and ordering rows. Not for identity: ids are SHA-256. */

/** MurmurHash3, 32 bits (Appleby, public domain), of bytes [start, end). */
export function hashBytes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let h = seed | 0;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    h ^= scramble(bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  let k = 0;
  for (let i = end - 1; i >= at; i--) k = (k << 8) | bytes[i]!;
  if (at < end) h ^= scramble(k);
  return mix(h ^ (end - start));
}

function scramble(k: number): number {
  const product = Math.imul(k, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}

/** MurmurHash3's finaliser: spreads every bit over all 32. Unsigned. */
export function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A seed of its own for each purpose, so that one choice does not show through another. */
export function seedFor(seed: number, purpose: string): number {
  const bytes = Buffer.from(purpose);
  return hashBytes(bytes, 0, bytes.length, seed);
}
