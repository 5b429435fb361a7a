/** Starting jobs from the command line, and watching them to their end. */
import type { Job } from "../../../schemas/job.ts";
import type { ProjectData } from "../workflow/data.ts";
import { preflight } from "../workflow/preflight.ts";
import type { JobRequest } from "../workflow/prepare.ts";
import type { Session } from "../workflow/session.ts";
import { modelsToFineTune, startJob } from "../workflow/start.ts";
import { CliError, EXIT, progressLine, say } from "./io.ts";
import { projectPath } from "./project.ts";

/** Starts a job and waits for its end. Ctrl+C asks the job to stop; a second one does not wait for it. */
export async function runJob(session: Session, data: ProjectData, request: JobRequest): Promise<Job> {
  // From before the job is there: its runner may be at work before `startJob` is back, and must not be left behind unasked.
  const interrupts = listenForInterrupts();
  try {
    await session.jobs.start();
    const takes = await preflight(session, data, request);
    if (takes !== null) say(takes.summary);
    const job = await startJob(session, data, request);
    await watchJob(session, job.id, `${words[request.kind]} ${request.models.join(", ")}`, interrupts);
    return job;
  } finally {
    interrupts.close();
  }
}

/** Counts Ctrl+C until closed; whoever asks for them later is told of those that came before. A third does not wait for that. */
function listenForInterrupts() {
  let told: (() => void) | undefined;
  let waiting = 0;
  const interrupt = () => {
    if (told) told();
    else if (++waiting > 2) process.exit(130);
  };
  process.on("SIGINT", interrupt);
  return {
    tell(listener: () => void): void {
      told = listener;
      for (; waiting > 0; waiting--) listener();
    },
    close(): void {
      process.off("SIGINT", interrupt);
    },
  };
}

const words = { "fine-tune": "Fine-tuning", evaluate: "Evaluating", compare: "Comparing", predict: "Predicting with" };

/** @throws CliError with exit code 3 unless the job succeeds */
export async function watchJob(
  session: Session,
  id: string,
  title: string,
  interrupts = listenForInterrupts(),
): Promise<void> {
  const line = progressLine();
  const stop = new AbortController();
  let asked = false;
  const interrupt = () => {
    if (asked) stop.abort();
    asked = true;
    line.clear();
    say(`Stopping ${id}. Press Ctrl+C again to leave without waiting for it.`);
    void session.jobs.cancel(id).catch(() => {});
  };
  interrupts.tell(interrupt);
  try {
    for await (const update of session.jobs.follow(id, { signal: stop.signal })) {
      if (update.type === "event" && update.event.type === "progress") {
        const { step, done, total } = update.event;
        line.show(`${title}: ${step}${total ? ` ${Math.floor((100 * done) / total)} %` : ""}`);
      }
      if (update.type === "event" && update.event.type === "log" && update.event.level === "warning") {
        line.clear();
        say(update.event.message);
      }
    }
    line.clear();
    const clfJobs = `clf jobs ${projectPath(session)}`;
    if (stop.signal.aborted)
      throw new CliError(`${id} is stopping. See it with: ${clfJobs}`, EXIT.jobFailed, { job: id });
    const { state, attempt } = await session.jobs.store.read(id);
    if (state === "succeeded") {
      line.show(`${title}: fetching what it has made`);
      await session.jobs.arrived(id, { signal: stop.signal });
      line.clear();
      return;
    }
    const error = attempt.events.error;
    const why = error ? ` ${error.message}${error.remedy ? ` ${error.remedy}` : ""}` : "";
    const next = state === "cancelled" ? `Go on with it: ${clfJobs} resume ${id}` : `Its log: ${clfJobs} logs ${id}`;
    const how = { lost: "was lost", cancelled: "was cancelled" }[state as string] ?? state;
    throw new CliError(`${title}: ${id} ${how}.${why} ${next}`, EXIT.jobFailed, { job: id });
  } finally {
    interrupts.close();
  }
}

/** Fine-tunes the models that need it before they can predict: `linear` ones take seconds, the others are asked for by name. */
export async function fineTuneMissing(session: Session, data: ProjectData, models: readonly string[]): Promise<void> {
  for (const model of await modelsToFineTune(session, data, models)) {
    const engine = session.project.spec.models[model]!.engine;
    if (engine !== "linear") {
      throw new CliError(
        `Model "${model}" has not been fine-tuned as it now stands. Run: clf fine-tune ${projectPath(session)} --model ${model}`,
      );
    }
    say(`${model} has not been fine-tuned as it now stands: doing that first.`);
    await runJob(session, data, { kind: "fine-tune", models: [model] });
  }
}
