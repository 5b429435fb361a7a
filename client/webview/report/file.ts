/** A report as a file in a browser: everything is in the file, and nothing is asked of anybody. */
import type { Report, Rounds } from "../../../schemas/report.ts";
import type { ReportDetail } from "../../../schemas/reportPanel.ts";
import { type Choices, keepChoices } from "./choices.ts";
import { drawReport } from "./page.ts";
import { keepPlace } from "./place.ts";

/** What the file holds. */
export interface FileData {
  report: Report;
  rounds: Rounds[];
  /** Null where the job's predictions cannot be read any more; then why. */
  detail: ReportDetail | null;
  missing: string | null;
}

export function showFile(root: HTMLElement, { report, rounds, detail, missing }: FileData): void {
  const kept = keepChoices((history.state as Choices | null) ?? {}, (choices) => history.replaceState(choices, ""));
  const known = detail ? Promise.resolve(detail) : Promise.reject(new Error(missing ?? ""));
  const drawn = drawReport(root, report, Promise.resolve(rounds), known, { kept, copy, save, editor: null });
  keepPlace(kept, drawn);
}

function copy(text: string): void {
  void navigator.clipboard.writeText(text);
}

function save(name: string, format: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = `${name}.${format}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
