import assert from "node:assert/strict";
import fc from "fast-check";
import { decimal, HINT_LENGTH, hintLabel } from "../../../client/src/inline/hintLabel.ts";
import type { InlineRow } from "../../../schemas/protocol.ts";

type Target = InlineRow["targets"][number];

const target = (fields: Partial<Target>): Target => ({
  ...{ target: "Nature", given: null, predicted: "Fractures", confidence: 0.98, top: [], set: null },
  ...{ accepted: true, reasons: [], decided: null, blind: false, cell: null },
  ...fields,
});
const label = (...targets: Target[]) => hintLabel({ targets, trained: false });

describe("the hint beside a row", () => {
  it("keeps the prediction of a row that is audited", () => {
    assert.equal(label(target({ blind: true, predicted: null, reasons: ["audit"] })), "◦ audit → flagged");
  });
  it("says accepted, flagged, and likely label error", () => {
    assert.equal(label(target({})), "✓ Fractures .98");
    const poisoning = { predicted: "Poisoning", confidence: 0.54, accepted: false };
    assert.equal(label(target({ ...poisoning, reasons: ["below-threshold"] })), "◦ Poisoning .54 → flagged");
    const crushing = { predicted: "Crushing", confidence: 0.71, given: "Burns", accepted: false };
    assert.equal(label(target({ ...crushing, reasons: ["label-issue"] })), "⚠ Crushing .71 · label may be wrong");
  });

  it("does not call a row flagged that is not in the list", () => {
    assert.equal(label(target({ accepted: false, confidence: 0.3 })), "◦ Fractures .30");
  });

  it("shows what people said in place of what the model says", () => {
    assert.equal(label(target({ decided: "corrected", given: "Burns", reasons: ["audit"] })), "☑ Burns");
    assert.equal(label(target({ decided: "none" })), "☑ none of these");
  });

  it("has nothing to say of rows that the model was trained on", () => {
    assert.equal(hintLabel({ targets: [], trained: true }), "· trained on");
    assert.equal(label(), "");
  });

  it("never claims certainty", () => {
    assert.equal(decimal(1), ">.99");
    assert.equal(decimal(0.995), ">.99");
    assert.equal(decimal(0), ".00");
  });

  it("fits VS Code's limit, one line, whole characters, whatever the labels", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 80 });
    const any = fc.record({
      predicted: fc.option(text),
      confidence: fc.double({ min: 0, max: 1, noNaN: true }),
      accepted: fc.boolean(),
      given: fc.option(text),
      reasons: fc.constantFrom<Target["reasons"]>([], ["below-threshold"], ["label-issue"]),
      decided: fc.constantFrom<Target["decided"]>(null, "confirmed", "none", "skipped"),
    });
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 6 }), (targets) => {
        const found = label(...targets.map(target));
        assert.ok([...found].length <= HINT_LENGTH, found);
        assert.doesNotMatch(found, /[\r\n\t]/);
        assert.doesNotMatch(found, /\p{Surrogate}/u);
      }),
    );
  });
});
