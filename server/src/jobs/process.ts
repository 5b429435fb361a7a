/** Who a process is and whether it still runs, on this machine. The same answers as supervisor.sh gives. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { execa } from "execa";
import type { ProcessIdentity } from "../../../schemas/job.ts";

/**
 * `alive`: the process runs. `leftover`: it is gone, but members of the process group that it led run. `gone`: nothing of
 * it runs. `elsewhere`: it was started on another machine, so nothing can be said from here.
 */
export type Liveness = "alive" | "leftover" | "gone" | "elsewhere";

/** What a machine's operating system says of processes. */
interface ProcessTable {
  boot(): Promise<string>;
  machine(): Promise<string>;
  /** Start time; empty when there is no such process, or only a zombie. */
  started(pid: number): Promise<string>;
  /** Whether the group has running members besides its leader. */
  groupRuns(leader: number): Promise<boolean>;
}

const linux: ProcessTable = {
  async boot() {
    return `${readText("/proc/sys/kernel/random/boot_id")} ${readLink("/proc/self/ns/pid")}`;
  },
  async machine() {
    return `${readText("/etc/machine-id")} ${readText("/proc/sys/kernel/hostname")}`;
  },
  async started(pid) {
    const fields = procStat(pid);
    return fields && fields[0] !== "Z" && fields[0] !== "X" ? (fields[19] ?? "") : "";
  },
  async groupRuns(leader) {
    for (const name of readdirSync("/proc")) {
      if (!/^\d+$/.test(name) || Number(name) === leader) continue;
      const fields = procStat(Number(name));
      if (fields && Number(fields[2]) === leader && fields[0] !== "Z") return true;
    }
    return false;
  },
};

const mac: ProcessTable = {
  boot: () => output("sysctl", ["-n", "kern.bootsessionuuid"]),
  machine: () => output("sysctl", ["-n", "kern.uuid"]),
  async started(pid) {
    const state = await output("ps", ["-o", "stat=", "-p", String(pid)]);
    if (state === "" || state.startsWith("Z")) return "";
    const start = await output("ps", ["-o", "lstart=", "-p", String(pid)], { TZ: "UTC0", LC_ALL: "C" });
    return start.replaceAll(/\s+/g, " ");
  },
  async groupRuns(leader) {
    const rows = (await output("ps", ["-A", "-o", "pgid=,pid=,stat="]))
      .split("\n")
      .map((row) => row.trim().split(/\s+/));
    return rows.some(
      ([group, pid, state]) => Number(group) === leader && Number(pid) !== leader && !state?.startsWith("Z"),
    );
  },
};

/** Untried on Windows itself. */
const windows: ProcessTable = {
  boot: () => powershell("(Get-CimInstance Win32_OperatingSystem).LastBootUpTime.ToFileTimeUtc()"),
  machine: async () => hostname(),
  started: (pid) => powershell(`(Get-Process -Id ${pid} -ErrorAction SilentlyContinue).StartTime.ToFileTimeUtc()`),
  groupRuns: async () => false,
};

const table = process.platform === "win32" ? windows : process.platform === "darwin" ? mac : linux;

/** The identity of a running process; null when it does not run. */
export async function identify(pid: number): Promise<ProcessIdentity | null> {
  const started = await table.started(pid);
  return started === "" ? null : { pid, started, boot: await table.boot(), machine: await table.machine() };
}

export async function liveness(identity: ProcessIdentity): Promise<Liveness> {
  if ((await table.boot()) !== identity.boot)
    return (await table.machine()) === identity.machine ? "gone" : "elsewhere";
  const started = await table.started(identity.pid);
  if (started !== "") return started === identity.started ? "alive" : "gone";
  return (await table.groupRuns(identity.pid)) ? "leftover" : "gone";
}

/** Sends a signal to the process and the group that it leads; to nobody when the pid is another's by now. */
export async function signalGroup(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<void> {
  const state = await liveness(identity);
  if (state !== "alive" && state !== "leftover") return;
  if (process.platform === "win32") {
    const forced = signal === "SIGKILL" ? ["/F"] : [];
    await execa("taskkill", [...forced, "/T", "/PID", String(identity.pid)], { reject: false });
    return;
  }
  for (const pid of [-identity.pid, identity.pid]) {
    try {
      process.kill(pid, signal);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

/** Fields of /proc/<pid>/stat after the command's name (which may hold anything): the first is the state. */
function procStat(pid: number): string[] | null {
  const text = readText(`/proc/${pid}/stat`);
  const end = text.lastIndexOf(") ");
  return end < 0 ? null : text.slice(end + 2).split(" ");
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

async function output(file: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await execa(file, args, { reject: false, env, stdin: "ignore" });
  return stdout.trim();
}

function powershell(command: string): Promise<string> {
  return output("powershell.exe", ["-NoProfile", "-NonInteractive", "-Command", command]);
}
