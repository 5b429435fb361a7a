/** The Jobs view: jobs by day, newest first, live. A changed job redraws its own row, so the view keeps its place. */
import * as vscode from "vscode";
import type { JobView } from "../../../schemas/protocol.ts";
import type { Projects } from "../projects/projects.ts";
import { type JobList, keyOf } from "./jobList.ts";
import {
  agoOf,
  bytes,
  dollars,
  doneShare,
  duration,
  facts,
  isActive,
  KIND,
  nameOf,
  percent,
  spoken,
  tookSeconds,
} from "./words.ts";

/** A day, or a job by its key: the same object as long as it is in the list, as VS Code tells rows apart by identity. */
export type JobNode = { day: string } | { key: string };

export interface JobsView extends vscode.Disposable {
  /** Shows the view, and a job in it. */
  show(job?: JobView): Promise<void>;
}

export function createJobsView(jobs: JobList, projects: Projects): JobsView {
  const nodes = new Map<string, JobNode>();
  const changed = new vscode.EventEmitter<JobNode | undefined>();
  const node = (id: string, made: JobNode) => {
    const found = nodes.get(id) ?? made;
    nodes.set(id, found);
    return found;
  };
  const dayNode = (job: JobView) => node(`day:${dayOf(job)}`, { day: dayOf(job) });
  const jobNode = (job: JobView) => node(keyOf(job), { key: keyOf(job) });

  const provider: vscode.TreeDataProvider<JobNode> = {
    onDidChangeTreeData: changed.event,
    getChildren(parent) {
      const all = jobs.all();
      if (!parent) return [...new Set(all.map(dayNode))];
      return "day" in parent ? all.filter((job) => dayOf(job) === parent.day).map(jobNode) : [];
    },
    getParent(child) {
      const job = "key" in child ? jobs.find(child.key) : undefined;
      return job && dayNode(job);
    },
    getTreeItem(element) {
      if ("day" in element) return dayItem(element.day);
      const job = jobs.find(element.key);
      return job ? jobItem(job, projects) : new vscode.TreeItem("");
    },
  };
  const view = vscode.window.createTreeView("clf.jobs", { treeDataProvider: provider, showCollapseAll: false });

  function mark(): void {
    const running = jobs.active().length;
    view.badge = running > 0 ? { value: running, tooltip: `${running} running` } : undefined;
  }
  const subscriptions = [
    view,
    changed,
    jobs.onDidChange((job) => {
      changed.fire(job && nodes.get(keyOf(job)));
      mark();
    }),
    // A project's name is part of a row when there are several.
    projects.onDidChange(() => changed.fire(undefined)),
  ];
  return {
    async show(job) {
      await vscode.commands.executeCommand("clf.jobs.focus");
      if (job) await view.reveal(jobNode(job), { select: true, focus: true });
    },
    dispose: () => vscode.Disposable.from(...subscriptions).dispose(),
  };
}

/** The calendar day here, "2026-11-21". */
function dayOf({ created }: JobView): string {
  const date = new Date(created);
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
}

function dayItem(day: string): vscode.TreeItem {
  const today = dayOf({ created: new Date().toISOString() } as JobView);
  const yesterday = dayOf({ created: new Date(Date.now() - 86_400_000).toISOString() } as JobView);
  const [year, month, date] = day.split("-").map(Number);
  const written = new Date(year!, month! - 1, date!).toLocaleDateString(vscode.env.language, {
    weekday: "short",
    day: "numeric",
    month: "long",
    year: "numeric",
  });
  const label = day === today ? "Today" : day === yesterday ? "Yesterday" : written;
  const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState.Expanded);
  item.id = `day:${day}`;
  item.contextValue = "day";
  return item;
}

const icon = (name: string, colour?: string) =>
  new vscode.ThemeIcon(name, colour === undefined ? undefined : new vscode.ThemeColor(colour));

export const STATE_ICON: Record<JobView["state"], vscode.ThemeIcon> = {
  preparing: icon("loading~spin"),
  queued: icon("clock"),
  running: icon("sync~spin"),
  succeeded: icon("pass", "testing.iconPassed"),
  failed: icon("error", "testing.iconFailed"),
  cancelled: icon("circle-slash", "disabledForeground"),
  lost: icon("question", "problemsWarningIcon.foreground"),
};

const NOT_REACHED = icon("debug-disconnect", "problemsWarningIcon.foreground");

function jobItem(job: JobView, projects: Projects): vscode.TreeItem {
  const item = new vscode.TreeItem(nameOf(job), vscode.TreeItemCollapsibleState.None);
  item.id = keyOf(job);
  const several = projects.known().length > 1;
  item.description = [...facts(job), ...(several ? [projects.title(job.project)] : [])].join(" · ");
  // The connection is shown apart from the state: the job goes on whether its host is reached or not.
  item.iconPath = job.connection === null ? STATE_ICON[job.state] : NOT_REACHED;
  item.tooltip = tooltip(job, projects);
  item.accessibilityInformation = { label: spoken(job), role: "treeitem" };
  const can = Object.entries(job.can).flatMap(([action, allowed]) => (allowed ? [action] : []));
  item.contextValue = ["job", ...can].join(" ");
  const command = job.can.report ? "clf.openReport" : "clf.showJob";
  item.command = { command, title: job.can.report ? "Open Report" : "Show Job", arguments: [{ key: keyOf(job) }] };
  return item;
}

function tooltip(job: JobView, projects: Projects): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  const line = (name: string, value: string | undefined) => {
    if (value === undefined) return;
    text.appendMarkdown(`\n\n${name}: `);
    text.appendText(value);
  };
  text.appendMarkdown("**");
  text.appendText(nameOf(job));
  text.appendMarkdown("** ");
  text.appendText(`${KIND[job.kind]}, ${job.state}`);
  const share = doneShare(job);
  if (isActive(job) && job.progress) {
    const left = job.progress.left === undefined ? "" : `, ${duration(job.progress.left)} left`;
    line("Now", `${job.progress.step}${share === undefined ? "" : ` ${percent(share)}`}${left}`);
  }
  line(job.state === "failed" || job.state === "lost" ? "Why" : "Says", job.message ?? undefined);
  if (job.metric) line(job.metric.name, job.metric.value.toPrecision(4));
  line("Project", projects.title(job.project));
  line("Host", job.host);
  line("Connection", job.connection ?? undefined);
  line("Started", `${new Date(job.created).toLocaleString()} (${agoOf(job.created)})`);
  const took = tookSeconds(job);
  line("Took", took === undefined ? undefined : duration(took));
  line("Cost", job.cost === null ? undefined : dollars(job.cost));
  line("On disk", job.bytes === null ? undefined : bytes(job.bytes));
  if (job.attempt > 1) line("Attempt", String(job.attempt));
  line("Job", job.job);
  return text;
}
