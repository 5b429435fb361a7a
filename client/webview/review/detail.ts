/** One flagged row: its inputs, the likeliest labels with their probabilities, the label now, and why it is here. */
import type { Explanation, FlaggedItem, RowDetail } from "../../../schemas/protocol.ts";
import { h, s } from "../shared/dom.ts";
import { type Choice, setWords } from "./choices.ts";

/** Words that are underlined in the text. */
const WORDS = 8;

export interface DetailOptions {
  item: FlaggedItem;
  detail: RowDetail;
  choices: readonly Choice[];
  explanation: Explanation | null;
  /** In words, by reason. */
  reasons: Record<string, string>;
  several: boolean;
  choose: (number: number) => void;
}

export function drawDetail({ item, detail, choices, explanation, reasons, several, choose }: DetailOptions): Node[] {
  const { blind } = item;
  const relabel = item.reasons.includes("relabel");
  const view = detail.targets.find(({ target }) => target === item.target);
  const given = view?.given ?? item.given;
  const why = (view?.reasons.length ? view.reasons : item.reasons).map((reason) => reasons[reason] ?? reason);
  const others = detail.targets.filter(({ target }) => target !== item.target);
  return [
    ...detail.inputs.map((input, i) =>
      h(
        "p",
        { class: "input" },
        i > 0 && h("span", { class: "name" }, `${input.name}: `),
        ...words(input, blind ? null : explanation),
        input.cut && h("span", { class: "soft" }, " … (cut: open the row to read all of it)"),
      ),
    ),
    several && h("p", { class: "facts soft" }, item.target),
    blind &&
      h(
        "p",
        { class: "facts" },
        relabel
          ? "A random validation row, to be labelled again: its label and the prediction are hidden."
          : "An audit: judge this row by yourself, the prediction is hidden.",
      ),
    h(
      "ol",
      { class: "choices", "aria-label": `Labels of ${item.target}` },
      ...choices.map((choice, i) => row(choice, i + 1, choose)),
    ),
    view?.set && h("p", { class: "facts soft" }, setWords(view.set, choices)),
    choices.length === 0 &&
      h("p", { class: "facts" }, "The model gave no usable answer. Search for the right label with /."),
    h(
      "p",
      { class: "facts" },
      ...(given === null
        ? []
        : [h("span", { class: "soft" }, "label now: "), given, h("span", { class: "soft" }, " · ")]),
      h("span", { class: "soft" }, "why: "),
      why.join(", ") || "not accepted",
      h("span", { class: "soft" }, ` · ${item.split}`),
    ),
    others.length > 0 &&
      h(
        "p",
        { class: "facts soft" },
        others
          .map(({ target, given, predicted, decided }) => {
            const label = decided && decided !== "skipped" ? given : blind ? given : (given ?? predicted);
            return `${target}: ${label ?? "–"}`;
          })
          .join(" · "),
      ),
  ].filter((node) => node !== false && node != null);
}

function row({ label, confidence, inSet }: Choice, number: number, choose: (number: number) => void): HTMLElement {
  const spoken = `${confidence === null ? "" : `, ${Math.round(confidence * 100)} percent`}${inSet ? ", marked" : ""}`;
  return h(
    "li",
    {},
    h(
      "button",
      {
        class: inSet ? "choice marked" : "choice",
        type: "button",
        "aria-label": `${number}: ${label}${spoken}`,
        click: () => choose(number),
      },
      h("span", { class: "key" }, String(number)),
      h("span", { class: "name", title: label }, label),
      confidence === null ? h("span") : bar(confidence),
      h("span", { class: "share" }, confidence === null ? "" : confidence.toFixed(2).replace(/^0/, "")),
    ),
  );
}

function bar(share: number): SVGElement {
  return s(
    "svg",
    { class: "bar", viewBox: "0 0 100 9", preserveAspectRatio: "none", "aria-hidden": "true" },
    s("rect", { x: 0, y: 0, width: Math.max(0.5, 100 * share), height: 9, rx: 1 }),
  );
}

/** The text with the words underlined that spoke most for the label. */
function words(input: RowDetail["inputs"][number], explanation: Explanation | null): (Node | string)[] {
  const marks = (explanation?.words ?? [])
    .filter((word) => word.input === input.name && word.weight > 0 && word.end <= input.text.length)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, WORDS)
    .sort((a, b) => a.start - b.start);
  const parts: (Node | string)[] = [];
  let at = 0;
  for (const { start, end } of marks) {
    if (start < at) continue;
    parts.push(input.text.slice(at, start));
    parts.push(h("mark", { class: "word", title: `speaks for ${explanation!.label}` }, input.text.slice(start, end)));
    at = end;
  }
  parts.push(input.text.slice(at));
  return parts;
}
