/**
 * The workbench thread: the clf/* requests and everything behind them (data, jobs, judged rows), so that nothing of it can
 * delay an answer to a keystroke. The server's main thread passes requests on and notifications back.
 */
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { parentPort } from "node:worker_threads";
import { JobError } from "../jobs/store.ts";
import { neededJobs } from "../workflow/artifacts.ts";
import { goOn, goOnWithAll } from "../workflow/follow-up.ts";
import { WorkflowError } from "../workflow/session.ts";
import { createHandlers, type Handlers } from "./handlers.ts";
import { jobPanelHandlers } from "./job-panel.ts";
import { createPreviews } from "./preview.ts";
import { type OpenProject, openProjects } from "./projects.ts";
import type { FromWorkbench, NotificationName, RequestName, ToWorkbench } from "./protocol.ts";
import { reportPanelHandlers } from "./report-panel.ts";
import { createReviewHandlers } from "./review.ts";
import { tryHandlers } from "./try-it.ts";
import { modelFigures } from "./views.ts";
import { type JobWatch, watchJobs } from "./watch-jobs.ts";

const port = parentPort!;
const send = (message: FromWorkbench): void => port.postMessage(message);
const log = (message: string): void => send({ do: "log", message });

/** What runs or writes something. Everything else only reads, and is answered in a workspace that nobody has trusted too. */
const NEEDS_TRUST: ReadonlySet<RequestName> = new Set([
  "clf/predictFile",
  "clf/newProject/write",
  "clf/jobs/start",
  "clf/jobs/cancel",
  "clf/jobs/resume",
  "clf/jobs/delete",
  "clf/hosts/add",
  "clf/hosts/check",
  "clf/review/decide",
  "clf/review/decideTogether",
  "clf/review/undo",
  "clf/rows/explain",
  "clf/predict",
  "clf/fewShot",
]);

let trusted = false;
let keep = 20;
/** The workspace's folders as they were last told. */
let configured: string | undefined;
const watches = new Map<string, JobWatch>();
const running = new Map<number, AbortController>();
/** Keys that the editor has been asked for, by the question's number. */
const wishes = new Map<number, (value: string | null) => void>();
let nextWish = 0;

const projects = openProjects({
  onOpen: (project) => void follow(project).catch((error) => log(String(error))),
  onGone: (file) => {
    watches.get(file)?.leave();
    watches.delete(file);
  },
  trusted: () => trusted,
  onHostWord: (file) => watches.get(file)?.nudge(),
  keyOf: ({ name, origin, project }) =>
    new Promise((resolve) => {
      const id = ++nextWish;
      wishes.set(id, resolve);
      send({ do: "secret", id, wish: { name, origin, project: pathToFileURL(project).href } });
    }),
});

/** Re-attaches to the project's jobs, and tells of them from now on. */
async function follow(opened: OpenProject): Promise<void> {
  const { file, session } = opened;
  watches.get(file)?.close();
  watches.delete(file);
  // A folder to watch is made where there is none: not in an untrusted workspace.
  if (!session || (!trusted && !existsSync(session.jobs.store.root))) return;
  const project = pathToFileURL(file).href;
  watches.set(
    file,
    watchJobs(session, {
      onChange: (job) => send({ do: "notify", name: "clf/jobs/changed", params: { job } }),
      onRemoved: (job) => send({ do: "notify", name: "clf/jobs/removed", params: { project, job } }),
      onEnd: ({ job }) => {
        if (trusted) void goOn(session, job, () => opened.data()).catch((error) => log(`${job}: ${String(error)}`));
        projects.forgetJudged(file);
        send({ do: "figuresChanged", project: file });
        send({ do: "notify", name: "clf/projects/changed", params: {} });
        send({ do: "notify", name: "clf/flagged/changed", params: { project } });
        void neededJobs(session)
          .then((needed) => session.jobs.retain({ keep }, needed))
          .catch((error) => log(String(error)));
      },
      log,
    }),
  );
  // Looking after jobs (restarting a launch, escalating a cancel) is running something: not in an untrusted workspace.
  if (!trusted) return;
  await session.jobs.start();
  await goOnWithAll(session, () => opened.data(), log);
}

const notify = (name: NotificationName, params: unknown): void => send({ do: "notify", name, params });
const previews = createPreviews({ projects, notify });
const handlers: Handlers = {
  ...createHandlers({ projects, notify, nudge: (file) => watches.get(file)?.nudge() }),
  ...createReviewHandlers({ projects, notify }),
  ...previews.handlers,
  ...jobPanelHandlers(projects),
  ...tryHandlers(projects, log),
  ...reportPanelHandlers(projects),
};

async function changed(paths: readonly string[]): Promise<void> {
  const concerned = await projects.changed(paths);
  if (concerned.length > 0) notify("clf/projects/changed", {});
  // Rows or what others said of them: a git merge, say.
  for (const file of concerned) notify("clf/flagged/changed", { project: pathToFileURL(file).href });
}

async function answer(message: Extract<ToWorkbench, { do: "request" | "figures" }>): Promise<void> {
  const abort = new AbortController();
  running.set(message.id, abort);
  try {
    if (message.do === "request" && NEEDS_TRUST.has(message.name) && !trusted) {
      throw new WorkflowError(
        "This workspace is not trusted: files are checked, nothing is run or written. Trust it first.",
      );
    }
    const result =
      message.do === "figures"
        ? await modelFigures(await projects.get(message.project))
        : await (handlers[message.name] as (params: unknown, signal: AbortSignal) => Promise<unknown>)(
            message.params,
            abort.signal,
          );
    send({ do: "answer", id: message.id, ok: true, result });
  } catch (error) {
    const person = error instanceof WorkflowError || error instanceof JobError;
    const text = error instanceof Error ? (person ? error.message : (error.stack ?? error.message)) : String(error);
    send({ do: "answer", id: message.id, ok: false, message: text, person });
  } finally {
    running.delete(message.id);
  }
}

port.on("message", async (message: ToWorkbench) => {
  switch (message.do) {
    case "configure": {
      // At the first time nothing has been read without trust.
      const newlyTrusted = configured !== undefined && message.trusted && !trusted;
      trusted = message.trusted;
      keep = message.keep;
      const folders = JSON.stringify(message.folders);
      const other = configured !== undefined && configured !== folders;
      configured = folders;
      projects.configure(message.folders);
      previews.forgetProjects();
      const all = await projects.all().catch(() => []);
      if (other) send({ do: "notify", name: "clf/projects/changed", params: {} });
      if (newlyTrusted) {
        projects.trust();
        for (const project of all) void follow(project).catch((error) => log(String(error)));
      }
      break;
    }
    case "changed":
      previews.forgetProjects();
      await changed(message.paths);
      break;
    case "cancel":
      running.get(message.id)?.abort();
      break;
    case "secret":
      wishes.get(message.id)?.(message.value);
      wishes.delete(message.id);
      break;
    default:
      await answer(message);
  }
});
