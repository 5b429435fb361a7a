/** Time and memory of whole commands, with every process they start. */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export interface Run {
  seconds: number;
  /** Most resident memory that all its processes had together, looked at every 100 ms. */
  megabytes: number;
  out: string;
}

const PAGE = 4096;

/** Resident memory of all processes that belong to the run: those that name its folder, and their children. */
export function treeMegabytes(mark: string, pid: number): number {
  const processes: { pid: number; parent: number; named: boolean; pages: number }[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8");
      const pages = Number(readFileSync(`/proc/${name}/statm`, "utf8").split(" ")[1]);
      processes.push({ pid: Number(name), parent, named: command.includes(mark), pages });
    } catch {
      // Gone meanwhile.
    }
  }
  const tree = new Set(processes.filter((each) => each.named || each.pid === pid).map((each) => each.pid));
  for (let grown = true; grown; ) {
    grown = false;
    for (const each of processes) {
      if (tree.has(each.pid) || !tree.has(each.parent)) continue;
      tree.add(each.pid);
      grown = true;
    }
  }
  const pages = processes.reduce((sum, each) => sum + (tree.has(each.pid) ? each.pages : 0), 0);
  return (pages * PAGE) / 2 ** 20;
}

/**
 * Runs a command to its end.
 * @param mark part of the command line of every process that belongs to the run: jobs are nobody's children
 * @throws when its exit code is not 0
 */
export function run(command: string, args: string[], mark: string, threads: string): Promise<Run> {
  const environment: NodeJS.ProcessEnv = { ...process.env };
  for (const name of ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]) environment[name] = threads;
  // Set on some machines to a core the BLAS library does not know best: the peer runs at its own choice.
  delete environment.OPENBLAS_CORETYPE;
  delete environment.OPENBLAS_L2_SIZE;
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, { env: environment, stdio: ["ignore", "pipe", "inherit"] });
    let out = "";
    let megabytes = 0;
    const sample = setInterval(() => {
      megabytes = Math.max(megabytes, treeMegabytes(mark, child.pid!));
    }, 100);
    child.stdout.on("data", (text: Buffer) => {
      out += text;
    });
    child.on("close", (code) => {
      clearInterval(sample);
      const seconds = (performance.now() - started) / 1000;
      if (code === 0) resolve({ seconds, megabytes, out });
      else reject(new Error(`${command} ${args.join(" ")} ended with exit code ${code}.`));
    });
  });
}
