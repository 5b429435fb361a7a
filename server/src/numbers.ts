/** Numbers as people read them, in messages, reports and tables. */

/** 1,234 */
export const whole = (n: number): string => n.toLocaleString("en-US");

/** 0.9 → "90.0 %": as many decimals in every line of a table. */
export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;

/** 0.9 → "90 %", 0.912 → "91.2 %": in a sentence. */
export const shortPercent = (share: number): string => `${Number((100 * share).toFixed(1))} %`;

/** "91.2 % (90 % to 92.3 %)" */
export const shareWords = ({ value, low, high }: { value: number; low: number; high: number }): string =>
  `${shortPercent(value)} (${shortPercent(low)} to ${shortPercent(high)})`;

/** Whether the interval of a difference leaves 0 out. */
export const isClear = ({ low, high }: { low: number; high: number }): boolean => low > 0 || high < 0;

/** A p-value to four decimals. */
export const pValue = (p: number): string => (p < 0.0001 ? "< 0.0001" : p.toFixed(4));
