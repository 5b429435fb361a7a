/** The clf/* requests, answered in the workbench thread by the operations of workflow/. */
import { realpath, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import type * as z from "zod";
import type { requests } from "../../../schemas/protocol.ts";
import { createDuckDb } from "../dataset/duckdb.ts";
import { guessColumns } from "../dataset/guess.ts";
import { closingNotes } from "../engines/openai/lifecycle.ts";
import { configuredHosts } from "../jobs/hosts/ssh/config.ts";
import { isLoopback } from "../project/check.ts";
import { isInside } from "../project/paths.ts";
import { projectTemplate } from "../project/template.ts";
import { markAt } from "../project/yaml.ts";
import { ensureUnionMerge } from "../review/git-attributes.ts";
import { clfVersion, versions } from "../versions.ts";
import { modelSpec } from "../workflow/artifacts.ts";
import type { ProjectData } from "../workflow/data.ts";
import { writeFewShot } from "../workflow/few-shot.ts";
import type { JudgedRow, JudgedRows } from "../workflow/flagged.ts";
import { goOn, isOnTheWay, startWanted } from "../workflow/follow-up.ts";
import { addHost, checkHosts, hostNameOf, hostWords } from "../workflow/host-setup.ts";
import { readFileToPredict, writePredictions } from "../workflow/predict-file.ts";
import { preflight } from "../workflow/preflight.ts";
import type { JobRequest } from "../workflow/prepare.ts";
import { estimateCost, previewPrompt } from "../workflow/prompt-preview.ts";
import { reportToShow } from "../workflow/report.ts";
import { roundsOf } from "../workflow/rounds.ts";
import { rowsFormat } from "../workflow/rows-file.ts";
import { isJobOf, type Session, WorkflowError } from "../workflow/session.ts";
import { endpointsOf, modelsToFineTune } from "../workflow/start.ts";
import { indexByContent, inlineRows, type RowIndex } from "./inline.ts";
import type { JobPanelRequestName } from "./job-panel.ts";
import { jobView } from "./job-view.ts";
import { pathOf } from "./path-of.ts";
import type { PreviewRequestName } from "./preview.ts";
import type { Projects } from "./projects.ts";
import type { NotificationName, RequestName } from "./protocol.ts";
import type { ReportPanelRequestName } from "./report-panel.ts";
import type { ReviewRequestName } from "./review.ts";
import type { TryRequestName } from "./try-it.ts";
import { projectSummary, targetViews } from "./views.ts";

type Params<K extends RequestName> = z.output<(typeof requests)[K]["params"]>;
type Result<K extends RequestName> = z.input<(typeof requests)[K]["result"]>;
export type Handlers = { [K in RequestName]: (params: Params<K>, signal: AbortSignal) => Promise<Result<K>> };

export interface HandlerContext {
  projects: Projects;
  notify(name: NotificationName, params: unknown): void;
  /** Job folders changed by a request: look now. */
  nudge(project: string): void;
}

/** Above this many rows a person is asked before a job starts. */
const LARGE = 200_000;
/** Seconds of a job, as far as they can be estimated, after which a person is asked before it starts. */
const LONG = 600;
const DIAGNOSTIC_JOBS = 10;

export function createHandlers({
  projects,
  notify,
  nudge,
}: HandlerContext): Omit<
  Handlers,
  PreviewRequestName | JobPanelRequestName | ReviewRequestName | ReportPanelRequestName | TryRequestName
> {
  const sound = (uri: string) => projects.sound(pathOf(uri));

  function jobRequest(session: Session, params: Params<"clf/jobs/start">): JobRequest {
    for (const model of params.models) modelSpec(session, model);
    const { outOfFold, learningCurve, thenEvaluate } = params.options as Record<string, unknown>;
    const host = params.host ? { host: params.host } : {};
    return {
      kind: params.kind,
      models: params.models,
      ...host,
      ...(learningCurve === true ? { learningCurve: true } : {}),
      ...(thenEvaluate === true && params.kind === "fine-tune"
        ? { next: { kind: "evaluate", models: params.models, splits: ["pool"], ...host } }
        : {}),
      ...(outOfFold === true ? { outOfFold: true } : params.kind === "fine-tune" ? {} : { splits: ["pool"] }),
    };
  }

  /** Made once for each reading of predictions. */
  const indices = new WeakMap<JudgedRows, RowIndex>();

  return {
    "clf/projects": async () => Promise.all((await projects.all()).map(projectSummary)),

    "clf/newProject/guess": async ({ data }) => {
      const path = pathOf(data);
      const duckdb = createDuckDb({ folder: dirname(path) });
      try {
        const guess = await guessColumns(path, duckdb);
        const stem = basename(path).replace(/(\.[a-z0-9]+)?(\.gz)?$/i, "");
        const columns = guess.columns.map(({ labels: _, ...column }) => column);
        return { rows: guess.rows, columns, file: pathToFileURL(join(dirname(path), `${stem}.clf.yaml`)).href };
      } catch (error) {
        throw new WorkflowError(`${basename(path)} cannot be read: ${(error as Error).message.split("\n")[0]}`);
      } finally {
        await duckdb.close();
      }
    },

    "clf/newProject/write": async ({ data, file, inputs, targets, id }) => {
      const path = pathOf(data);
      const to = pathOf(file);
      const source = relative(dirname(to), path).replaceAll("\\", "/");
      if (source.startsWith(".."))
        throw new WorkflowError("The data must lie in the project file's folder or below it.");
      const text = projectTemplate({
        source,
        name: basename(to).replace(/\.clf\.ya?ml$/i, ""),
        inputs,
        targets: targets.map((column) => ({ column })),
        ...(id ? { id } : {}),
      });
      try {
        await writeFile(to, text, { flag: "wx" });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST")
          throw new WorkflowError(`${basename(to)} cannot be written: ${(error as Error).message}`);
        throw new WorkflowError(`${basename(to)} exists already. It was left as it is.`);
      }
      await ensureUnionMerge(dirname(to), ["reviews.jsonl"]).catch(() => []);
      notify("clf/projects/changed", {});
      return { project: pathToFileURL(to).href };
    },

    "clf/jobs/list": async ({ project }) => {
      const all = project === undefined ? await projects.all() : [await projects.get(pathOf(project))];
      const views = [];
      for (const { session, file } of all) {
        for (const id of (await session?.jobs.store.ids()) ?? []) {
          const snapshot = await session!.jobs.store.read(id).catch(() => null);
          if (snapshot && isJobOf(session!.project, snapshot.job)) views.push(jobView(snapshot, file, session!.jobs));
        }
      }
      return views;
    },

    "clf/jobs/preflight": async ({ project, kind, models, host, options }) => {
      const of = await sound(project);
      const { session } = of;
      const data = await of.data();
      const rows = Object.values(data.dataset.profile.splits).reduce((sum, count) => sum + count, 0);
      const missing = kind === "fine-tune" ? [] : await modelsToFineTune(session, data, models);
      const first = missing.length > 0 ? ` ${missing.join(", ")} will be fine-tuned first.` : "";
      const where = hostWords(session, models, host);
      const asking = await askingOf(session, data, kind, models);
      const takes = await preflight(session, data, jobRequest(session, { project, kind, models, host, options }));
      const long = takes !== null && (takes.seconds === null || takes.seconds > LONG);
      return {
        rows,
        seconds: takes?.seconds ?? null,
        cost: asking ? asking.cost : (takes?.dollars ?? null),
        // Nobody pays unasked, nor where it is not known what.
        confirm: rows > LARGE || long || asking !== null || where.remote,
        summary: `${kind} of ${models.join(", ")} on ${rows.toLocaleString("en-US")} rows, ${where.words}.${first}${takes ? ` ${takes.summary}` : ""}${asking?.words ?? ""}`,
      };
    },

    "clf/jobs/start": async (params, signal) => {
      const project = await sound(params.project);
      const { session } = project;
      const request = jobRequest(session, params);
      let job = await startWanted(session, await project.data(), request);
      nudge(project.file);
      // On the way to a fine-tune's own purpose nobody waits: whoever sees it succeed goes on.
      while (request.next === undefined && isOnTheWay(job)) {
        const { state } = await session.jobs.ended(job.id, { signal });
        if (state !== "succeeded")
          throw new WorkflowError(`Fine-tuning ${job.models[0]!.name} ${state}: see its log in the Jobs view.`);
        const next = await goOn(session, job.id, () => project.data());
        if (next === null) throw new WorkflowError(`What ${job.id} was for has not been started: see its log.`);
        job = (await session.jobs.store.read(next)).job;
        nudge(project.file);
      }
      return { job: job.id };
    },

    "clf/hosts/configured": () => configuredHosts(process.env.CLF_SSH_CONFIG),

    "clf/hosts/add": async ({ project, address, name = hostNameOf(address), price_per_hour }) => {
      const { file } = await projects.get(pathOf(project));
      await addHost(file, { name, address, price_per_hour });
      projects.changed([file]);
      notify("clf/projects/changed", {});
      return { name };
    },

    "clf/hosts/check": async ({ project, host }) => {
      const { session } = await sound(project);
      const [checked] = await checkHosts(session, [host]);
      const { address, checks } = checked!;
      return { host, address, checks };
    },

    "clf/jobs/cancel": async ({ project, job }) => {
      const { session, file } = await sound(project);
      await session.jobs.cancel(job);
      nudge(file);
      return {};
    },

    "clf/jobs/resume": async ({ project, job }) => {
      const { session, file } = await sound(project);
      await session.jobs.resume(job);
      nudge(file);
      return {};
    },

    "clf/jobs/delete": async ({ project, job }) => {
      const { session, file } = await sound(project);
      await session.jobs.remove(job);
      nudge(file);
      return {};
    },

    "clf/report": async ({ project, job }) => {
      const { session } = await sound(project);
      return reportToShow(session, job);
    },

    "clf/rounds": async ({ project, model }) => {
      const { session } = await sound(project);
      modelSpec(session, model);
      return roundsOf(session, model);
    },

    "clf/inline/hints": async ({ data, header, first, text }) => {
      const path = pathOf(data);
      for (const project of await projects.known()) {
        const { session } = project;
        if (!session || !isInside(session.project.folder, path)) continue;
        if (!(await project.files()).includes(await realpath(path).catch(() => path))) continue;
        const of = pathToFileURL(project.file).href;
        const judged = await project.judged(session.project.reviewModel);
        if ("why" in judged) return { project: of, model: null, rows: [] };
        const verdicts = await project.verdictsOn(judged);
        const index = indices.get(judged) ?? indexByContent(session.project, judged.rows.values());
        indices.set(judged, index);
        const view = (known: JudgedRow) => targetViews(session, judged, known, verdicts, true);
        return {
          project: of,
          model: judged.model,
          rows: inlineRows(session.project, index, view, { name: path, header, first, text }),
        };
      }
      return null;
    },

    "clf/predictFile": async ({ project, model, data, output }, signal) => {
      const { session } = await sound(project);
      const [from, to] = [pathOf(data), pathOf(output)];
      rowsFormat(to);
      if (from === to) throw new WorkflowError("The predictions would replace the data. Choose another file for them.");
      const { table, problems } = await readFileToPredict(session, from);
      const wrong = problems.find(({ severity }) => severity === "error");
      if (wrong) {
        const line = wrong.range ? `, line ${wrong.range.start.line + 1}` : "";
        throw new WorkflowError(`${basename(from)}${line}: ${wrong.message} Nothing was predicted.`);
      }
      return { rows: await writePredictions(session, model, table, to, signal) };
    },

    "clf/prompt": async ({ project, model, row }) => {
      const of = await sound(project);
      return previewPrompt(of.session, await of.data(), model, row);
    },

    "clf/fewShot": async ({ project, after }) => {
      const { session, file } = await sound(project);
      const model = await writeFewShot(session, after);
      projects.changed([file]);
      notify("clf/projects/changed", {});
      return { model };
    },

    "clf/diagnostics": async () => {
      const lines = [
        `Clf ${clfVersion()}`,
        ...Object.entries(versions()).map(([name, version]) => `${name}: ${version}`),
      ];
      for (const { file, loaded, session } of await projects.all()) {
        const { size } = await stat(file).catch(() => ({ size: 0 }));
        lines.push("", `${basename(file)}: ${size} bytes, ${session ? "valid" : "has errors"}`);
        for (const { code, severity, range } of loaded.problems)
          lines.push(`  ${severity} ${code}${range ? ` line ${range.start.line + 1}` : ""}`);
        for (const id of ((await session?.jobs.store.ids()) ?? []).slice(0, DIAGNOSTIC_JOBS)) {
          const snapshot = await session!.jobs.store.read(id).catch(() => null);
          lines.push(snapshot ? `  ${id}: ${snapshot.job.kind} ${snapshot.state}` : `  ${id}: cannot be read`);
        }
      }
      return lines.join("\n");
    },

    "clf/locate": async ({ project, path }) => {
      const { loaded } = await projects.get(pathOf(project));
      const range = markAt(loaded.document, path);
      return range ? { range } : null;
    },
  };
}

/** What asking endpoints costs, in words; null for models that ask none, or where the endpoint is this machine's own. */
async function askingOf(
  session: Session,
  data: ProjectData,
  kind: JobRequest["kind"],
  models: readonly string[],
): Promise<{ cost: number | null; words: string } | null> {
  const remote = endpointsOf(session, models).filter(({ base_url }) => !isLoopback(new URL(base_url).hostname));
  if (remote.length === 0) return null;
  const addresses = [...new Set(remote.map(({ base_url }) => new URL(base_url).host))].join(", ");
  if (kind === "fine-tune") {
    const notes = remote.flatMap((endpoint) => closingNotes(endpoint, "", true));
    return { cost: null, words: ` The rows are sent to ${addresses}, which charges for training. ${notes.join(" ")}` };
  }
  let cost: number | null = 0;
  const words: string[] = [];
  for (const model of models) {
    const estimate = await estimateCost(session, data, model, ["tune", "validation", "test", "pool"]);
    if (!estimate) continue;
    cost = cost === null || estimate.cost === null ? null : cost + estimate.cost;
    words.push(...estimate.notes);
  }
  const price = cost === null ? "the price is not known" : `about $${cost.toPrecision(2)} at most`;
  return { cost, words: ` Rows are sent to ${addresses}: ${price}. ${[...new Set(words)].join(" ")}` };
}
