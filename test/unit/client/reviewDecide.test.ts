import assert from "node:assert/strict";
import type { Question } from "../../../client/webview/shared/ask.ts";
import type { FlaggedItem, Requests } from "../../../schemas/protocol.ts";

// The panel's parts talk to the extension through what VS Code puts into a webview.
const asked: Question[] = [];
const vscode = {
  postMessage: (message: { type: string }) => void (message.type === "request" && asked.push(message as Question)),
  getState: () => undefined,
  setState: () => {},
};
(globalThis as { acquireVsCodeApi?: unknown }).acquireVsCodeApi = () => vscode;
const { take } = await import("../../../client/webview/review/ask.ts");
const { confirm } = await import("../../../client/webview/review/decide.ts");
const { pages, panel } = await import("../../../client/webview/review/panel.ts");
const { load } = await import("../../../client/webview/review/queue.ts");

const ROWS = 30;
const item = (n: number): FlaggedItem => ({
  ...{ row: `r${n}`, target: "part", text: `row ${n}`, split: "pool", given: null, blind: false },
  ...{ predicted: "Arm", confidence: 0.6, margin: 0.2, reasons: [] },
});
const detail = (row: string) =>
  ({ row, inputs: [], targets: [], split: "pool", place: null }) as unknown as Requests["clf/rows/detail"]["result"];

/** As the server does. */
let recorded: string[] = [];
let refused: string | null = null;
function answer(question: Question): void {
  const { id, name, params } = question;
  const give = (result: unknown) => take({ type: "answer", id, result } as never);
  if (name === "clf/flagged/list") {
    const waiting = Array.from({ length: ROWS }, (_, n) => item(n)).filter(({ row }) => !recorded.includes(row));
    const { find } = params as Requests["clf/flagged/list"]["params"];
    const found = find ? waiting.findIndex(({ row }) => row === find.row) : -1;
    give({
      ...{ items: waiting, offset: 0, found: found < 0 ? null : found, total: ROWS, decided: recorded.length },
      ...{ empty: null, notes: [], reasons: {}, pairs: [], models: ["m"], model: "m", job: "j" },
      targets: [{ name: "part", labels: ["Arm", "Leg"] }],
    });
  } else if (name === "clf/rows/detail") give(detail((params as { row: string }).row));
  else if (name === "clf/review/decide") {
    const { row } = params as { row: string };
    if (row === refused) take({ type: "failure", id, message: "the disk is full" } as never);
    else {
      recorded.push(row);
      give({ decision: row });
    }
  } else give(null);
}
const turn = () => new Promise((resolve) => setImmediate(resolve));
/** Answers what has been asked, and what is asked because of it. */
async function settle(names?: readonly string[]): Promise<void> {
  for (;;) {
    await turn();
    const at = asked.findIndex(({ name }) => !names || names.includes(name));
    if (at < 0) return;
    answer(asked.splice(at, 1)[0]!);
  }
}
const count = (name: string) => asked.filter((question) => question.name === name).length;
const until = async (fits: () => boolean) => {
  while (!fits()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe("deciding in Review", () => {
  beforeEach(async () => {
    recorded = [];
    refused = null;
    asked.length = 0;
    Object.assign(panel, { project: "file:///p.clf.yaml", failure: null });
    const loaded = load({ row: "r0", target: "part", index: 0 });
    await settle();
    await loaded;
    await settle();
    assert.equal(panel.shown?.item.row, "r0");
  });

  it("shows the next row before anything is answered, and asks for the list once, after the last of several", async () => {
    for (const next of ["r1", "r2", "r3"]) {
      confirm();
      assert.equal(panel.shown?.item.row, next);
      assert.equal(panel.busy, false);
      // The rows after it come while a person reads.
      await settle(["clf/rows/detail"]);
    }
    assert.equal(count("clf/review/decide"), 3);
    await settle();
    assert.deepEqual(recorded, ["r0", "r1", "r2"]);
    assert.equal(count("clf/flagged/list"), 0);
    assert.equal(pages.total, ROWS - 3);
    await until(() => count("clf/flagged/list") > 0);
    assert.equal(count("clf/flagged/list"), 1);
    await settle();
    assert.equal(panel.shown?.item.row, "r3");
    assert.equal(panel.list?.decided, 3);
  });

  it("brings a row back that could not be recorded, and says why", async () => {
    refused = "r0";
    confirm();
    assert.equal(panel.shown?.item.row, "r1");
    await settle();
    assert.equal(panel.shown?.item.row, "r0");
    assert.equal(panel.failure, "Not recorded: the disk is full");
    assert.equal(pages.total, ROWS);
    assert.deepEqual(recorded, []);
  });
});
