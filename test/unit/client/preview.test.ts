import assert from "node:assert/strict";
import { isFiltered, NO_FILTER, rangeIn, toggleValue, withRange } from "../../../client/webview/preview/state.ts";

describe("filters of the data preview", () => {
  it("choose a value and give it up again", () => {
    const one = toggleValue(NO_FILTER, "c1", "red");
    const two = toggleValue(one, "c1", "");
    assert.deepEqual(two.values, [{ column: "c1", values: ["red", ""] }]);
    assert.ok(isFiltered(two));
    assert.deepEqual(toggleValue(toggleValue(two, "c1", ""), "c1", "red"), NO_FILTER);
  });

  it("bound a number and the length of a text apart", () => {
    const both = withRange(withRange(NO_FILTER, "c0", "length", 10, 19), "c0", "value", 0, null);
    assert.deepEqual(rangeIn(both, "c0", "length"), { column: "c0", of: "length", min: 10, max: 19 });
    assert.deepEqual(rangeIn(both, "c0", "value"), { column: "c0", of: "value", min: 0, max: null });
    assert.equal(isFiltered(withRange(withRange(both, "c0", "length", null, null), "c0", "value", null, null)), false);
  });
});
