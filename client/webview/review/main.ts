/** The Flagged panel: what the extension tells it, where the keyboard is, and the first drawing. */
import { act } from "./act.ts";
import { host, take } from "./ask.ts";
import { forgetTrail } from "./decide.ts";
import { isPressed, isTyped, takesKeys } from "./keys.ts";
import type { ToReview } from "./messages.ts";
import { draw, drawNow, onDraw, pages, panel } from "./panel.ts";
import { loadProgress } from "./progress.ts";
import { changed, load, loadPages, onShow } from "./queue.ts";
import { forgetRows } from "./rowOnScreen.ts";
import { inView, showIndex } from "./rows.ts";
import { START } from "./state.ts";
import { close, drawPanel } from "./view.ts";

addEventListener("message", ({ data }: MessageEvent<ToReview>) => {
  if (take(data)) return;
  if (data.type === "projects") takeProjects(data);
  else if (data.type === "action") act(data.action);
  else if (data.type === "keys") takeKeys(data.active);
  else if (data.type === "changed" && data.project === panel.project) changed();
});

function takeProjects({ project, projects, reasons, state }: Extract<ToReview, { type: "projects" }>): void {
  Object.assign(panel, { projects, reasons });
  if (project === panel.project && panel.list) {
    draw();
    return;
  }
  forgetTrail();
  forgetRows();
  pages.clear();
  Object.assign(panel, { project, state: { ...START, ...state }, list: undefined, shown: undefined, open: null });
  draw();
  void load();
}

// ── Focus and keys ──────────────────────────────────────────────────────────────────────────────────────────────────

let told = "";
/** When `clf.…` keybindings apply: the panel has the keyboard, and no part of it takes letters for itself. */
function tellFocus(): void {
  const focus = { focused: document.hasFocus(), typing: takesKeys(document.activeElement) };
  const words = JSON.stringify(focus);
  if (words === told) return;
  told = words;
  takeKeys(false);
  host.postMessage({ type: "focus", ...focus });
}
/** Until VS Code knows of it a key would be lost, or be taken for another: the keys on the buttons are dimmed. */
function takeKeys(keys: boolean): void {
  document.body.classList.toggle("no-keys", !keys);
}
for (const event of ["focus", "blur", "focusin", "focusout"]) addEventListener(event, tellFocus);

// On the document: VS Code listens on the window, one step further up.
document.addEventListener("keydown", (event) => {
  const element = document.activeElement;
  // A focused button or drop-down takes the keys that work it; VS Code must not take them for a decision as well.
  if (isPressed(element, event) || (element instanceof HTMLSelectElement && isTyped(event))) event.stopPropagation();
  if (event.key === "Escape" && element?.closest("select, .progress, .detail")) {
    const rows = document.getElementById("rows");
    if (panel.open !== null) close();
    else if (rows) rows.focus();
    else if (element instanceof HTMLElement) element.blur();
  }
  // Arrows move through rows; they do not scroll the list as well.
  if (element?.id === "rows" && (event.key === "ArrowDown" || event.key === "ArrowUp")) event.preventDefault();
});

// ── Start ───────────────────────────────────────────────────────────────────────────────────────────────────────────

onDraw(() => {
  drawPanel();
  followProgress();
});
onShow({
  show: (index) => {
    drawNow();
    showIndex(index);
  },
  inView: () => inView(pages.total),
});

/** The progress is counted again when the list has changed. */
let counted: unknown;
function followProgress(): void {
  if (counted === panel.list) return;
  counted = panel.list;
  void loadProgress();
}

let width = 0;
let height = 0;
new ResizeObserver(([entry]) => {
  const box = entry!.contentRect;
  if (box.width === width && box.height === height) return;
  ({ width, height } = box);
  draw();
  const { from, to } = inView(pages.total);
  void loadPages(from, to);
}).observe(document.getElementById("root")!);

const kept = host.getState();
if (kept) panel.state = { ...START, ...kept.state };
drawNow();
tellFocus();
host.postMessage({ type: "ready" });
