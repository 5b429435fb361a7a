/** Numbers as people read them; the same as on the server. */

/** 1,234 */
export const whole = (n: number): string => n.toLocaleString("en");

/** 0.9 → "90.0 %" */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
