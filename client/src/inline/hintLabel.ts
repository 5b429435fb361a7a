/** The few characters beside a row (DESIGN §9): VS Code shows at most 43 of a hint. */
import type { InlineRow, TargetView } from "../../../schemas/protocol.ts";

/** VS Code's own limit for an inlay hint's label. */
export const HINT_LENGTH = 43;

const SUSPECT = " · label may be wrong";

/** "✓ Fractures .98", "⚠ Crushing .71 · label may be wrong", "◦ Poisoning .54 → flagged"; empty: nothing to say. */
export function hintLabel({ targets, trained }: Pick<InlineRow, "targets" | "trained">): string {
  if (trained) return "· trained on";
  if (targets.length === 0) return "";
  const suspect = targets.some(isSuspect);
  const waits = targets.some(({ reasons, decided }) => reasons.length > 0 && decided === null);
  const end = suspect ? SUSPECT : waits ? " → flagged" : "";
  for (let length = 40; length >= 3; length--) {
    const label = targets.map((target) => ofTarget(target, length)).join(" · ") + end;
    if ([...label].length <= HINT_LENGTH) return label;
  }
  // Many targets: one stands for all, a suspected one before the least sure of those that nobody has decided.
  const open = targets.filter(({ decided }) => decided === null);
  const least = (open.length > 0 ? open : targets).reduce((a, b) => (b.confidence < a.confidence ? b : a));
  const rest = ` +${targets.length - 1}`;
  return ofTarget(targets.find(isSuspect) ?? least, HINT_LENGTH - [...end].length - rest.length - 6) + rest + end;
}

function ofTarget(target: TargetView, length: number): string {
  if (target.decided === "skipped" || target.decided === null) {
    if (target.blind) return "◦ audit";
    if (target.predicted === null) return "◦ no answer";
    const mark = isSuspect(target) ? "⚠" : target.accepted ? "✓" : "◦";
    return `${mark} ${cut(target.predicted, length)} ${decimal(target.confidence)}`;
  }
  return target.decided === "none" ? "☑ none of these" : `☑ ${cut(target.given ?? target.predicted ?? "", length)}`;
}

/** A given label that is probably wrong, and that nobody has looked at. */
export const isSuspect = ({ reasons, decided, given }: TargetView): boolean =>
  reasons.includes("label-issue") && decided === null && given !== null;

/** ".98"; never "1.00", which would claim certainty. */
export function decimal(confidence: number): string {
  if (confidence > 0.99) return ">.99";
  return confidence.toFixed(2).replace(/^0/, "");
}

/** By characters as people see them, so that emoji stay whole; line breaks and direction marks do not leak into the row. */
function cut(text: string, length: number): string {
  const characters = [...text.replace(/\s+/g, " ").replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "")];
  return characters.length <= length ? characters.join("") : `${characters.slice(0, length - 1).join("")}…`;
}
