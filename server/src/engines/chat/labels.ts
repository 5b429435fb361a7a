/** How labels are written and recognised: names, aliases, codes, and what counts as the same spelling. */
import type { JobTarget } from "../../../../schemas/job.ts";

/** One label of a target with all that it may be called. */
interface KnownLabel {
  name: string;
  description: string | undefined;
  aliases: readonly string[];
  /** What the model is asked to write: the code where codes are used, else the name. */
  written: string;
  code: string | undefined;
}

/** A target's labels, ready to be asked for and recognised. */
export interface KnownLabels {
  target: string;
  labels: readonly KnownLabel[];
  /** Exact spelling (name, alias, code) → position. */
  exact: ReadonlyMap<string, number>;
  /** {@link fold}ed spelling → position, or −1 where several labels fold to it. */
  folded: ReadonlyMap<string, number>;
}

/** The same for spellings that differ in case, or in the kind of spaces, dashes and underscores. A trailing space stays. */
export function foldInside(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\s_\-–—]+/g, " ");
}

/** As {@link foldInside}, and without marks and spaces around it. */
export function fold(text: string): string {
  return foldInside(text)
    .replace(/^[\s"'`*“”‘’([{<]+|[\s"'`*“”‘’)\]}>.,;:!]+$/g, "")
    .trim();
}

/** A, B, … Z; from 27 labels on AA, AB, …; from 677 on 0001, 0002, …: all of one length, so that none begins another. */
export function labelCode(position: number, count: number): string {
  const letter = (n: number) => String.fromCharCode(65 + n);
  if (count <= 26) return letter(position);
  if (count <= 676) return letter(Math.floor(position / 26)) + letter(position % 26);
  return String(position + 1).padStart(String(count).length, "0");
}

export function knownLabels(target: JobTarget, codes: boolean): KnownLabels {
  const labels = target.labels.map(({ name, description, aliases = [] }, i): KnownLabel => {
    const code = codes ? labelCode(i, target.labels.length) : undefined;
    return { name, description, aliases, code, written: code ?? name };
  });
  const exact = new Map<string, number>();
  const folded = new Map<string, number>();
  const add = (spelling: string, position: number, strong: boolean): void => {
    const text = spelling.trim();
    if (text === "") return;
    if (strong || !exact.has(text)) exact.set(text, position);
    const key = fold(text);
    const before = folded.get(key);
    if (before === undefined) folded.set(key, position);
    else if (before !== position) folded.set(key, -1);
  };
  // A name counts before an alias of another label, a code before both: it is what was asked for.
  for (const [i, { aliases }] of labels.entries()) for (const alias of aliases) add(alias, i, false);
  for (const [i, { name }] of labels.entries()) add(name, i, true);
  for (const [i, { code }] of labels.entries()) {
    if (code === undefined) continue;
    exact.set(code, i);
    folded.set(fold(code), i);
  }
  return { target: target.name, labels, exact, folded };
}

/** Position of the label a text is a spelling of; null when of none, or of several. */
export function labelAt({ exact, folded }: KnownLabels, text: string): number | null {
  const same = exact.get(text.trim());
  if (same !== undefined) return same;
  const near = folded.get(fold(text));
  return near === undefined || near < 0 ? null : near;
}
