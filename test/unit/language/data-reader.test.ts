import assert from "node:assert/strict";
import { join } from "node:path";
import { createDataReader } from "../../../server/src/language/data-reader.ts";

describe("reading data in a thread", () => {
  const entry = join(import.meta.dirname, "hanging-worker.mjs");

  it("gives up a request that is cancelled, and the thread when it hangs", async () => {
    const reader = createDataReader({ entry, patience: 20 });
    const abort = new AbortController();
    const hanging = reader.sample("hang", "a.csv", abort.signal);
    const waiting = reader.sample("ready", "a.csv", new AbortController().signal);
    abort.abort();
    await assert.rejects(hanging, { name: "AbortError" });
    // Asked of the thread that hung, and gone with it.
    await assert.rejects(waiting, /ended/);
    assert.deepEqual(await reader.sample("ready", "a.csv", new AbortController().signal), []);
    await reader.close();
  });

  it("starts anew after it was closed", async () => {
    const reader = createDataReader({ entry });
    for (let i = 0; i < 2; i++) {
      assert.deepEqual(await reader.sample("ready", "a.csv", new AbortController().signal), []);
      await reader.close();
    }
  });

  it("asks nothing that is cancelled already", async () => {
    const reader = createDataReader({ entry: "/nowhere.mjs" });
    await assert.rejects(reader.sample("ready", "a.csv", AbortSignal.abort()), { name: "AbortError" });
  });

  it("says when the thread cannot start", async () => {
    const reader = createDataReader({ entry: "/nowhere.mjs" });
    await assert.rejects(reader.sample("ready", "a.csv", new AbortController().signal), /nowhere/);
  });
});
