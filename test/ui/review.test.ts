/**
 * The Flagged view in real VS Code: a person's task list by keyboard alone, twice, the second time with a reload of the window in the
 * middle; a conflict of two people that is settled; themes, widths, accessibility.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Frame } from "playwright-core";
import { Decision } from "../../schemas/decisions.ts";
import { nextDecisionId } from "../../server/src/review/decision-id.ts";
import { ROOT } from "../built.ts";
import { seriousIssues, THEMES } from "./accessibility.ts";
import { LABELS, reviewProject } from "./reviewProject.ts";
import { testWindow } from "./window.ts";
import { eventually, type Workbench } from "./workbench.ts";

const PAIR = ["Crushing", "Fractures"];

interface Item {
  row: string;
  target: string;
  label: string;
  top: [string, number][];
}
/** What is recorded of a row, as far as a person decided it. */
interface Said {
  row: string;
  kind: string;
  after: string | null;
}

describe("Review by keyboard", function () {
  this.timeout(180_000);
  const { folder, texts, ids } = reviewProject();
  const clf = (...args: string[]): string => {
    const run = spawnSync(process.execPath, [join(ROOT, "server/src/cli.ts"), ...args], { encoding: "utf8" });
    assert.equal(run.status, 0, run.stderr);
    return run.stdout;
  };
  const flagged = (...args: string[]) =>
    JSON.parse(clf("flagged", window.workspace, "--json", "--limit", "1000", ...args)) as {
      total: number;
      decided: number;
      items: Item[];
    };
  before(function () {
    this.timeout(180_000);
    for (const model of ["baseline", "second"]) clf("evaluate", folder, "--model", model);
  });

  const window = testWindow({
    workspace: folder,
    extensionPath: ROOT,
    theme: "Dark Modern",
    width: 1400,
    height: 1000,
  });
  const file = () => join(window.workspace, "reviews.jsonl");
  const decisions = (): Decision[] =>
    existsSync(file())
      ? readFileSync(file(), "utf8")
          .trim()
          .split("\n")
          .filter(Boolean)
          .map((line) => Decision.parse(JSON.parse(line)))
      : [];
  let panel: Frame;
  const says = () => panel.locator("[role=status]").innerText();
  const place = () => panel.locator(".count").innerText();
  const textOnScreen = async () =>
    (await panel
      .locator(".detail:not([aria-busy]) .input")
      .first()
      .textContent({ timeout: 1000 })
      .catch(() => "")) ?? "";
  const onScreen = (row: string) => eventually(textOnScreen, (text) => text === texts.get(row), `row ${row} on screen`);
  /** Presses keys once VS Code takes them for commands of the panel. */
  const press = async (keys: string) => {
    await panel.locator("body:not(.no-keys)").waitFor();
    await window.workbench.press(keys);
  };
  const key = async (keys: string, words: RegExp) => {
    await press(keys);
    await eventually(says, (text) => words.test(text), `${words} after ${keys}`);
  };
  const listed = (words: RegExp) => eventually(place, (text) => words.test(text), `${words} in the list`, 30);
  /** Chooses an option of a drop-down of the panel by typing its beginning. */
  const chooseOption = async (label: string, words: string) => {
    const { workbench } = window;
    const focused = () => panel.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? "");
    await press("f");
    await eventually(focused, (name) => name !== "" && name !== "Flagged rows", "the filters");
    for (let i = 0; i < 8 && (await focused()) !== label; i++) await workbench.press("Tab");
    assert.equal(await focused(), label);
    await workbench.typeText(words);
    await workbench.press("Escape");
    // Where there is no row there is no list either.
    await eventually(focused, (name) => name === "Flagged rows" || name === "", "the list");
  };
  const open = async () => {
    await window.workbench.runCommand("Clf: Review Flagged Rows");
    panel = await window.workbench.webview("confirm", 60);
    await listed(/^1 of 190$/);
  };

  /** Removes the decisions file; the panel follows. */
  async function forgetDecisions(): Promise<void> {
    rmSync(file());
    await eventually(
      () => panel.locator(".filters .count").getAttribute("title"),
      (words) => words === "0 decided",
      "no decision",
      30,
    );
  }

  /** Which of fifty rows are corrected, and how: the label of a number key, or one that is searched for. */
  const CORRECTED = new Map<number, { by: "number" | "search"; nth: number }>([
    [3, { by: "number", nth: 2 }],
    [9, { by: "search", nth: 3 }],
    [17, { by: "number", nth: 3 }],
    [26, { by: "number", nth: 2 }],
    [31, { by: "search", nth: 2 }],
    [40, { by: "search", nth: 4 }],
    [48, { by: "number", nth: 2 }],
  ]);

  /**
   * Fifty rows in random order, seven of them corrected, two taken back, then twenty alike between two labels confirmed.
   * @param meanwhile is called before a row is decided
   * @returns what must stand in the decisions file, line by line
   */
  async function taskList(
    meanwhile: (n: number) => Promise<void>,
  ): Promise<(Said & { undoes?: number; act?: true })[]> {
    const { workbench } = window;
    const expected: Awaited<ReturnType<typeof taskList>> = [];
    const { items } = flagged("--order", "random");
    await chooseOption("Order", "random");
    for (const [n, { row, label, top }] of items.slice(0, 50).entries()) {
      await meanwhile(n);
      await onScreen(row);
      const other = CORRECTED.get(n);
      if (other === undefined) {
        await key("Enter", new RegExp(`^Confirmed ${label}\\. ${189 - n} left`));
        expected.push({ row, kind: "confirmed", after: label });
        continue;
      }
      const after = top[other.nth - 1]![0];
      if (other.by === "number") await press(String(other.nth));
      else {
        await press("/");
        await panel.locator(".picker input").waitFor();
        await workbench.typeText(after.slice(0, 4).toLowerCase());
        await workbench.press("Enter");
      }
      await eventually(says, (text) => text.startsWith(`Corrected to ${after}. ${189 - n} left`), `row ${n} corrected`);
      expected.push({ row, kind: "corrected", after });
    }
    for (const n of [49, 48]) {
      await eventually(decisions, (lines) => lines.length === expected.length, `${expected.length} decisions on disk`);
      // Said once for each: what was said before is no sign of it.
      await press("Backspace");
      await onScreen(items[n]!.row);
      expected.push({ row: items[n]!.row, kind: "undone", after: null, undoes: n });
    }
    await chooseOption("Confusion pair", PAIR[0]!);
    await listed(/^\d+ of \d+$/);
    const first = await eventually(textOnScreen, (text) => ids.has(text), "a row of the pair");
    await panel.locator(".similar kbd").waitFor();
    await press("a");
    await panel.locator("#alike").waitFor();
    const chosen = await panel.locator("#alike li[aria-selected=true] .short").allTextContents();
    assert.equal(chosen.length, 20);
    assert.equal(chosen[0], first);
    await workbench.screenshot("review-alike");
    const rows = chosen.map((text) => ids.get(text)!);
    const known = new Map(items.map((item) => [item.row, item]));
    const { label } = known.get(rows[0]!)!;
    for (const row of rows) {
      const { label: predicted, top } = known.get(row)!;
      assert.equal(predicted, label);
      assert.deepEqual([top[0]![0], top[1]![0]].sort(), PAIR);
    }
    await workbench.press("Enter");
    await eventually(says, (text) => text.startsWith(`Confirmed ${label} for 20 rows`), "twenty confirmed");
    expected.push(...rows.map((row) => ({ row, kind: "confirmed", after: label, act: true as const })));
    return expected;
  }

  /** The whole file: no line more, none less, in the order in which it was said. */
  function assertRecorded(expected: Awaited<ReturnType<typeof taskList>>): void {
    const lines = decisions();
    const model = flagged();
    assert.deepEqual(
      lines.map(({ row, kind, after, undoes, act }) => ({
        row,
        kind,
        after,
        ...(undoes ? { undoes: lines.findIndex(({ id }) => id === undoes) } : {}),
        ...(act ? { act: true } : {}),
      })),
      expected,
    );
    assert.equal(new Set(lines.filter(({ act }) => act).map(({ act }) => act)).size, 1);
    assert.equal(new Set(lines.map(({ id }) => id)).size, lines.length);
    for (const line of lines) {
      assert.equal(line.target, "nature");
      assert.deepEqual(line.replaces, []);
      assert.equal(line.note, undefined);
      assert.equal(line.blind, false);
      if (line.kind === "undone") continue;
      assert.equal(line.before, null);
      assert.equal(line.split, "pool");
      assert.deepEqual(line.inputs, { narrative: texts.get(line.row) });
      assert.equal(line.prediction?.model, "baseline");
      assert.equal(line.kind === "confirmed", line.prediction.label === line.after);
    }
    assert.deepEqual([model.total, model.decided], [190, 48 + 20]);
  }

  it("decides fifty rows, seven otherwise, takes two back, and confirms twenty that are alike", async () => {
    await open();
    const expected = await taskList(async (n) => {
      if (n === 5) await window.workbench.screenshot("review-dark");
    });
    assertRecorded(expected);
  });

  it("takes back by one key what was decided by one, and goes on to what came before", async () => {
    const before = decisions().length;
    await key("Backspace", /^Taken back for 20 rows/);
    assert.equal(decisions().length, before + 20);
    await key("Backspace", /^Taken back\. /);
    assert.equal(decisions().length, before + 21);
    assert.equal(flagged().decided, 47);
  });

  it("sees that the decisions file has changed on disk", forgetDecisions);

  it("does the same with a reload of the window in the middle", async () => {
    await chooseOption("Confusion pair", "any");
    await chooseOption("Order", "uncertain");
    await listed(/^\d+ of 190$/);
    const expected = await taskList(async (n) => {
      if (n !== 25) return;
      const row = await textOnScreen();
      const where = await place();
      await eventually(decisions, (lines) => lines.length === 25, "25 decisions on disk");
      // The place is kept a moment after it was taken.
      await window.workbench.page.waitForTimeout(2000);
      await window.workbench.reload();
      panel = await window.workbench.webview("confirm", 60);
      await listed(new RegExp(`^${where}$`));
      assert.equal(await textOnScreen(), row);
      await window.workbench.runCommand("Clf: Focus on Flagged View");
      await eventually(
        () => panel.evaluate(() => document.hasFocus()),
        (focused) => focused,
        "the keyboard in the panel",
      );
    });
    assertRecorded(expected);
  });

  it("records a note with the decision, and shows how far a person has come", async () => {
    const { workbench } = window;
    const before = decisions().length;
    await chooseOption("Confusion pair", "any");
    await eventually(textOnScreen, (text) => ids.has(text), "a row");
    await press("c");
    await panel.locator("#note").waitFor();
    await workbench.typeText("both, s and n");
    await workbench.press("Enter");
    await panel.locator(".kept-note").waitFor();
    await key("Enter", /^Confirmed /);
    await eventually(decisions, (lines) => lines.length === before + 1, "the decision");
    assert.equal(decisions().at(-1)!.note, "both, s and n");
    await press("i");
    const words = await eventually(
      () => panel.locator("#progress").innerText(),
      (text) => /since the last fine-tune/.test(text),
      "the progress",
    );
    assert.match(words, /69 of 190 flagged rows in this list are decided/);
    assert.match(words, /, 69 in all/);
    await workbench.screenshot("review-progress");
    await workbench.press("Escape");
    await press("i");
    await panel.locator("#progress").waitFor({ state: "detached" });
  });

  it("shows who said what where two people disagree, and settles it", async () => {
    const { workbench } = window;
    const mine = decisions().findLast(({ kind }) => kind === "confirmed")!;
    const other = Object.keys(LABELS).find((label) => label !== mine.after)!;
    // As a merge in git leaves the file: Ben has not seen the other decision.
    const { act: _, note: __, ...line } = mine;
    const his = { ...line, id: nextDecisionId(mine.id, Date.now()), who: "Ben", kind: "corrected", after: other };
    appendFileSync(file(), `${JSON.stringify({ ...his, note: "it was the other" })}\n`);
    await eventually(
      () => panel.locator("select[aria-label=Reason] option").allTextContents(),
      (options) => options.some((text) => text.startsWith("two people decided differently (1)")),
      "the conflict",
      30,
    );
    await chooseOption("Reason", "two people");
    await listed(/^1 of 1$/);
    await onScreen(mine.row);
    const said = await panel.locator(".conflict").innerText();
    for (const words of ["Ben", other, "it was the other", mine.who, mine.after!])
      assert.ok(said.includes(words), said);
    assert.deepEqual((await panel.locator(".choice .name").allInnerTexts()).slice(0, 2), [other, mine.after]);
    await workbench.screenshot("review-conflict");
    await key("2", /^(Confirmed|Corrected to) /);
    await eventually(
      () => decisions().at(-1)!,
      ({ replaces }) => replaces.length === 2,
      "the decision that settles it",
    );
    const settled = decisions().at(-1)!;
    assert.deepEqual([settled.row, settled.after], [mine.row, mine.after]);
    assert.deepEqual(new Set(settled.replaces), new Set([mine.id, his.id]));
    assert.ok(settled.reasons.includes("conflict"));
    assert.equal(flagged("--reason", "conflict").total, 0);
    await chooseOption("Reason", "any");
    await eventually(textOnScreen, (text) => ids.has(text), "a row");
  });

  it("shows another model's rows", async () => {
    await chooseOption("Model", "second");
    await eventually(textOnScreen, (text) => ids.has(text), "a row");
    await key("Enter", /^Confirmed /);
    await eventually(
      () => decisions().at(-1)!.prediction?.model,
      (model) => model === "second",
      "the model in the decision",
    );
    await press("Backspace");
    await chooseOption("Model", "baseline");
    await eventually(textOnScreen, (text) => ids.has(text), "a row");
  });

  it("has no serious accessibility issue, in three themes at three widths", async () => {
    const { workbench } = window;
    // What is decided has no rows alike any more.
    await forgetDecisions();
    await chooseOption("Confusion pair", PAIR[0]!);
    await panel.locator(".similar kbd").waitFor();
    await press("i");
    await panel.locator("#progress").waitFor();
    for (const [theme, name] of THEMES) {
      await workbench.setTheme(theme);
      await workbench.runCommand("Clf: Focus on Flagged View");
      // Colours of the theme before may stand for a moment.
      const accessible = (what: string) =>
        eventually(
          () => seriousIssues(panel),
          (found) => found.length === 0,
          `no serious issue in ${theme}: ${what}`,
          20,
        );
      for (const width of [300, 420, 700]) {
        await widenSideBar(workbench, width);
        await eventually(
          () => panel.locator("html").evaluate((root) => root.scrollWidth - root.clientWidth),
          (over) => over <= 1,
          `nothing beyond the edge at ${width}`,
        );
        await workbench.screenshot(`review-${name}-${width}`);
      }
      await accessible("a row, the progress");
      await panel.locator(".similar kbd").waitFor();
      await press("a");
      await panel.locator("#alike").waitFor();
      await accessible("rows that are alike");
      await workbench.screenshot(`review-${name}-alike`);
      await workbench.press("Escape");
      await press("/");
      await panel.locator(".picker input").waitFor();
      await accessible("choosing a label");
      await workbench.press("Escape");
    }
    await press("i");
    await panel.locator("#progress").waitFor({ state: "detached" });
  });
});

/** Draws the edge of the side bar, as a person does. */
async function widenSideBar({ page }: Workbench, width: number): Promise<void> {
  const box = (await page.locator(".part.sidebar").boundingBox())!;
  await page.mouse.move(box.x + box.width, 300);
  await page.mouse.down();
  await page.mouse.move(box.x + width, 300, { steps: 5 });
  await page.mouse.up();
  // Where it rests no tooltip opens.
  await page.mouse.move(1000, 500);
}
