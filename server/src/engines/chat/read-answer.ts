/** What an answer says of each target. A label is read, or it is said why not; it is never guessed. */
import type { Prediction } from "../../../../schemas/predictions.ts";
import { fold, type KnownLabels, labelAt } from "./labels.ts";

export type Problem = NonNullable<Prediction["problem"]>;

/** `at`: where the label stands in the answer (UTF-16 offsets), for its log-probabilities. */
export type Read = { label: number; at: { start: number; end: number } } | { problem: Problem };

/** One answer of the endpoint. */
interface AnswerText {
  text: string;
  /** The endpoint's own word for it that the model refused. */
  refused: boolean;
  /** The endpoint's own word for it that the answer was cut off. */
  cut: boolean;
}

/** Names of fields under which models put an only answer. */
const USUAL_FIELDS = [
  "label",
  "labels",
  "answer",
  "category",
  "class",
  "classification",
  "prediction",
  "output",
  "result",
];
/** Beginnings with which models decline. */
const REFUSALS =
  /^\W*(i['’]?m (really )?sorry|sorry[,. ]|i (can['’]?t|cannot|can not|am unable|am not able|won['’]?t|do not feel comfortable)|as an ai\b|i must decline|unfortunately,? i)/i;
/** A label after one of these in the same sentence is what the answer is not. */
const DENIED =
  /\b(not|isn['’]?t|no|neither|nor|never|rather than|instead of|other than|unlike|except)\b[^.!?\n]{0,40}$/i;
/** An answer of more words than this is prose, not a label of another list. */
const LONGEST_LABEL_WORDS = 12;

/**
 * @param json an object with a field a target was asked for; else the label alone (of the only target)
 * @param reasoned reasoning was asked for before the answer
 */
export function readAnswer(
  answer: AnswerText,
  targets: readonly KnownLabels[],
  { json, reasoned }: { json: boolean; reasoned: boolean },
): Read[] {
  if (answer.refused) return targets.map(() => ({ problem: "refused" }));
  const { text } = answer;
  const fields = readFields(text);
  if (fields && (json || fields.length > 0)) {
    const chosen = chooseFields(fields, targets);
    return targets.map((target, t): Read => {
      const field = chosen[t];
      if (!field) return { problem: answer.cut ? "truncated" : "unparsed" };
      // A value without its closing quote may be the beginning of a longer label.
      if (!field.closed) return { problem: "truncated" };
      return readValue(field.value, field.at, target);
    });
  }
  if (targets.length > 1) return targets.map(() => ({ problem: proseProblem(text, answer.cut) }));
  return [readText(answer, targets[0]!, reasoned)];
}

function proseProblem(text: string, cut: boolean): Problem {
  if (cut) return "truncated";
  return REFUSALS.test(text) ? "refused" : "unparsed";
}

function readText({ text, cut }: AnswerText, target: KnownLabels, reasoned: boolean): Read {
  const marked = [...text.matchAll(/(?:^|\n)[\s*#>_]*(?:final answer|answer|label)[\s*_]*[:=][\s*_]*/gi)].at(-1);
  let start = marked ? marked.index + marked[0].length : 0;
  if (reasoned && !marked) {
    if (cut) return { problem: "truncated" };
    // Reasoning without the line that was asked for: only a last line that is a label counts.
    start = text.trimEnd().lastIndexOf("\n") + 1;
    const last = labelAt(target, text.slice(start));
    return last === null
      ? { problem: proseProblem(text, false) }
      : { label: last, at: placed(text, start, text.length) };
  }
  const lineEnd = text.indexOf("\n", start + leading(text, start));
  const end = lineEnd < 0 ? text.length : lineEnd;
  const line = text.slice(start, end);
  const whole = labelAt(target, line);
  if (whole !== null) {
    // Cut off right after a whole label that begins another: which one was meant is not known.
    if (cut && lineEnd < 0 && beginsAnother(line, target, whole)) return { problem: "truncated" };
    return { label: whole, at: placed(text, start, end) };
  }
  if (REFUSALS.test(text)) return { problem: "refused" };
  const inside = labelInside(text.slice(start), target);
  if (inside === "several") return { problem: cut ? "truncated" : "unparsed" };
  if (inside) {
    if (cut && inside.end === text.length - start) return { problem: "truncated" };
    return { label: inside.label, at: { start: start + inside.start, end: start + inside.end } };
  }
  if (cut) return { problem: "truncated" };
  const words = text.trim().split(/\s+/).length;
  if (text.trim() === "") return { problem: "unparsed" };
  return { problem: words <= LONGEST_LABEL_WORDS && !/[.?!]\s+\S/.test(text.trim()) ? "out-of-list" : "unparsed" };
}

const leading = (text: string, start: number): number => /^\s*/.exec(text.slice(start))![0].length;

/** The span without the marks around the label; a dash before a space is the list's, which models copy. */
function placed(text: string, start: number, end: number): { start: number; end: number } {
  const part = text.slice(start, end);
  const from = /^(?:\s*[-–—•]\s+)?[\s"'`*“”‘’([{<]*/.exec(part)![0].length;
  const till = /[\s"'`*“”‘’)\]}>.,;:!]*$/.exec(part)![0].length;
  return from + till >= part.length ? { start, end } : { start: start + from, end: end - till };
}

function beginsAnother(line: string, { folded }: KnownLabels, label: number): boolean {
  const written = fold(line);
  for (const [spelling, at] of folded) {
    if (at !== label && spelling.length > written.length && spelling.startsWith(written)) return true;
  }
  return false;
}

/**
 * The only label named in a text. Longer matches count before shorter ones inside them; a label that is said not to be it,
 * and single characters (codes), do not count.
 */
function labelInside(
  text: string,
  { folded }: KnownLabels,
): { label: number; start: number; end: number } | "several" | null {
  const found: { label: number; start: number; end: number }[] = [];
  for (const [spelling, label] of folded) {
    if (spelling.length < 3) continue;
    const pattern = spelling.split(" ").map(literal).join("[\\s_\\-–—]+");
    const edges = new RegExp(`(?<![\\p{L}\\p{N}_])${pattern}(?![\\p{L}\\p{N}_])`, "giu");
    for (const match of text.matchAll(edges)) {
      found.push({ label, start: match.index, end: match.index + match[0].length });
    }
  }
  const longest = found.filter(
    (one) =>
      !found.some(
        (other) =>
          other !== one &&
          other.end - other.start > one.end - one.start &&
          other.start <= one.start &&
          other.end >= one.end,
      ),
  );
  const meant = longest.filter(({ start }) => !DENIED.test(text.slice(0, start)));
  const labels = new Set(meant.map(({ label }) => label));
  if (labels.size === 0) return longest.length > 0 ? "several" : null;
  if (labels.size > 1 || labels.has(-1)) return "several";
  return meant[0]!;
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/** A field with a scalar value, as it stands in the answer. */
interface Field {
  name: string;
  value: string;
  /** Of the value, quotes left out. */
  at: { start: number; end: number };
  closed: boolean;
}

/**
 * The scalar fields of the first JSON object in a text; null when there is none. Reads what models write: code fences
 * and prose around it, single quotes, trailing commas, an end that was cut off.
 */
export function readFields(text: string): Field[] | null {
  const open = text.indexOf("{");
  if (open < 0) return null;
  const fields: Field[] = [];
  let keys = 0;
  const token = /\s*(?:("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[A-Za-z_][\w -]*?)\s*:\s*)/y;
  const value = /"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|\[\s*"(?:[^"\\]|\\.)*"\s*\]|\{|[^,{}[\]\n]+/y;
  let at = open + 1;
  while (at < text.length) {
    token.lastIndex = at;
    const key = token.exec(text);
    if (!key) break;
    value.lastIndex = token.lastIndex;
    const found = value.exec(text);
    if (!found) break;
    at = value.lastIndex;
    keys++;
    if (found[0] === "{") continue;
    const one = field(unquoted(key[1]!), found[0], found.index, at < text.length);
    if (one) fields.push(one);
    const next = /^[\s}\]]*,?/.exec(text.slice(at))![0];
    at += next.length;
    if (!next.includes(",") && /^\s*}/.test(text.slice(at - next.length))) break;
  }
  return keys > 0 || /^\s*}/.test(text.slice(open + 1)) ? fields : null;
}

function field(name: string, raw: string, start: number, followed: boolean): Field | null {
  const list = /^\[\s*("(?:[^"\\]|\\.)*")\s*\]$/.exec(raw);
  const text = list ? list[1]! : raw;
  const offset = start + (list ? raw.indexOf(text) : 0);
  const quote = text[0] === '"' || text[0] === "'" ? text[0] : null;
  if (!quote) {
    const bare = text.trim();
    if (bare === "" || bare === "null") return null;
    return { name, value: bare, at: { start: offset, end: offset + text.trimEnd().length }, closed: followed };
  }
  const closed = text.length > 1 && text.endsWith(quote);
  return {
    name,
    value: unquoted(text),
    at: { start: offset + 1, end: offset + text.length - (closed ? 1 : 0) },
    closed,
  };
}

function unquoted(text: string): string {
  if (text[0] !== '"' && text[0] !== "'") return text.trim();
  const body = text.endsWith(text[0]) && text.length > 1 ? text.slice(1, -1) : text.slice(1);
  try {
    return JSON.parse(`"${body.replace(/\\'/g, "'").replace(/(?<!\\)"/g, '\\"')}"`) as string;
  } catch {
    return body;
  }
}

/** The field of each target: by its name, however spelt; else by what its value can only be. */
function chooseFields(fields: readonly Field[], targets: readonly KnownLabels[]): (Field | undefined)[] {
  const named = targets.map(
    ({ target }) =>
      fields.find(({ name }) => name === target) ?? only(fields.filter(({ name }) => fold(name) === fold(target))),
  );
  const free = fields.filter((one) => !named.includes(one) && fold(one.name) !== "reasoning");
  if (targets.length === 1) {
    return [named[0] ?? only(free.filter(({ name }) => USUAL_FIELDS.includes(fold(name)))) ?? only(free)];
  }
  return targets.map((target, t) => {
    if (named[t]) return named[t];
    // A misnamed field counts when its value is a label of this target, and of no other one that waits for a field.
    const fits = free.filter(({ value }) => labelAt(target, value) !== null);
    const sole = only(fits);
    const contested = sole && targets.some((other, o) => o !== t && !named[o] && labelAt(other, sole.value) !== null);
    return contested ? undefined : sole;
  });
}

const only = <T>(list: readonly T[]): T | undefined => (list.length === 1 ? list[0] : undefined);

function readValue(value: string, at: { start: number; end: number }, target: KnownLabels): Read {
  const label = labelAt(target, value);
  if (label !== null) return { label, at };
  if (value.trim() === "") return { problem: "unparsed" };
  if (REFUSALS.test(value)) return { problem: "refused" };
  const inside = labelInside(value, target);
  if (inside === "several") return { problem: "unparsed" };
  if (inside) return { label: inside.label, at: { start: at.start + inside.start, end: at.start + inside.end } };
  return { problem: value.trim().split(/\s+/).length <= LONGEST_LABEL_WORDS ? "out-of-list" : "unparsed" };
}
