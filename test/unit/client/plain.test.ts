import assert from "node:assert/strict";
import { plain } from "../../../client/src/commands/plain.ts";

/** How VS Code finds links in a notification (base/common/linkedText.ts). */
const LINK = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/gi;

describe("plain", () => {
  it("leaves no link in a message", () => {
    for (const text of [
      "[run](command:workbench.action.terminal.new)",
      "a [b](https://example.org) c [d](file:///etc/passwd)",
      '[x](command:y "title")',
    ]) {
      assert.match(text, LINK);
      assert.doesNotMatch(plain(text), LINK);
      assert.equal(plain(text).replaceAll("\u200b", ""), text);
    }
  });

  it("keeps other words as they are, and cuts what nobody would read", () => {
    assert.equal(plain("dist[0] (first)"), "dist[0] (first)");
    assert.equal(plain("x".repeat(1_000_000)).length, 601);
  });
});
