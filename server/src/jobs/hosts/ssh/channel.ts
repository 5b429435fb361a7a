/** One ssh process and the framed talk with the script at its other end. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { HostUnreachable } from "../host.ts";
import { explain, lastWords } from "./explain.ts";

/** The host was reached and says that it cannot. */
export class HostError extends Error {
  /** full: no disk space; denied: no permission; changed: the transfer is not whole, again may do. */
  readonly kind: string;
  constructor(message: string, kind: string) {
    super(message);
    this.kind = kind;
  }
}

/** What a login shell may print before our script begins, and how long a line of the script's may be. */
const NOISE_LIMIT = 1 << 20;
const LINE_LIMIT = 1 << 16;
const STDERR_LIMIT = 1 << 14;
/** Bytes that may wait for ssh to take them: enough that it never waits for us. */
const AHEAD = 4 << 20;

export interface ChannelOptions {
  command: readonly [string, ...string[]];
  address: string;
  /** Begins every line that the script says. */
  mark: string;
  /** Milliseconds without a word, while one is waited for and nothing that is sent gets on, after which the host counts as unreachable. */
  patience: number;
}

export interface Channel {
  /** Resolves when the script has begun. */
  readonly begun: Promise<void>;
  write(data: string | Uint8Array): Promise<void>;
  /** Says that nothing more will be written. */
  end(): void;
  /** The next line that the script says, without the mark. @throws HostError when it says an error */
  line(): Promise<string>;
  /** As many bytes as a line has announced, in pieces. */
  bytes(length: number): AsyncGenerator<Buffer>;
  /** Like `bytes`, whole. */
  all(length: number): Promise<Buffer>;
  /** Lets go: the ssh process is ended if it has not ended by itself. */
  close(): void;
  readonly ended: Promise<void>;
}

export function openChannel(script: string, options: ChannelOptions): Channel {
  const { command, address, mark } = options;
  const [program, ...words] = command;
  // In a group of its own: Ctrl+C in a terminal is meant for the command that talks to the host, not for the connection.
  const child = spawn(program, words, {
    detached: process.platform !== "win32",
    windowsHide: true,
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, SSH_ASKPASS_REQUIRE: "never", LC_ALL: "C" },
  });
  let stderr = "";
  let failure: Error | undefined;
  let over = false;
  child.stderr.on("data", (data: Buffer) => {
    stderr = (stderr + data.toString("utf8")).slice(-STDERR_LIMIT);
  });
  child.stdin.on("error", () => {
    // The other end is gone: reading says why.
  });
  const ended = new Promise<void>((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      failure ??= new HostUnreachable(
        error.code === "ENOENT"
          ? `There is no program "${program}" here. Install the OpenSSH client.`
          : `ssh could not be started: ${error.message}`,
      );
      over = true;
      resolve();
    });
    child.once("close", () => {
      over = true;
      resolve();
    });
  });

  const moved = { at: 0 };
  const source = readable(child, options.patience, address, moved);
  let rest: Buffer = Buffer.alloc(0);

  async function more(): Promise<boolean> {
    const piece = await source();
    if (piece === null) return false;
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    return true;
  }

  async function unreachable(): Promise<Error> {
    close();
    await ended;
    return failure ?? new HostUnreachable(explain(address, stderr));
  }

  /** The next line, without its newline. */
  async function rawLine(limit: number): Promise<string> {
    for (let from = 0; ; ) {
      const end = rest.indexOf(10, from);
      if (end >= 0) {
        const line = rest.toString("utf8", 0, end);
        rest = rest.subarray(end + 1);
        return line;
      }
      if (rest.length > limit) throw broken("says no end of a line");
      from = rest.length;
      if (!(await more())) throw await unreachable();
    }
  }

  function broken(what: string): Error {
    close();
    return new HostUnreachable(`${address} ${what}: the connection was ended. ${lastWords(stderr)}`.trim());
  }

  const begun = (async () => {
    let noise = 0;
    let said = "";
    while (true) {
      let line: string;
      try {
        line = await rawLine(NOISE_LIMIT);
      } catch (error) {
        // A login that prints and ends, such as "This account is not available", has said why.
        if (failure === undefined && stderr.trim() === "" && said !== "" && error instanceof HostUnreachable) {
          throw new HostUnreachable(`${address} let us in, but started no shell. It said: ${lastWords(said)}`);
        }
        throw error;
      }
      if (line === `${mark} begin`) return;
      noise += line.length;
      said = `${said}\n${line}`.slice(-2000);
      if (noise > NOISE_LIMIT) throw broken("prints without end at login");
    }
  })();
  begun.catch(() => {});

  function close(): void {
    child.stdin.destroy();
    child.stdout.destroy();
    if (!over) child.kill("SIGTERM");
  }

  const channel: Channel = {
    begun,
    ended,
    async write(data) {
      if (child.stdin.destroyed || over) return;
      const goesOn = child.stdin.write(data, () => {
        moved.at = performance.now();
      });
      if (goesOn || child.stdin.writableLength < AHEAD) return;
      await new Promise<void>((resolve) => {
        const go = () => {
          child.stdin.off("drain", go).off("close", go);
          child.off("close", go);
          resolve();
        };
        child.stdin.on("drain", go).on("close", go);
        child.on("close", go);
      });
    },
    end() {
      child.stdin.end();
    },
    async line() {
      await begun;
      const line = await rawLine(LINE_LIMIT);
      if (!line.startsWith(`${mark} `)) throw broken("answers something that was not asked");
      const text = line.slice(mark.length + 1);
      const error = /^error (\w+) ?(.*)$/.exec(text);
      if (error) {
        close();
        throw hostError(address, error[1]!, lastWords(error[2]!));
      }
      return text;
    },
    async *bytes(length) {
      let left = length;
      while (left > 0) {
        if (rest.length === 0 && !(await more())) throw await unreachable();
        const piece = rest.subarray(0, left);
        rest = rest.subarray(piece.length);
        left -= piece.length;
        yield piece;
      }
      if ((await rawLine(LINE_LIMIT)) !== "") throw broken("sends more than it says");
    },
    async all(length) {
      const pieces: Buffer[] = [];
      for await (const piece of channel.bytes(length)) pieces.push(piece);
      return Buffer.concat(pieces);
    },
    close,
  };
  void channel.write(`${Buffer.byteLength(script)}\n${script}`);
  return channel;
}

function hostError(address: string, kind: string, words: string): Error {
  switch (kind) {
    case "full":
      return new HostError(
        `The disk of ${address} is full (${words}). Delete old jobs (clf jobs PROJECT clean) or make room there; the job goes on by itself then.`,
        kind,
      );
    case "denied":
      return new HostError(`${address} does not let Clf write there: ${words}. Choose another workdir in hosts.`, kind);
    case "changed":
      return new HostUnreachable(`The transfer with ${address} was not whole: ${words}`);
    default:
      return new HostError(`${address}: ${words}`, kind);
  }
}

/**
 * Pieces of the child's standard output, one at a time: what nobody reads waits at the host. Null at the end.
 *
 * @param moved when the child last took something that was written to it: an upload may take longer than anybody's patience, and its end
 * is all that the host says of it
 */
function readable(
  child: ChildProcessWithoutNullStreams,
  patience: number,
  address: string,
  moved: { readonly at: number },
): () => Promise<Buffer | null> {
  const { stdout } = child;
  let heard: () => void = () => {};
  // When a child exits, Node throws away what a stream still holds unless somebody listens: between two reads nobody would.
  for (const event of ["readable", "end", "close"]) stdout.on(event, () => heard());
  return async () => {
    const began = performance.now();
    while (true) {
      const piece = stdout.destroyed ? null : (stdout.read() as Buffer | null);
      if (piece !== null) return piece;
      if (stdout.readableEnded || stdout.destroyed) return null;
      const left = Math.max(began, moved.at) + patience - performance.now();
      if (left <= 0) {
        child.stdin.destroy();
        stdout.destroy();
        child.kill("SIGTERM");
        throw new HostUnreachable(`${address} has not said a word for ${Math.round(patience / 1000)} seconds.`);
      }
      await new Promise<void>((resolve) => {
        // What came while this process was stopped, as a laptop asleep, is looked at before the host is blamed.
        const timer = setTimeout(() => setImmediate(resolve), left);
        heard = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
}
