/** What was chosen in a panel is there again by its key; of the panels opened longest ago it is forgotten. */
import assert from "node:assert/strict";
import type { Memento } from "vscode";
import { lastChosen } from "../../../client/src/webviews/lastChosen.ts";

function memento(): Memento {
  const kept = new Map<string, unknown>();
  return {
    keys: () => [...kept.keys()],
    get: <T>(key: string, otherwise?: T) => (kept.has(key) ? kept.get(key) : otherwise) as T,
    update: async (key: string, value: unknown) => void kept.set(key, value),
  };
}

describe("What was chosen last", () => {
  it("is kept by panel, the newest choice of each", async () => {
    const state = memento();
    const chosen = lastChosen<{ tab: string }>(state, "panels");
    assert.equal(chosen.of("a"), null);
    await chosen.keep("a", { tab: "log" });
    await chosen.keep("b", { tab: "spec" });
    await chosen.keep("a", { tab: "figures" });
    assert.deepEqual(chosen.of("a"), { tab: "figures" });
    assert.deepEqual(chosen.of("b"), { tab: "spec" });
    assert.deepEqual(state.get("panels"), [
      ["a", { tab: "figures" }],
      ["b", { tab: "spec" }],
    ]);
    assert.equal(lastChosen(state, "others").of("a"), null);
  });

  it("is forgotten of the panel opened longest ago", async () => {
    const chosen = lastChosen<number>(memento(), "panels");
    for (let i = 0; i <= 30; i++) await chosen.keep(`${i}`, i);
    assert.equal(chosen.of("0"), null);
    assert.equal(chosen.of("1"), 1);
    assert.equal(chosen.of("30"), 30);
  });
});
