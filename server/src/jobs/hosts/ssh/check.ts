/** What a host has and lacks for fine-tuning, each lack with what to do about it. */
import { GPU_LOCK, type HostCheck, HostUnreachable } from "../host.ts";
import type { Connection } from "./connection.ts";

/** Where base models come from. */
const HUB = "https://huggingface.co";
/** Lines of facts are bounded: a host that tells more is not answering the question. */
const FACTS = 500;

const gib = (kib: number): string => `${(kib / 1_048_576).toFixed(kib < 10 * 1_048_576 ? 1 : 0)} GiB`;

/** Disk for the worker's environment (9 GiB) and a 7B base model (15 GiB), and memory to load one. */
const NEEDED = { disk: 24 * 1_048_576, memory: 14 * 1_048_576 };
/** Seconds by which clocks may differ before it is worth a word. Nothing depends on it. */
const CLOCK = 60;

export async function checkHost(connection: Connection): Promise<HostCheck[]> {
  const facts = new Map<string, string[]>();
  const started = Date.now();
  await connection.call(["check", GPU_LOCK, HUB], async (channel) => {
    let count = 0;
    for (let line = await channel.line(); line !== "checked"; line = await channel.line()) {
      const found = /^fact (\S+) ?(.*)$/.exec(line);
      if (!found || ++count > FACTS) throw new HostUnreachable(`${connection.address} answers what is not understood.`);
      const values = facts.get(found[1]!) ?? [];
      values.push(found[2]!.replaceAll(/\p{Cc}/gu, " ").trim());
      facts.set(found[1]!, values);
    }
  });
  return judge(connection.address, facts, (Date.now() + started) / 2000);
}

/** @param now seconds, here, at about the moment of the facts */
export function judge(address: string, facts: ReadonlyMap<string, readonly string[]>, now: number): HostCheck[] {
  const one = (name: string) => facts.get(name)?.[0] ?? "";
  const checks: HostCheck[] = [];
  const check = (name: string, ok: boolean, detail: string, remedy?: string) =>
    checks.push({ name, ok, detail, ...(ok || !remedy ? {} : { remedy }) });

  check("connection", true, `${address}: ${one("system")}`);

  const missing = one("missing");
  check(
    "tools",
    missing === "",
    missing === "" ? "complete" : `missing: ${missing}`,
    "Install coreutils, findutils, procps, gawk and sed.",
  );
  const apart = one("apart");
  check(
    "jobs apart from the login",
    apart !== "",
    apart || "neither setsid with flock nor perl",
    "Install util-linux (Debian, Ubuntu: apt-get install util-linux).",
  );

  const folder = one("folder");
  check(
    "folder",
    folder !== "",
    folder || one("unwritable"),
    "Give yourself write access there, or choose another workdir in hosts.",
  );

  const gpus = facts.get("gpu") ?? [];
  if (gpus.length === 0) {
    const trouble = one("gpu-trouble");
    check(
      "GPU",
      false,
      trouble || "no nvidia-smi",
      trouble
        ? "The driver does not work: reboot the machine, or install the driver again."
        : "Choose a machine with an NVIDIA GPU, or install its driver (an image with CUDA has it).",
    );
  }
  for (const [n, gpu] of gpus.entries()) {
    const [name, driver, total] = gpu.split(",").map((part) => part.trim());
    const memory = Number(total);
    check(
      gpus.length > 1 ? `GPU ${n}` : "GPU",
      !(memory < 11_000),
      `${name}, ${(memory / 1024).toFixed(0)} GiB, driver ${driver}`,
      "A 7B model needs about 11.5 GiB at 512 tokens. Choose a smaller base, or a larger GPU.",
    );
  }
  const processes = (facts.get("process") ?? []).map((text) => {
    const [pid, owner, used, ...name] = text.split(" ");
    return { pid, owner, used: Number(used), name: name.join(" ") };
  });
  const foreign = processes.filter(({ owner }) => owner !== "clf");
  if (gpus.length > 0) {
    const words = foreign.map(
      ({ pid, owner, used, name }) => `${name} (process ${pid} of ${owner}, ${used || "?"} MiB)`,
    );
    check(
      "GPU free of others",
      foreign.length === 0,
      words.join("; ") || "nothing else runs on it",
      `Not started by Clf, and in its way: end it if it is yours (ssh ${address} kill ${foreign.map(({ pid }) => pid).join(" ")}).`,
    );
    check("GPU lock", true, one("lock") === "held" ? "held by a job: the next one waits its turn" : "free");
  }

  const [totalMemory = 0, freeMemory = 0] = one("memory").split(" ").map(Number);
  check(
    "memory",
    totalMemory >= NEEDED.memory,
    `${gib(totalMemory)}, ${gib(freeMemory)} available, ${one("cpus") || "?"} CPUs`,
    "Loading a 7B model needs about 15 GiB. Choose a smaller base, or a machine with more.",
  );
  const [, freeDisk = 0] = one("disk").split(" ").map(Number);
  check(
    "disk",
    freeDisk >= NEEDED.disk,
    `${gib(freeDisk)} free`,
    "The environment takes 9 GiB, a 7B base model 15 GiB. Make room, enlarge the volume, or choose another workdir.",
  );

  const python = one("python");
  check(
    "Python",
    python !== "",
    python || `${one("python-any") || "none"}: 3.11 to 3.14 is needed`,
    "Install one (Debian, Ubuntu: apt-get install python3 python3-venv; without root: uv python install 3.12).",
  );
  const uv = one("uv");
  const environment = one("environment");
  check(
    "uv",
    uv !== "" || one("venv") === "yes" || environment !== "",
    uv || (one("venv") === "yes" ? "comes with the first job" : "missing, and Python has no venv to install it"),
    "Without root: curl -LsSf https://astral.sh/uv/install.sh | sh. Debian, Ubuntu: apt-get install python3-venv.",
  );
  check("environment", true, environment ? `made (${environment})` : "is made by the first job: some minutes, once");
  const hub = one("hub");
  check(
    "way to the hub",
    hub === "reached",
    hub === "reached" ? HUB : `${HUB} does not answer from there`,
    "Let the machine out to huggingface.co and pypi.org (TCP port 443), or bring models and wheels there (docs/remote-host.md).",
  );

  const [kill = "", linger = ""] = one("logout").split(" ");
  check(
    "jobs outlive the login",
    kill !== "yes" || linger === "yes",
    kill === "yes" && linger !== "yes" ? "this system ends a user's processes at logout" : "yes",
    `Run once on the host: loginctl enable-linger`,
  );
  const ahead = Number(one("clock")) - now;
  check(
    "clock",
    true,
    Math.abs(ahead) < CLOCK
      ? "agrees with this machine's"
      : `${Math.round(Math.abs(ahead))} s ${ahead > 0 ? "ahead of" : "behind"} this machine's: harmless`,
  );
  const [jobs = "0", kib = "0"] = one("jobs").split(" ");
  check("jobs there", true, `${jobs}, ${gib(Number(kib))} in all`);
  return checks;
}
