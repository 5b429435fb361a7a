/** Why a row is flagged, in words. */
import type { FlagReason } from "../../../schemas/decisions.ts";

export const REASON: Record<FlagReason, string> = {
  "below-threshold": "confidence below the threshold",
  "no-accept-rule": "no accept rule holds: every row is reviewed",
  "never-label": "this label always goes to a person",
  failed: "the model failed on this row",
  unparsed: "the answer could not be read",
  "out-of-list": "the answer is none of the labels",
  "label-issue": "likely label error",
  disagreement: "models disagree",
  audit: "audit of accepted rows",
  conflict: "two people decided differently",
  relabel: "re-labelling of random validation rows",
};
