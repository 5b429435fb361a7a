/**
 * The connection to a host: one long-lived ssh process, over which the host tells what is new, and which other calls share where the
 * platform can. It ends with this process (its standard input closes) and leaves nothing behind on either side.
 */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import PQueue from "p-queue";
import { SUPERVISOR_SCRIPT } from "../../launcher.ts";
import { HostUnreachable } from "../host.ts";
import { type SshTarget, sshCommand } from "./arguments.ts";
import { type Channel, HostError, openChannel } from "./channel.ts";
import { quote, quoteFolder } from "./quote.ts";

/** The host's side. In a bundle it lies beside it. */
const HOST_SCRIPT = fileURLToPath(
  new URL(import.meta.url.endsWith(".mjs") ? "./ssh-host.sh" : "./host.sh", import.meta.url),
);

export interface ConnectionOptions extends SshTarget {
  /** Folder on the host. */
  workdir: string;
  /** False where ssh cannot share a connection; default: everywhere but on Windows. */
  sharing?: boolean;
}

export interface Connection {
  readonly address: string;
  /** A function of host.sh in a process of its own. `use` ends before the process does. */
  call<T>(words: readonly string[], use: (channel: Channel) => Promise<T>, patience?: number): Promise<T>;
  /** The long-lived process: what `session` of host.sh says. Opened when it is not open. */
  session(): Promise<Channel>;
  /** Lets the connection go while nobody needs it; the next call opens it again. */
  rest(): void;
  close(): void;
}

/** Milliseconds: while the host works on something long (checksums of large files), and otherwise, at login too. */
export const PATIENCE = { long: 600_000, ordinary: 60_000 } as const;
/** sshd's default MaxSessions is 10, and the long-lived process takes one. */
const AT_ONCE = 6;
/** Milliseconds within which a failed try is not repeated: many jobs of a host ask at the same time. */
const AGAIN = { first: 500, most: 5000 };

let scripts: { host: Buffer; supervisor: Buffer; name: string } | undefined;

/** The scripts that a host needs, named by their content: versions of Clf do not get in each other's way. */
function hostScripts() {
  if (!scripts) {
    const [host, supervisor] = [readFileSync(HOST_SCRIPT), readFileSync(SUPERVISOR_SCRIPT)];
    const name = createHash("sha256").update(host).update(supervisor).digest("hex").slice(0, 16);
    scripts = { host, supervisor, name };
  }
  return scripts;
}

export function openConnection(options: ConnectionOptions): Connection {
  const { address, workdir, sharing = process.platform !== "win32" } = options;
  const queue = new PQueue({ concurrency: AT_ONCE });
  const open = new Set<Channel>();
  let current: Promise<Channel> | undefined;
  let socketFolder: string | undefined;
  let failed: { error: Error; until: number; wait: number } | undefined;
  let closed = false;

  function prelude(mark: string): string {
    return `mark=${mark}; work=${quoteFolder(workdir)}; lib=$work/lib/${hostScripts().name}; printf '\\n%s begin\\n' "$mark"\n`;
  }

  function start(script: (mark: string) => string, role: "master" | "shared", patience: number): Channel {
    const mark = `clf-${randomBytes(9).toString("hex")}`;
    const command = sshCommand(options, socketFolder ? { role, socket: join(socketFolder, "s") } : { role: "alone" });
    const channel = openChannel(prelude(mark) + script(mark), { command, address, mark, patience });
    open.add(channel);
    void channel.ended.then(() => open.delete(channel));
    return channel;
  }

  const gone = () => new HostUnreachable(`The connection to ${address} was closed.`);

  async function connect(): Promise<Channel> {
    if (sharing) socketFolder ??= privateFolder();
    const { host, supervisor } = hostScripts();
    const channel = start(() => installScript(host.length, supervisor.length), "master", PATIENCE.ordinary);
    try {
      let answer = await channel.line();
      if (answer === "need") {
        await channel.write(supervisor);
        await channel.write(host);
        answer = await channel.line();
      }
      const ready = /^ready (\S+)$/.exec(answer);
      if (!ready) throw new HostUnreachable(`${address} does not answer as it should.`);
      if (ready[1] !== "Linux") {
        throw new HostError(`${address} runs ${ready[1]}. A host of kind ssh must run Linux.`, "other");
      }
      return channel;
    } catch (error) {
      channel.close();
      throw error;
    }
  }

  function session(): Promise<Channel> {
    if (closed) return Promise.reject(gone());
    if (current) return current;
    if (failed && Date.now() < failed.until) return Promise.reject(failed.error);
    const made = connect();
    current = made;
    made.then(
      (channel) => {
        failed = undefined;
        void channel.ended.then(() => {
          if (current === made) current = undefined;
        });
      },
      (error: Error) => {
        if (current === made) current = undefined;
        const wait = Math.min(failed ? failed.wait * 2 : AGAIN.first, AGAIN.most);
        failed = { error, wait, until: Date.now() + wait };
      },
    );
    return made;
  }

  async function call<T>(
    words: readonly string[],
    use: (channel: Channel) => Promise<T>,
    patience: number = PATIENCE.ordinary,
  ): Promise<T> {
    await session();
    return queue.add(async () => {
      if (closed) throw gone();
      const channel = start(
        () => `. "$lib/host.sh" && ${words.map((word, n) => (n === 0 ? word : quote(word))).join(" ")}`,
        "shared",
        patience,
      );
      try {
        return await use(channel);
      } finally {
        channel.end();
        // What is still under way at the host has no listener any more.
        const timer = setTimeout(() => channel.close(), 2000);
        timer.unref();
        void channel.ended.then(() => clearTimeout(timer));
      }
    }) as Promise<T>;
  }

  return {
    address,
    call,
    session,
    rest() {
      if (queue.size + queue.pending > 0) return;
      void current?.then(
        (channel) => channel.close(),
        () => {},
      );
      current = undefined;
    },
    close() {
      closed = true;
      for (const channel of open) channel.close();
      if (socketFolder) removeSocket(socketFolder);
      socketFolder = undefined;
    },
  };
}

/** Puts the scripts in place, unless they are there, then says ready and follows. */
function installScript(hostLength: number, supervisorLength: number): string {
  return `
trouble() { printf '%s error %s %s\\n' "$mark" "$1" "$2"; exit 1; }
[ -d "$work" ] || said=$(LC_ALL=C mkdir -p -m 700 "$work" 2>&1) || trouble denied "$said"
said=$(LC_ALL=C mkdir -p "$work/jobs" "$lib" 2>&1) || case $said in *'No space'*|*uota*) trouble full "$said" ;; *) trouble denied "$said" ;; esac
if [ ! -e "$lib/host.sh" ] || [ ! -e "$lib/supervisor.sh" ]; then
  printf '%s need\\n' "$mark"
  head -c ${supervisorLength} >"$lib/.supervisor.$$" 2>/dev/null
  head -c ${hostLength} >"$lib/.host.$$" 2>/dev/null
  if [ "$(wc -c <"$lib/.supervisor.$$")" -eq ${supervisorLength} ] && [ "$(wc -c <"$lib/.host.$$")" -eq ${hostLength} ]; then
    mv -f "$lib/.supervisor.$$" "$lib/supervisor.sh" && mv -f "$lib/.host.$$" "$lib/host.sh"
  else
    rm -f "$lib/.supervisor.$$" "$lib/.host.$$"
    trouble full "No space left for $lib"
  fi
fi
printf '%s ready %s\\n' "$mark" "$(uname -s)"
. "$lib/host.sh" && session`;
}

/** Folders of sockets that this process has made. */
const socketFolders = new Set<string>();

function removeSocket(folder: string): void {
  socketFolders.delete(folder);
  // An ssh process on its way out takes its socket away itself: a removal that finds it gone stops half way, and says nothing.
  for (let tries = 0; tries < 5 && existsSync(folder); tries++) {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A window that is closed, or a command that ends, does not always come to closing its connections. */
function removeSocketsAtExit(): void {
  for (const folder of socketFolders) removeSocket(folder);
}

/** A folder of ours for the control socket, there until it is removed or this process ends. */
function privateFolder(): string {
  if (socketFolders.size === 0) process.off("exit", removeSocketsAtExit).on("exit", removeSocketsAtExit);
  const folder = makeSocketFolder();
  socketFolders.add(folder);
  return folder;
}

/** Its path is short: a socket's may have about 100 bytes. Those of processes that died are removed. */
function makeSocketFolder(): string {
  const runtime = process.env.XDG_RUNTIME_DIR;
  const top =
    [runtime, tmpdir(), "/tmp"].find((path) => path !== undefined && path !== "" && path.length <= 60) ?? "/tmp";
  const prefix = "clf-ssh-";
  for (const name of namesIn(top)) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || runs(Number(pid))) continue;
    try {
      rmSync(join(top, name), { recursive: true, force: true });
    } catch {
      // Somebody else's: no matter.
    }
  }
  try {
    return mkdtempSync(join(top, `${prefix}${process.pid}-`));
  } catch {
    return mkdtempSync(join("/tmp", `${prefix}${process.pid}-`));
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
