import { randomBytes } from "node:crypto";

/**
 * A new decision id: a UUID of version 7 (RFC 9562), greater than `after`, the greatest id the writer has read.
 *
 * The 12 bits behind the time are a counter (RFC 9562 §6.2, method 1). When `after` is not older than the clock, its
 * time goes on counting: a hybrid logical clock (Kulkarni et al. 2014). So ids sort in the order in which people saw
 * each other's decisions, even when their clocks disagree.
 * @param now milliseconds since 1970
 */
export function nextDecisionId(after: string | undefined, now: number): string {
  let time = Math.max(0, Math.trunc(now));
  let counter = 0;
  if (after !== undefined) {
    const afterTime = Number.parseInt(after.slice(0, 8) + after.slice(9, 13), 16);
    if (afterTime >= time) {
      time = afterTime;
      counter = Number.parseInt(after.slice(15, 18), 16) + 1;
      if (counter > 0xfff) {
        time += 1;
        counter = 0;
      }
    }
  }
  const timeHex = time.toString(16).padStart(12, "0");
  const random = randomBytes(8);
  random[0] = (random[0]! & 0x3f) | 0x80;
  const randomHex = random.toString("hex");
  const counterHex = counter.toString(16).padStart(3, "0");
  return `${timeHex.slice(0, 8)}-${timeHex.slice(8)}-7${counterHex}-${randomHex.slice(0, 4)}-${randomHex.slice(4)}`;
}
