/** A host that costs money and has nothing to do: said once, some time after its last job. */
import * as vscode from "vscode";
import type { JobView } from "../../../schemas/protocol.ts";
import type { JobList } from "../jobs/jobList.ts";

/** Minutes after a host's last job. */
const IDLE = 15;

export function warnOfIdleHosts(jobs: JobList): vscode.Disposable {
  const timers = new Map<string, NodeJS.Timeout>();
  const busy = (host: string) => jobs.active().some((job) => job.host === host);

  function ended(job: JobView): void {
    // A price makes a cost: where there is none, idling costs nothing that Clf knows of.
    if (job.cost === null || busy(job.host)) return;
    clearTimeout(timers.get(job.host));
    timers.set(
      job.host,
      setTimeout(() => {
        timers.delete(job.host);
        if (busy(job.host)) return;
        void vscode.window.showWarningMessage(
          `${job.host} has had no job from this window for ${IDLE} minutes, and costs money as long as it runs. Stop the instance if you need it no more: Clf never does.`,
        );
      }, IDLE * 60_000),
    );
  }

  return vscode.Disposable.from(jobs.onDidEnd(ended), {
    dispose() {
      for (const timer of timers.values()) clearTimeout(timer);
    },
  });
}
