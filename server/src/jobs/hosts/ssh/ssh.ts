/** A machine reached by the system's ssh: needs no root, no Docker, and keeps no agent there (docs/remote-host.md). */
import type { ProcessIdentity } from "../../../../../schemas/job.ts";
import type { Liveness } from "../../process.ts";
import { type GpuProcess, type Host, HostUnreachable, type Piece } from "../host.ts";
import { batched } from "./batch.ts";
import type { Channel } from "./channel.ts";
import { checkHost } from "./check.ts";
import { type ConnectionOptions, openConnection } from "./connection.ts";
import { fetchFiles } from "./fetch.ts";
import { openFollowers } from "./follow.ts";
import { openModels } from "./models.ts";
import { jobName, jobPath } from "./paths.ts";
import { putFiles, putProgram } from "./put.ts";

export interface SshHostOptions extends ConnectionOptions {
  name: string;
}

export interface SshHost extends Host {
  follow: NonNullable<Host["follow"]>;
  close(): void;
}

const READ_LIMIT = 4 << 20;
/** Milliseconds without a call or a follower after which the connection is let go. */
const IDLE = 60_000;

/** A host that names more processes of one job is not answering the question. */
const GPU_PROCESSES = 1000;

/** A process's name as a host tells it: text, whatever is in it. */
const plainName = (name: string): string => name.replaceAll(/\p{Cc}/gu, " ").trim() || "unnamed";

const LIVENESS: readonly string[] = ["alive", "leftover", "gone", "elsewhere"] satisfies Liveness[];

export function sshHost(options: SshHostOptions): SshHost {
  const connection = openConnection(options);
  const followers = openFollowers(connection);
  const { address } = connection;
  let following = 0;
  let used = Date.now();
  const idle = setInterval(() => {
    if (following === 0 && Date.now() - used > IDLE) connection.rest();
  }, IDLE / 4);
  idle.unref();

  const call = async <T>(words: string[], use: (channel: Channel) => Promise<T>): Promise<T> => {
    used = Date.now();
    try {
      return await connection.call(words, use);
    } finally {
      used = Date.now();
    }
  };

  const bringModel = openModels(connection);
  const programs = new Map<string, Promise<string>>();
  /** Its content may change while an extension is developed, not while it runs. */
  function bringProgram(folder: string): Promise<string> {
    let brought = programs.get(folder);
    if (!brought) {
      brought = putProgram(connection, folder);
      programs.set(folder, brought);
      brought.catch(() => programs.delete(folder));
    }
    return brought;
  }

  const strange = (answer: string) =>
    new HostUnreachable(`${address} answers what is not understood: ${answer.slice(0, 80)}`);

  /** Reads that are asked for at the same moment go in one call. */
  const read = batched<{ path: string; offset: number; limit: number }, Piece | null>((requests) =>
    call(["read_files"], async (channel) => {
      await channel.write(requests.map(({ path, offset, limit }) => `${offset} ${limit}\n${path}\n`).join(""));
      channel.end();
      const pieces: (Piece | null)[] = [];
      for (const { limit } of requests) {
        const answer = await channel.line();
        const piece = /^piece (\d{1,15}) (\d{1,15})$/.exec(answer);
        if (!piece) {
          if (answer !== "none") throw strange(answer);
          pieces.push(null);
          continue;
        }
        const length = Number(piece[2]);
        if (length > limit) throw new HostUnreachable(`${address} sends more than it was asked for.`);
        pieces.push({ data: await channel.all(length), size: Number(piece[1]) });
      }
      return pieces;
    }),
  );

  const alive = batched<ProcessIdentity, Liveness>((identities) =>
    call(["alive"], async (channel) => {
      const lines = identities.flatMap(({ pid, started, boot, machine }) => [String(pid), started, boot, machine]);
      await channel.write(lines.map((line) => `${line.replaceAll("\n", " ")}\n`).join(""));
      channel.end();
      const answers: Liveness[] = [];
      for (const _ of identities) {
        const answer = await channel.line();
        if (!LIVENESS.includes(answer)) throw strange(answer);
        answers.push(answer as Liveness);
      }
      return answers;
    }),
  );

  return {
    name: options.name,
    shared: false,

    check: () => checkHost(connection),

    async put(job, folder, paths) {
      used = Date.now();
      await putFiles(connection, job, folder, paths);
    },

    async launch(job, attempt, { command, env = {}, lock, program, folders = {} }) {
      for (const [name, value] of Object.entries(env)) {
        if (/\n/.test(value) || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
          throw new Error(
            `The environment variable ${name} cannot be sent to a host: its value has a line break, or its name is none.`,
          );
        }
      }
      const brought = program === undefined ? "" : await bringProgram(program);
      const there = new Map<string, string>();
      for (const [name, { folder, files }] of Object.entries(folders)) {
        there.set(`{${name}}`, `{work}/${await bringModel(job, folder, files)}`);
      }
      const placed = command.map((word) =>
        word.startsWith("{program}/") ? `{work}/${brought}/${word.slice(10)}` : (there.get(word) ?? word),
      );
      const words = ["launch", jobName(job), String(attempt), lock ?? "-", ...placed];
      return call(words, async (channel) => {
        await channel.write(
          `${Object.entries(env)
            .map(([name, value]) => `${name}=${value}\n`)
            .join("")}.\n`,
        );
        const answer = await channel.line();
        if (answer !== "launched" && answer !== "already launched") throw strange(answer);
        return answer;
      });
    },

    async read(job, path, offset, limit = READ_LIMIT) {
      return read({ path: `${jobName(job)}/${jobPath(job, path)}`, offset, limit });
    },

    alive,

    async signal({ pid, started, boot, machine }, signal) {
      const words = ["signal", signal.replace(/^SIG/, ""), String(pid), started, boot, machine];
      await call(words, async (channel) => void (await channel.line()));
    },

    async gpuLeft({ pid, boot }) {
      return call(["gpu_left", String(pid), boot], async (channel) => {
        const left: GpuProcess[] = [];
        for (let line = await channel.line(); line !== "told"; line = await channel.line()) {
          const [, id, mebibytes, name] = /^left (\d{1,10}) (\d{1,9}) ?(.*)$/.exec(line) ?? [];
          if (id === undefined || left.length >= GPU_PROCESSES) throw strange(line);
          left.push({ pid: Number(id), mebibytes: Number(mebibytes), name: plainName(name!) });
        }
        return left;
      });
    },

    async fetch(job, folder, paths) {
      used = Date.now();
      await fetchFiles(connection, job, folder, paths);
    },

    follow(job, followOptions) {
      following++;
      const made = followers.follow(jobName(job), followOptions);
      return {
        ...made,
        close() {
          following--;
          used = Date.now();
          made.close();
        },
      };
    },

    close() {
      clearInterval(idle);
      followers.close();
      connection.close();
    },
  };
}
