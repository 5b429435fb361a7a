/** The jobs of all projects, kept current by the server's notifications. */
import * as vscode from "vscode";
import type { JobView } from "../../../schemas/protocol.ts";
import type { Server } from "../server/server.ts";
import { isActive } from "./words.ts";

export interface JobList extends vscode.Disposable {
  /** Newest first. */
  all(): JobView[];
  find(key: string): JobView | undefined;
  /** The server has told all there are: a job that is not in the list is no more. */
  complete(): boolean;
  active(): JobView[];
  /** Which job changed; undefined: the list. */
  readonly onDidChange: vscode.Event<JobView | undefined>;
  /** A job has come to its end while this window was open; also one that was too quick to be seen running. */
  readonly onDidEnd: vscode.Event<JobView>;
}

export const keyOf = ({ project, job }: Pick<JobView, "project" | "job">): string => `${project}#${job}`;

export function createJobList(server: Server): JobList {
  let jobs = new Map<string, JobView>();
  let complete = false;
  const changed = new vscode.EventEmitter<JobView | undefined>();
  const ended = new vscode.EventEmitter<JobView>();

  const opened = Date.now();

  function take(job: JobView): void {
    const before = jobs.get(keyOf(job));
    jobs.set(keyOf(job), job);
    if (isActive(job)) return;
    const seen = before ? isActive(before) : complete && job.ended !== null && Date.parse(job.ended) >= opened;
    if (seen) ended.fire(job);
  }
  function changeList(): void {
    void vscode.commands.executeCommand("setContext", "clf.jobs", jobs.size);
    changed.fire(undefined);
  }
  async function load(): Promise<void> {
    const found = await server.request("clf/jobs/list", {});
    const before = jobs;
    jobs = new Map(found.map((job) => [keyOf(job), before.get(keyOf(job)) ?? job]));
    for (const job of found) take(job);
    complete = true;
    changeList();
  }

  const subscriptions = [
    // The server has logged what went wrong; the last list stands.
    server.onDidStart(() => void load().catch(() => {})),
    server.on("clf/jobs/changed", ({ job }) => {
      const known = jobs.has(keyOf(job));
      take(job);
      if (known) changed.fire(job);
      else changeList();
    }),
    server.on("clf/jobs/removed", (job) => {
      if (jobs.delete(keyOf(job))) changeList();
    }),
    changed,
    ended,
  ];
  return {
    all: () => [...jobs.values()].sort((a, b) => (a.created < b.created ? 1 : a.created > b.created ? -1 : 0)),
    find: (key) => jobs.get(key),
    complete: () => complete,
    active: () => [...jobs.values()].filter(isActive),
    onDidChange: changed.event,
    onDidEnd: ended.event,
    dispose: () => vscode.Disposable.from(...subscriptions).dispose(),
  };
}
