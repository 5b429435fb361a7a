/** A report in a panel of the editor: what it shows comes from the extension, figures first. */
import { html, render } from "lit";
import type { Rounds } from "../../../schemas/report.ts";
import type { ReportDetail } from "../../../schemas/reportPanel.ts";
import { createAsking } from "../shared/ask.ts";
import { connectHost } from "../shared/vscode.ts";
import { keepChoices } from "./choices.ts";
import type { FromReport, ReportRequest, ReportState, ToReport } from "./messages.ts";
import { drawReport } from "./page.ts";
import { keepPlace } from "./place.ts";
import type { Surroundings } from "./surroundings.ts";

export function showPanel(root: HTMLElement): void {
  const host = connectHost<FromReport, ReportState>();
  const { ask, take } = createAsking<ReportRequest>((message) => host.postMessage(message));
  // What VS Code gives back after a reload, so that the extension knows which report this was.
  const state = JSON.parse(decodeURIComponent(root.dataset.state!)) as ReportState;
  host.setState(state);
  // The extension fills in which report is meant.
  const own = { project: state.project, job: state.job };
  let tellRounds!: (rounds: readonly Rounds[]) => void;
  const rounds = new Promise<readonly Rounds[]>((resolve) => {
    tellRounds = resolve;
  });
  let tellDetail!: (detail: ReportDetail) => void;
  let failDetail!: (error: Error) => void;
  const detail = new Promise<ReportDetail>((resolve, reject) => {
    tellDetail = resolve;
    failDetail = reject;
  });

  function show(message: Extract<ToReport, { type: "report" }>): void {
    // A window that is reloaded does not always keep what its webviews said last: the extension does.
    const kept = keepChoices(message.choices ?? {}, (choices) => host.postMessage({ type: "choices", choices }));
    const at: Surroundings = {
      kept,
      copy: (text) => host.postMessage({ type: "copy", text }),
      save: (name, format, content) =>
        void (format === "svg" ? content.text() : base64(content)).then((written) =>
          host.postMessage({ type: "save", name, format, content: written }),
        ),
      editor: {
        review: () => host.postMessage({ type: "run", command: "clf.review" }),
        openLog: () => host.postMessage({ type: "run", command: "clf.openLog" }),
        makeFewShot: (model) => host.postMessage({ type: "run", command: "clf.makeFewShot", model }),
        texts: async (rows) => (await ask("clf/report/rows", { ...own, rows: [...rows] })).rows,
        openRow: (row) => host.postMessage({ type: "open", row }),
        columns: async () => (await ask("clf/report/columns", own)).columns,
        slices: async (model, column) => (await ask("clf/report/slices", { ...own, model, column })).targets,
      },
    };
    keepPlace(kept, drawReport(root, message.report, rounds, detail, at));
  }

  addEventListener("message", ({ data }: MessageEvent<ToReport>) => {
    if (take(data)) return;
    switch (data.type) {
      case "report":
        return show(data);
      case "detail":
        return tellDetail(data.detail);
      case "noDetail":
        return failDetail(new Error(data.message));
      case "rounds":
        return tellRounds(data.rounds);
      case "gone":
        return void render(html`<p class="error" role="alert">${data.message}</p>`, root);
    }
  });
  render(html`<p class="soft">Loading…</p>`, root);
  host.postMessage({ type: "ready" });
}

async function base64(content: Blob): Promise<string> {
  const url = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(content);
  });
  return url.slice(url.indexOf(",") + 1);
}
