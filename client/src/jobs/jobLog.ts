/** A job's log as a read-only document that grows while the job runs. */
import * as vscode from "vscode";
import type { JobView } from "../../../schemas/protocol.ts";
import type { Server } from "../server/server.ts";
import { type JobList, keyOf } from "./jobList.ts";
import { nameOf } from "./words.ts";

const SCHEME = "clf-log";
/** Characters kept: an editor is no place for more, and the file itself has all of it. */
const MOST = 4_000_000;

export interface JobLog extends vscode.Disposable {
  open(job: JobView): Promise<void>;
}

interface OpenLog {
  project: string;
  job: string;
  attempt: number | undefined;
  text: string;
  offset: number;
  reading: Promise<void> | undefined;
}

export function createJobLog(server: Server, jobs: JobList): JobLog {
  const logs = new Map<string, OpenLog>();
  const changed = new vscode.EventEmitter<vscode.Uri>();

  function uriOf({ project, job, models }: Pick<JobView, "project" | "job" | "models">): vscode.Uri {
    return vscode.Uri.from({
      scheme: SCHEME,
      path: `/${nameOf({ models })} ${job}.log`,
      query: JSON.stringify({ project, job }),
    });
  }
  function logOf(uri: vscode.Uri): OpenLog {
    const found = logs.get(uri.toString());
    if (found) return found;
    const { project, job } = JSON.parse(uri.query) as { project: string; job: string };
    const made: OpenLog = { project, job, attempt: undefined, text: "", offset: 0, reading: undefined };
    logs.set(uri.toString(), made);
    return made;
  }

  /** Reads what is new; a read that is under way is waited for. */
  function readOn(log: OpenLog): Promise<void> {
    log.reading ??= (async () => {
      try {
        for (;;) {
          const { project, job, offset } = log;
          const more = await server.request("clf/jobs/log", { project, job, offset });
          if (log.attempt !== undefined && more.attempt !== log.attempt) {
            // A resumed job: its newest attempt's log, from the beginning.
            Object.assign(log, { attempt: more.attempt, text: "", offset: 0 });
            continue;
          }
          log.attempt = more.attempt;
          log.offset = more.offset;
          log.text = (log.text + more.text).slice(-MOST);
          if (more.text === "") return;
        }
      } finally {
        log.reading = undefined;
      }
    })();
    return log.reading;
  }

  const subscriptions = [
    changed,
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
      onDidChange: changed.event,
      async provideTextDocumentContent(uri) {
        const log = logOf(uri);
        await readOn(log);
        return log.text || "The log is empty so far.\n";
      },
    }),
    jobs.onDidChange((job) => {
      if (!job) return;
      const uri = uriOf(job);
      if (logs.has(uri.toString())) changed.fire(uri);
    }),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => logs.delete(uri.toString())),
  ];
  return {
    async open(job) {
      const document = await vscode.workspace.openTextDocument(uriOf(jobs.find(keyOf(job)) ?? job));
      await vscode.languages.setTextDocumentLanguage(document, "log");
      const editor = await vscode.window.showTextDocument(document, { preview: true });
      const end = new vscode.Position(document.lineCount - 1, 0);
      editor.revealRange(new vscode.Range(end, end));
    },
    dispose: () => vscode.Disposable.from(...subscriptions).dispose(),
  };
}
