/** The rows of one cell of the confusion matrix: which they are, how sure the model was, and their text where it can be asked for. */
import { html, nothing, render } from "lit";
import { CONFIDENCE_UNIT, type ReportedRows } from "../../../schemas/reportPanel.ts";
import { messageOf } from "../shared/errors.ts";
import { percent, whole } from "../shared/numbers.ts";
import { NO_ANSWER } from "./matrix.ts";
import type { Surroundings } from "./surroundings.ts";
import { table } from "./table.ts";
import { type Cell, words } from "./words.ts";

export interface RowList {
  element: HTMLElement;
  show(given: number, predicted: number): void;
}

/** Rows whose text is asked for. */
const MOST = 100;

/** @param ids of the report's rows */
export function rowList(
  reported: ReportedRows,
  labels: readonly string[],
  ids: readonly string[],
  name: string,
  at: Surroundings,
): RowList {
  const element = document.createElement("section");
  element.className = "rows";
  element.hidden = true;
  element.tabIndex = -1;
  const { editor } = at;
  let showing = 0;

  async function show(given: number, predicted: number): Promise<void> {
    const mine = ++showing;
    const found = reported.given.flatMap((label, i) =>
      label === given && reported.predicted[i] === predicted
        ? [
            {
              id: reported.rows ? ids[reported.rows[i]!]! : null,
              confidence: reported.confidence[i]! / CONFIDENCE_UNIT,
            },
          ]
        : [],
    );
    // The most confident first: of the wrong ones those say most.
    found.sort((a, b) => b.confidence - a.confidence);
    const title = `“${labels[given]}” predicted as “${predicted < 0 ? NO_ANSWER : labels[predicted]}”: ${whole(found.length)} ${found.length === 1 ? "row" : "rows"}`;
    element.hidden = false;
    element.setAttribute("aria-label", title);
    if (!reported.rows) {
      draw(
        title,
        html`<p class="soft">Its rows are rows that were trained on: they may be drawn for blind judgement, so they are not shown here.</p>`,
      );
      return;
    }
    const shown = found.slice(0, MOST).map(({ id, confidence }) => ({ id: id!, confidence }));
    const texts = new Map<string, string>();
    const listed = () => {
      const head = ["row", "confidence", ...(editor ? ["text"] : [])];
      const rows = shown.map(({ id, confidence }): Cell[] => [
        words(id),
        { text: percent(confidence), sort: confidence },
        ...(editor ? [words(texts.get(id) ?? "…")] : []),
      ]);
      const opened =
        editor &&
        (([id]: readonly Cell[]) =>
          html`<button type="button" class="link" title="Open in its file" @click=${() => editor.openRow(id!.text)}>${id!.text}</button>`);
      return table(
        {
          caption: title,
          head,
          rows,
          prose: [2],
          key: `rows ${name} ${given} ${predicted}`,
          ...(opened ? { heading: opened } : {}),
        },
        at,
      );
    };
    const more = found.length > MOST ? html`<p class="soft">The ${MOST} that it was surest of.</p>` : nothing;
    draw(title, html`${listed()}${more}`);
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: "nearest" });
    if (!editor || shown.length === 0) return;
    try {
      for (const { row, text } of await editor.texts(shown.map(({ id }) => id))) texts.set(row, text);
      if (mine === showing) draw(title, html`${listed()}${more}`);
    } catch (error) {
      if (mine === showing) draw(title, html`<p class="error">${messageOf(error)}</p>`);
    }
  }

  function draw(title: string, content: unknown): void {
    render(
      html`<button type="button" class="close" aria-label="Close: ${title}" @click=${() => close()}>×</button>${content}`,
      element,
    );
  }
  function close(): void {
    element.hidden = true;
    element.previousElementSibling?.querySelector("canvas")?.focus();
  }
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    close();
    event.stopPropagation();
  });
  return { element, show: (given, predicted) => void show(given, predicted) };
}
