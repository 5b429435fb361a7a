/** What the number keys choose, and which of those labels are in the prediction set. */
import type { FlaggedItem, RowDetail, TargetView } from "../../../schemas/protocol.ts";

/** Labels with a number key. */
const NUMBERED = 9;
/** What one key can choose. */
export interface Choice {
  label: string;
  /** Null where the prediction is not to be seen, or gives it none. */
  confidence: number | null;
  /** In the prediction set: the right label is one of these, as often as the set promises. */
  inSet: boolean;
}

/**
 * The labels that keys 1 to 9 choose: those that people disagree about, the prediction set, the likeliest; or, judged blind, the
 * first ones of the project.
 */
export function choicesOf(
  item: FlaggedItem,
  view: (TargetView & Partial<Pick<RowDetail["targets"][number], "said">>) | undefined,
  labels: readonly string[],
): Choice[] {
  if (item.blind) return labels.slice(0, NUMBERED).map((label) => ({ label, confidence: null, inSet: false }));
  const set = new Set(view?.set?.labels);
  const top = (view?.top ?? []).map(([label, confidence]) => ({ label, confidence, inSet: set.has(label) }));
  const said = item.reasons.includes("conflict") ? disputed(view?.said ?? []) : [];
  const first = said.map(
    (label) => top.find((each) => each.label === label) ?? { label, confidence: null, inSet: false },
  );
  const rest = top.filter(({ label }) => !said.includes(label));
  const room = NUMBERED - first.length;
  const fill = Math.max(0, room - rest.filter(({ inSet }) => inSet).length);
  let others = 0;
  return [...first, ...rest.filter(({ inSet }) => inSet || others++ < fill).slice(0, room)];
}

/** Labels that people gave, each once, the newest first. */
const disputed = (said: RowDetail["targets"][number]["said"]): string[] => [
  ...new Set(said.flatMap(({ label }) => (label === null ? [] : [label]))),
];

/** What the marked labels mean. */
export function setWords(
  { labels, others, coverage }: NonNullable<TargetView["set"]>,
  choices: readonly Choice[],
): string {
  const marked = choices.filter(({ inSet }) => inSet).length;
  const more = labels.length - marked;
  const rest = others ? ", or among those not shown" : more > 0 ? `, or one of ${more} more` : "";
  const which = marked === 1 && rest === "" ? "It is the marked one" : `It is among the ${marked} marked${rest}`;
  return `${which} for ${Math.round(100 * coverage)} % of flagged rows.`;
}
