/** The fine-tuning, file and batch parts of the API on loopback. Objects are of the SDK's own types, so that a changed shape does not compile. */
import type { Batch, ChatCompletion, FileObject, Model } from "openai/resources";
import type { FineTuningJob, FineTuningJobEvent, JobCreateParams } from "openai/resources/fine-tuning/jobs";
import { type Body, startServer, type TestServer } from "../chat/server.ts";

export interface ApiServer extends TestServer {
  files: (FileObject & { content: string })[];
  fineTunes: FineTuningJob[];
  batches: Batch[];
  /** Requests that made something, by kind. */
  created: { file: number; fineTune: number; batch: number };
}

export interface ApiOptions {
  /** States of a fine-tune, one a look; the last stays. */
  states?: string[];
  /** What happens to the answer of the first request that makes a fine-tune or a batch; it is made all the same. */
  loseFirst?: boolean;
  /** Metadata are not kept. */
  forgetful?: boolean;
  /** What the list of models says of each, beside its name. */
  listed?: Record<string, unknown>;
  /** Answers of a batch's output: by default each request is answered. */
  output?(lines: { custom_id: string; body: Body }[]): unknown[];
  reply?(body: Body): string;
  /** A fine-tune that succeeded has a result file. */
  results?: boolean;
  /** What was asked has been done, and the answer has not been sent yet. */
  before?(moment: Moment): void;
}

/** Of a fine-tune: its files (train, tune), the look for one that is there, its making, the looks at it by state, and its results. */
export type Moment = "upload train" | "upload tune" | "look for it" | "make it" | `look: ${string}` | "results";

const RESULTS = "file-results";
const now = () => Math.floor(Date.now() / 1000);

export async function startApi(options: ApiOptions = {}): Promise<ApiServer> {
  const { states = ["validating_files", "queued", "running", "succeeded"], reply = () => "good" } = options;
  const files: ApiServer["files"] = [];
  const fineTunes: FineTuningJob[] = [];
  const batches: Batch[] = [];
  const created = { file: 0, fineTune: 0, batch: 0 };
  const looks = new Map<string, number>();
  let lost = false;
  const list = <T>(data: T[]) => ({ object: "list", data, has_more: false });

  function advance(job: FineTuningJob): FineTuningJob {
    const look = looks.get(job.id) ?? 0;
    looks.set(job.id, look + 1);
    if (job.status === "cancelled") return job;
    // An open set: states that the SDK does not know are sent as they are.
    job.status = states[Math.min(look, states.length - 1)] as FineTuningJob["status"];
    if (job.status === "succeeded") {
      job.fine_tuned_model = `ft:${job.model}:me:suffix:${job.id}`;
      job.trained_tokens = 1234;
      if (options.results) job.result_files = [RESULTS];
    }
    if (job.status === "failed") job.error = { code: "bad", message: "The file is no good.", param: null };
    return job;
  }

  const server = await startServer({
    reply: (body) => ({ text: reply(body) }),
    other({ method, path, body, headers }) {
      const [route = ""] = path.replace(/^\/v1/, "").split("?");
      const part = route.split("/").filter(Boolean);
      const make = (answer: unknown) => {
        if (!options.loseFirst || lost) return answer;
        lost = true;
        return { status: 500, body: { error: { message: "lost", code: null, param: null, type: "x" } } };
      };
      if (part[0] === "models") {
        if (!options.listed) return undefined;
        const model: Model = { id: part[1]!, object: "model", created: now(), owned_by: "me" };
        return { ...model, ...options.listed };
      }
      if (route === "/files" && method === "GET") return list(files.map(({ content: _, ...file }) => file));
      if (route === "/files") {
        created.file++;
        const { name, content } = formFile(body, String(headers["content-type"]));
        const file: ApiServer["files"][number] = {
          id: `file-${created.file}`,
          object: "file",
          bytes: Buffer.byteLength(content),
          created_at: now(),
          filename: name,
          purpose: "fine-tune",
          status: "processed",
          content,
        };
        files.push(file);
        options.before?.(name.endsWith("-train.jsonl") ? "upload train" : "upload tune");
        return file;
      }
      if (part[0] === "files" && part[2] === "content" && part[1] === RESULTS) {
        options.before?.("results");
        return Buffer.from(Buffer.from("step,train_loss,train_accuracy\n1,0.5,0.8\n").toString("base64"));
      }
      if (part[0] === "files" && part[2] === "content")
        return Buffer.from(files.find(({ id }) => id === part[1])?.content ?? "");
      if (route === "/fine_tuning/jobs" && method === "GET") {
        options.before?.("look for it");
        return list(fineTunes.toReversed());
      }
      if (route === "/fine_tuning/jobs") {
        created.fineTune++;
        const asked = JSON.parse(body.toString("utf8")) as JobCreateParams;
        const job: FineTuningJob = {
          id: `ftjob-${created.fineTune}`,
          object: "fine_tuning.job",
          created_at: now(),
          error: null,
          fine_tuned_model: null,
          finished_at: null,
          hyperparameters: { n_epochs: 3 },
          model: asked.model,
          organization_id: "org",
          result_files: [],
          seed: asked.seed ?? 0,
          status: "validating_files",
          trained_tokens: null,
          training_file: asked.training_file,
          validation_file: asked.validation_file ?? null,
          metadata: options.forgetful ? null : (asked.metadata ?? null),
        };
        fineTunes.push(job);
        options.before?.("make it");
        return make(job);
      }
      if (part[0] === "fine_tuning") {
        const job = fineTunes.find(({ id }) => id === part[2]);
        if (!job) return undefined;
        if (part[3] === "cancel") {
          job.status = "cancelled";
          return job;
        }
        if (part[3] === "events") {
          const event: FineTuningJobEvent = {
            id: `event-${job.id}`,
            object: "fine_tuning.job.event",
            created_at: now(),
            level: "info",
            message: "Step 1",
            type: "metrics",
            data: { step: 1, train_loss: 0.5, valid_loss: 0.6 },
          };
          return list([event]);
        }
        advance(job);
        options.before?.(`look: ${job.status}`);
        return job;
      }
      if (route === "/batches" && method === "GET") return list(batches.toReversed());
      if (route === "/batches") {
        created.batch++;
        const asked = JSON.parse(body.toString("utf8")) as { input_file_id: string; metadata?: Record<string, string> };
        const batch: Batch = {
          id: `batch-${created.batch}`,
          object: "batch",
          completion_window: "24h",
          created_at: now(),
          endpoint: "/v1/chat/completions",
          input_file_id: asked.input_file_id,
          status: "validating",
          metadata: asked.metadata ?? null,
        };
        batches.push(batch);
        return make(batch);
      }
      if (part[0] === "batches") {
        const batch = batches.find(({ id }) => id === part[1]);
        if (!batch) return undefined;
        batch.status = batch.status === "validating" ? "in_progress" : "completed";
        if (batch.status === "completed" && !batch.output_file_id) {
          const input = files.find(({ id }) => id === batch.input_file_id)!;
          const lines = input.content
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line) as { custom_id: string; body: Body });
          const output = options.output?.(lines) ?? lines.map((line) => batchLine(line.custom_id, reply(line.body)));
          batch.output_file_id = `out-${batch.id}`;
          files.push({
            ...input,
            id: batch.output_file_id,
            filename: "out",
            content: output.map((line) => JSON.stringify(line)).join("\n"),
          });
        }
        return batch;
      }
      return undefined;
    },
  });
  return Object.assign(server, { files, fineTunes, batches, created });
}

export function batchLine(custom_id: string, text: string) {
  const body: ChatCompletion = {
    id: "x",
    object: "chat.completion",
    created: 0,
    model: "m",
    choices: [
      { index: 0, finish_reason: "stop", message: { role: "assistant", content: text, refusal: null }, logprobs: null },
    ],
    usage: { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11 },
  };
  return { id: `request-${custom_id}`, custom_id, response: { status_code: 200, request_id: "r", body }, error: null };
}

/** The one file of a multipart form. */
function formFile(body: Buffer, type: string): { name: string; content: string } {
  const boundary = /boundary=(?:"([^"]+)"|([^;]+))/.exec(type);
  const mark = `--${boundary?.[1] ?? boundary?.[2]}`;
  for (const part of body.toString("utf8").split(mark)) {
    const name = /filename="([^"]*)"/.exec(part)?.[1];
    const at = part.indexOf("\r\n\r\n");
    if (name !== undefined && at >= 0) return { name, content: part.slice(at + 4).replace(/\r\n$/, "") };
  }
  throw new Error("no file in the form");
}
