/** What a model says of a text that a person types, and the training rows that are most like it. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type * as z from "zod";
import type { NearestRow, TriedTarget, tryRequests } from "../../../schemas/tryIt.ts";
import { POOL, rowId, rowInputs, rowLabel, SPLITS } from "../dataset/rows.ts";
import { EngineError } from "../engines/engine.ts";
import { decisionOf, verdictOf } from "../review/fold.ts";
import { modelSpec } from "../workflow/artifacts.ts";
import { WorkflowError } from "../workflow/error.ts";
import { predictRows } from "../workflow/predict.ts";
import { openServedModel, type ServedModel } from "../workflow/served-model.ts";
import type { Session } from "../workflow/session.ts";
import { similarityOfRows } from "../workflow/similar.ts";
import { pathOf } from "./path-of.ts";
import type { Projects } from "./projects.ts";
import { placeOf } from "./views.ts";

export type TryRequestName = keyof typeof tryRequests;
type Params<K extends TryRequestName> = z.output<(typeof tryRequests)[K]["params"]>;
type Result<K extends TryRequestName> = z.input<(typeof tryRequests)[K]["result"]>;
export type TryHandlers = {
  [K in TryRequestName]: (params: Params<K>, signal: AbortSignal) => Promise<Result<K>>;
};

/** Cosine from which a row is like another at all. */
const SIMILAR = 0.03;
const SHOWN_TEXT = 300;

export function tryHandlers(projects: Projects, log: (message: string) => void): TryHandlers {
  return {
    "clf/predict": async ({ project, model, inputs }, signal) => {
      const { session } = await projects.sound(pathOf(project));
      // Keys come quicker than answers where much is to do: what is no longer wanted is not begun.
      await nextTurn();
      signal.throwIfAborted();
      if (modelSpec(session, model).engine !== "linear") {
        return { targets: await askEngine(session, model, inputs, { signal, log }) };
      }
      const [row] = await predictRows(session, model, [inputs]);
      return { targets: row! };
    },

    "clf/try/nearest": async ({ project, inputs, most }, signal) => {
      const of = await projects.sound(pathOf(project));
      const { session } = of;
      const { dataset, verdicts } = await of.data();
      const { rows } = dataset;
      const { similarity, rows: compared } = await similarityOfRows(rows);
      signal.throwIfAborted();
      const labelsOf = (at: number): NearestRow["labels"] =>
        rows.targets.map(({ name }, t) => {
          const decision = decisionOf(verdictOf(verdicts, rowId(rows, at), name));
          const label = decision ? decision.after : rowLabel(rows, t, at);
          return { target: name, label, decided: decision !== undefined };
        });
      const texts = session.project.inputs.map(({ name }) => inputs[name] ?? "");
      const found = similarity.like(texts, { most, least: SIMILAR, among: (at) => rows.split[compared[at]!] !== POOL });
      return {
        rows: found.map(({ at, similarity: close }): NearestRow => {
          const row = compared[at]!;
          const text = Object.values(rowInputs(session.project, rows, row)).join(" · ");
          return {
            row: rowId(rows, row),
            split: SPLITS[rows.split[row]!]!,
            text: text.length > SHOWN_TEXT ? `${text.slice(0, SHOWN_TEXT)}…` : text,
            labels: labelsOf(row),
            similarity: close,
            place: placeOf(rows, row),
          };
        }),
      };
    },
  };
}

/** Milliseconds without a question after which a model leaves the memory. */
const IDLE = 600_000;

/** The model that a worker keeps loaded. One at a time: they are large. */
let kept: { model: ServedModel; idle?: NodeJS.Timeout } | undefined;

/** Asks a model that is not in memory; it has to have been evaluated. */
async function askEngine(
  session: Session,
  model: string,
  inputs: Record<string, string>,
  { signal, log }: { signal: AbortSignal; log(message: string): void },
): Promise<TriedTarget[]> {
  const served = await keptModel(await openServedModel(session, model, { warn: log }));
  try {
    signal.throwIfAborted();
    // A loaded model stays for the next question.
    if (kept?.model !== served) signal.addEventListener("abort", () => void served.close());
    const [row] = await served.classify([{ inputs }]);
    return row!.targets.map(({ target, label, confidence, top, accepted, reasons, set }) => ({
      target,
      label,
      confidence,
      top,
      accepted,
      reasons,
      set,
      words: [],
    }));
  } catch (error) {
    if (error instanceof EngineError) throw new WorkflowError([error.message, error.remedy ?? ""].join(" ").trim());
    throw error;
  } finally {
    if (kept?.model === served) letGoLater(served);
    else await served.close();
  }
}

function letGoLater(model: ServedModel): void {
  clearTimeout(kept?.idle);
  const idle = setTimeout(() => {
    kept = undefined;
    void model.close();
  }, IDLE);
  idle.unref();
  kept = { model, idle };
}

/** The same model as it was loaded before, where there is one; a model that needs no loading is as it was opened. */
async function keptModel(opened: ServedModel): Promise<ServedModel> {
  if (opened.state.status === "ok") return opened;
  const before = kept;
  clearTimeout(before?.idle);
  const same = before?.model.job === opened.job && before.model.name === opened.name;
  const model = same ? before.model : opened;
  kept = { model };
  await (same ? opened : before?.model)?.close();
  return model;
}
