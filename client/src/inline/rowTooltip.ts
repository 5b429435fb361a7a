/** The hover of a row: likeliest labels, why it is flagged, and the words that mattered. */
import * as vscode from "vscode";
import type { InlineRow, TargetView } from "../../../schemas/protocol.ts";
import type { Server } from "../server/server.ts";
import { decimal } from "./hintLabel.ts";
import { REASON } from "./reasons.ts";

const TOP = 5;
const WORDS = 6;

export async function rowTooltip(
  server: Server,
  project: string,
  { row, targets, trained, split }: InlineRow,
  token: vscode.CancellationToken,
): Promise<vscode.MarkdownString> {
  const text = new vscode.MarkdownString();
  if (trained) {
    text.appendText(
      "The model was trained on this row, so its confidence here would mean nothing. “Clf: Predict Rows”, rows trained on, gives one from a model that has not seen it.",
    );
    return text;
  }
  const words = await Promise.all(
    targets.map(({ target }) =>
      server
        .request("clf/rows/explain", { project, row, target }, { token })
        // An explanation is an extra: without it the rest still stands.
        .catch(() => null),
    ),
  );
  targets.forEach((target, i) => {
    if (i > 0) text.appendMarkdown("\n\n---\n\n");
    describe(text, target);
    const explanation = words[i];
    if (explanation && explanation.words.length > 0) {
      const strongest = [...explanation.words].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).slice(0, WORDS);
      const side = (sign: number) => strongest.filter(({ weight }) => weight * sign > 0).map(({ text }) => text);
      const against = explanation.against === null ? "" : ` (against ${explanation.against})`;
      line(text, `Words for ${explanation.label}${against}`, side(1).join(", "));
      line(text, "Words against", side(-1).join(", "));
    }
  });
  text.appendMarkdown("\n\n");
  text.appendText(
    split === "train" || split === "tune" ? "Out of fold: by a model that has not seen this row." : `A ${split} row.`,
  );
  return text;
}

function describe(text: vscode.MarkdownString, target: TargetView): void {
  text.appendMarkdown("**");
  text.appendText(target.target);
  text.appendMarkdown("**\n\n");
  for (const [label, probability] of target.top.slice(0, TOP)) {
    text.appendMarkdown("- ");
    text.appendText(`${decimal(probability)}  ${label}`);
    text.appendMarkdown("\n");
  }
  if (target.blind) text.appendText("Drawn for the audit: it is judged without seeing what the model says.");
  else if (target.top.length === 0) text.appendText("The model gave no usable answer.");
  const state = target.decided
    ? `decided: ${target.decided === "none" ? "none of these labels" : target.decided}`
    : target.accepted
      ? "accepted: goes straight through"
      : target.reasons.length > 0
        ? "flagged: waits for a person"
        : "not accepted";
  line(text, "State", state);
  line(text, "Why", target.reasons.map((reason) => REASON[reason]).join(", "));
  line(text, "Label now", target.given ?? "");
}

function line(text: vscode.MarkdownString, name: string, value: string): void {
  if (value === "") return;
  text.appendMarkdown("\n\n");
  // Names of labels are a part of some names: text, as what a label says is not markup.
  text.appendText(`${name}: ${value}`);
}
