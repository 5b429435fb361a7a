/** A real sshd for tests: own keys, own configuration, a free port on loopback, users of its own with one login shell each. Needs root. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { chmod, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Network } from "./network.ts";
import { removeFolder, temporaryFolder } from "./support.ts";

export const SHELLS = { bash: "/bin/bash", dash: "/bin/dash", fish: "/usr/bin/fish", tcsh: "/usr/bin/tcsh" } as const;
export type Shell = keyof typeof SHELLS;

/** Why no sshd can be started here; null when it can. */
export function whyNoSshd(shells: readonly Shell[] = ["bash"]): string | null {
  if (process.platform !== "linux") return "needs Linux";
  if (process.getuid?.() !== 0) return "needs root, for users of its own";
  for (const file of ["/usr/sbin/sshd", "/usr/bin/ssh", "/usr/sbin/useradd"]) {
    if (!existsSync(file)) return `needs ${file} (Debian: openssh-server, openssh-client, passwd)`;
  }
  const missing = shells.filter((shell) => !existsSync(SHELLS[shell]));
  return missing.length > 0 ? `needs ${missing.join(", ")}` : null;
}

/** Whether a server can be given a boot id of its own: containers often may not mount anything. */
export function canRestart(): boolean {
  const script = "mount --bind /etc/hostname /proc/sys/kernel/random/boot_id";
  return spawnSync("unshare", ["-m", "sh", "-c", script], { stdio: "ignore" }).status === 0;
}

export interface TestUser {
  name: string;
  home: string;
  shell: Shell;
  /** The name in the ssh config. */
  address: string;
}

export interface Sshd {
  /** Folder of keys and configuration. Homes lie in it. */
  folder: string;
  /** The port that clients connect to: the line's. */
  port: number;
  /** The ssh program with the configuration that knows this server. */
  program: string[];
  /** The ssh config, for reading and changing. */
  config: string;
  knownHosts: string;
  user(shell: Shell): TestUser;
  /** The line: all connections of clients go through it. */
  line: Line;
  /** The ssh program that goes to the server's network itself, past the line, and notices within seconds that it is dead. Only with a network. */
  direct: string[];
  /** Ends the server and every connection. Jobs of its users go on. */
  stop(): Promise<void>;
  /** Starts it again on the same port; `boot` is what /proc says the boot id is, for its users. */
  start(boot?: string): Promise<void>;
  /** Ends every process of its users, as a restart of the machine would. */
  killUsers(): void;
  close(): Promise<void>;
}

export interface Line {
  port: number;
  /** Bytes from and to clients so far. */
  up(): number;
  down(): number;
  /** Connections made so far. */
  made(): number;
  /** Ends every connection, as an access point does that is switched off. */
  cut(): void;
  /** Nothing passes any more, and nobody is told; new connections hang too. */
  freeze(frozen: boolean): void;
  close(): void;
}

/** Noise at login, as people and providers put it there. */
const NOISE = "echo 'Welcome to the machine!'; echo \"You have 3 new messages.\"; echo 'a warning' >&2";

/**
 * @param network where the server is to run; by default this machine's own
 * @param env variables that every login finds
 */
export async function startSshd(
  shells: readonly Shell[],
  network: Network | null = null,
  env: Record<string, string> = {},
): Promise<Sshd> {
  const at = network?.far ?? "127.0.0.1";
  const folder = await temporaryFolder();
  await chmod(folder, 0o755);
  await mkdir("/run/sshd", { recursive: true });
  const keys = join(folder, "keys");
  await mkdir(keys);
  for (const name of ["host", "client"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", join(keys, name)]);
  }
  const port = await freePort();
  const line = await openLine(port, at);
  const knownHosts = join(folder, "known_hosts");
  const hostKey = (await readFile(join(keys, "host.pub"), "utf8")).split(" ").slice(0, 2).join(" ");
  await writeFile(knownHosts, `[127.0.0.1]:${line.port} ${hostKey}\n[${at}]:${port} ${hostKey}\n`);
  removeStaleUsers();
  const users = new Map<Shell, TestUser>();
  for (const shell of shells) users.set(shell, await makeUser(shell, folder, join(keys, "client.pub")));
  const config = join(folder, "config");
  const direct = `${config}.direct`;
  for (const [file, host, to] of [
    [config, "127.0.0.1", line.port],
    [direct, at, port],
  ] as const) {
    const entries = [...users.values()].map(
      ({ address, name }) =>
        `Host ${address}\n  HostName ${host}\n  Port ${to}\n  User ${name}\n  IdentityFile ${keys}/client\n  IdentitiesOnly yes\n  UserKnownHostsFile ${knownHosts}\n`,
    );
    await writeFile(file, entries.join("\n"));
  }
  const banner = join(folder, "banner");
  await writeFile(banner, "*** Authorised use only ***\n");
  const serverConfig = join(folder, "sshd_config");
  await writeFile(
    serverConfig,
    `Port ${port}
ListenAddress ${at}
HostKey ${keys}/host
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
MaxStartups 200
Banner ${banner}
AuthorizedKeysFile .ssh/authorized_keys
Subsystem sftp internal-sftp
${Object.entries(env)
  .map(([name, value]) => `SetEnv ${name}=${value}\n`)
  .join("")}`,
  );
  let server: ReturnType<typeof spawn> | undefined;

  const sshd: Sshd = {
    folder,
    port: line.port,
    line,
    program: ["ssh", "-F", config],
    direct: ["ssh", "-F", direct, "-o", "ServerAliveInterval=1"],
    config,
    knownHosts,
    user(shell) {
      const found = users.get(shell);
      if (!found) throw new Error(`No user with ${shell}.`);
      return found;
    },
    async start(boot) {
      const words = [...(network?.within ?? []), "/usr/sbin/sshd", "-D", "-e", "-f", serverConfig];
      if (boot === undefined) server = spawn(words[0]!, words.slice(1), { stdio: "ignore" });
      else {
        const file = join(folder, "boot_id");
        await writeFile(file, `${boot}\n`);
        const script = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"';
        server = spawn("unshare", ["-m", "sh", "-c", script, file, ...words], { stdio: "ignore" });
      }
      for (let tries = 0; tries < 200; tries++) {
        if (await connects(port, at)) return;
        await sleep(25);
      }
      throw new Error("sshd did not start.");
    },
    async stop() {
      server?.kill("SIGTERM");
      server = undefined;
      line.cut();
      for (let tries = 0; tries < 200 && (await connects(port, at)); tries++) await sleep(25);
    },
    killUsers() {
      for (const { name } of users.values()) spawnSync("pkill", ["-KILL", "-u", name]);
    },
    async close() {
      await sshd.stop();
      line.close();
      sshd.killUsers();
      await sleep(100);
      for (const { name } of users.values()) spawnSync("userdel", ["-f", name], { stdio: "ignore" });
      await removeFolder(folder);
    },
  };
  await sshd.start();
  return sshd;
}

/** A line to a port of this machine that can be measured, cut and frozen. */
async function openLine(target: number, host: string): Promise<Line> {
  const sockets = new Set<Socket>();
  let up = 0;
  let down = 0;
  let made = 0;
  let frozen = false;
  const server: Server = createServer({ pauseOnConnect: true }, (client) => {
    made++;
    const far = createConnection({ port: target, host });
    for (const [one, other] of [
      [client, far],
      [far, client],
    ] as const) {
      sockets.add(one);
      one.setNoDelay(true);
      one.on("data", (data: Buffer) => {
        if (one === client) up += data.length;
        else down += data.length;
        if (!other.write(data)) one.pause();
      });
      one.on("drain", () => frozen || other.resume());
      one.on("error", () => {});
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      if (frozen) one.pause();
      else one.resume();
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: typeof address === "object" && address ? address.port : 0,
    up: () => up,
    down: () => down,
    made: () => made,
    cut,
    freeze(now) {
      frozen = now;
      for (const socket of sockets)
        if (now) socket.pause();
        else socket.resume();
    },
    close() {
      cut();
      server.close();
    },
  };
}

/** Users that a run left which was killed. */
function removeStaleUsers(): void {
  for (const [, name, pid] of readFileSync("/etc/passwd", "utf8").matchAll(/^(clf(\d+)-[a-z]+):/gm)) {
    if (!existsSync(`/proc/${pid}`)) spawnSync("userdel", ["-f", name!], { stdio: "ignore" });
  }
}

async function makeUser(shell: Shell, folder: string, key: string): Promise<TestUser> {
  // Of this process alone: several runs side by side do not get in each other's way.
  const name = `clf${process.pid}-${shell}`;
  const home = join(folder, "homes", name);
  await mkdir(dirname(home), { recursive: true });
  execFileSync("useradd", ["-M", "-d", home, "-s", SHELLS[shell], "-p", "*", name]);
  await mkdir(join(home, ".ssh"), { recursive: true });
  await mkdir(join(home, ".config/fish"), { recursive: true });
  await cp(key, join(home, ".ssh/authorized_keys"));
  for (const file of [".bashrc", ".profile", ".tcshrc", ".cshrc", ".config/fish/config.fish"]) {
    // tcsh has another way of saying where errors go.
    await writeFile(
      join(home, file),
      /csh/.test(file) ? "echo 'Welcome to the machine!'\necho 'a %s word'\n" : `${NOISE}\n`,
    );
  }
  execFileSync("chown", ["-R", `${name}:`, home]);
  return { name, home, shell, address: `host-${shell}` };
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

async function connects(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
