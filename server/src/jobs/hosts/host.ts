/** Where a runner runs. A host knows folders and processes; what the runner does is none of its business. */
import type { HostCheck, ProcessIdentity } from "../../../../schemas/job.ts";
import type { Liveness } from "../process.ts";

export type { HostCheck };

/** How to start a runner. It is started as `command… FOLDER`. */
export interface RunnerCommand {
  command: readonly [string, ...string[]];
  /** A folder here with the runner's own files, brought to a host elsewhere. A word of `command` that begins with `{program}/` lies in it. */
  program?: string;
  /**
   * Folders here that the runner reads, brought to a host elsewhere once and kept there while a job needs them: a word of `command` that is
   * the key in braces stands for where the folder lies there. Only the named files are brought.
   */
  folders?: Readonly<Record<string, { folder: string; files: readonly string[] }>>;
  /** Added to the host's own environment. Keys go here: never into `command`, which every user of the machine can read. */
  env?: Readonly<Record<string, string>>;
  /** A lock file on the host, held for the runner's life: one job at a time on the GPU. `~/` is the home folder there. */
  lock?: string;
}

/** Who holds it has a host's GPU. One for all projects and windows of a user. */
export const GPU_LOCK = "~/.clf/gpu.lock";

/** Bytes of a file from an offset on. `size` is the whole file's, so that a reader knows whether there is more. */
export interface Piece {
  data: Buffer;
  size: number;
}

/** A process that holds memory of a GPU. */
export interface GpuProcess {
  pid: number;
  name: string;
  /** 0: the driver does not say. */
  mebibytes: number;
}

/** What whoever follows a job wants to be told of, by a host that tells of it by itself. */
export interface FollowOptions {
  /** Asked whenever following begins, after every break too: which files, from which byte on; whose end; who waits for the lock. */
  wanted(): Promise<{
    files: readonly { path: string; offset: number }[];
    processes: readonly ProcessIdentity[];
    queued?: ProcessIdentity | undefined;
  }>;
  /** The bytes of a file that come next. Nothing more comes before this resolves. */
  data(path: string, offset: number, data: Buffer): Promise<void>;
  /** A process is gone. The files' bytes of before have been told by then. */
  gone(identity: ProcessIdentity): void;
  /** The job's place in the queue for the lock, from 1; null when it no longer waits. */
  place(place: number | null): void;
  /** Something was told, or following began or broke off: time to look. */
  changed(): void;
}

export interface Following {
  /** What has been told is all there is, no older than a second or two. */
  live(): boolean;
  /** Resolves when it is live. @throws HostUnreachable when the host cannot be reached */
  synced(): Promise<void>;
  /** What is wanted has changed. */
  refresh(): Promise<void>;
  close(): void;
}

/** The host cannot be reached just now. A condition of the connection: it says nothing of any job. */
export class HostUnreachable extends Error {}

/** Paths are relative to the job's folder, with `/`. */
export interface Host {
  readonly name: string;
  /** The host works in the very folder that the manager sees: there is nothing to put, mirror or fetch. */
  readonly shared: boolean;

  /** What the host has and lacks for running jobs. */
  check(): Promise<HostCheck[]>;

  /**
   * Makes the host's copy of the paths like `folder`'s: files and folders are written (under a temporary name first),
   * and what is absent here is removed there. An empty list means the whole job folder.
   */
  put(job: string, folder: string, paths: readonly string[]): Promise<void>;

  /**
   * Starts supervisor and runner of an attempt so that they outlive this process and the connection. Harmless when that
   * attempt has been launched before. Resolves once the supervisor has recorded itself.
   */
  launch(job: string, attempt: number, runner: RunnerCommand): Promise<"launched" | "already launched">;

  /** At most `limit` bytes of a file from `offset` on; null when there is no such file. */
  read(job: string, path: string, offset: number, limit?: number): Promise<Piece | null>;

  /** Whether a process that was started on the host still runs. Certain, or an error. */
  alive(identity: ProcessIdentity): Promise<Liveness>;

  /** Signals the process and the group that it leads. No error when it is gone. */
  signal(identity: ProcessIdentity, signal: "SIGTERM" | "SIGKILL"): Promise<void>;

  /** Brings files and folders into `folder`, each complete from the moment it has its name. What is absent is left out. */
  fetch(job: string, folder: string, paths: readonly string[]): Promise<void>;

  /** Tells of a job's files and processes by itself, over one connection for all jobs. A host without it is looked at from time to time. */
  follow?(job: string, options: FollowOptions): Following;

  /**
   * Ends what is left of the session that an ended runner led and still holds memory of the host's GPU, and names it. Empty: the GPU has
   * its memory back, or there is none. A host without it has no way to ask.
   */
  gpuLeft?(runner: ProcessIdentity): Promise<GpuProcess[]>;

  /** Lets go of connections. Jobs go on. */
  close?(): void;
}
