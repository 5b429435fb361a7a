import type { NewEvent } from "../../../schemas/events.ts";
import type { Job, JobModel } from "../../../schemas/job.ts";
import type { Prediction } from "../../../schemas/predictions.ts";
import type { JobRow, SplitName } from "../../../schemas/rows.ts";

/** A key, and the only origin it may be sent to. */
export interface EndpointKey {
  name: string;
  origin: string;
  value: string;
}

/** What the runner lends an engine. An engine knows the job and its rows; where it runs it does not know. */
export interface EngineRun {
  job: Job;
  model: JobModel;
  /** All rows of the job, in the order of data/rows.jsonl. */
  rows: readonly JobRow[];
  /** Threads this run may use, itself included. */
  threads: number;
  /** The job's folder: paths of its model are relative to it. Absent where there is none. */
  folder?: string;
  /** A folder of this job for what an engine needs to go on after a crash. It may not be there yet; absent: none is lent. */
  work?: string;
  /** A folder that the project's jobs share, for answers that were paid for. It may not be there yet; absent: none. */
  cache?: string;
  /** Keys of endpoints, each for one origin alone. */
  keys?: readonly EndpointKey[];
  /** Aborted when a person cancels: the engine stops within a second and throws the signal's reason. */
  signal: AbortSignal;
  emit(event: NewEvent): void;
}

/** A fine-tune: leaves everything that prediction needs in `artifact`, an existing folder. */
export interface FineTuneRun extends EngineRun {
  artifact: string;
}

/** A prediction run. Pairs for which `done` answers true were predicted by an earlier attempt and are not asked again. */
export interface PredictRun extends EngineRun {
  /** The folder a fine-tune left; absent for engines that need none. */
  artifact?: string;
  /** The copy of `model.source`; absent for models without one. */
  source?: string;
  /** The splits to predict. `outOfFold` asks for the out-of-fold probabilities of the train and tune rows as well. */
  splits: readonly SplitName[];
  outOfFold: boolean;
  done(row: string, target: string): boolean;
  predicted(prediction: Prediction): void;
}

/** The words of a row that spoke for a label, against the runner-up. Offsets are UTF-16 units of the input's text. */
export interface WordWeight {
  input: string;
  start: number;
  end: number;
  text: string;
  weight: number;
}

/**
 * A way to make predictions. Predictions of tune rows come from the model as it was when choices were still open (not
 * refitted on tune), so that they may serve for choices.
 */
export interface Engine {
  fineTune?(run: FineTuneRun): Promise<void>;
  predict(run: PredictRun): Promise<void>;
}

/** A person can mend this: the message says what is wrong, `remedy` what to do. Everything else is a defect of ours. */
export class EngineError extends Error {
  override name = "EngineError";
  readonly remedy: string | undefined;
  readonly row: string | undefined;
  constructor(message: string, remedy?: string, row?: string) {
    super(message);
    this.remedy = remedy;
    this.row = row;
  }
}
