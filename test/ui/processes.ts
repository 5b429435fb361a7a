/** The processes of this machine, those behind a window, and their memory (Linux). */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { Editor } from "../../scripts/editor/workbench.ts";

export interface Process {
  pid: number;
  args: string[];
}

/** All processes (Linux; elsewhere none). */
export function processes(): Process[] {
  if (!existsSync("/proc/self/cmdline")) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [{ pid: Number(name), args: readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0") }];
      } catch {
        return []; // Ended between the two looks, or not ours.
      }
    });
}

/** A number of `/proc/<pid>/status`; 0 where there is none. */
function field(pid: number, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
}

/** Children of a process with an argument that has the text. */
export function childrenOf(parent: number, part: string): number[] {
  return processes()
    .filter(({ args }) => args.some((argument) => argument.includes(part)))
    .map(({ pid }) => pid)
    .filter((pid) => {
      try {
        return field(pid, "PPid") === parent;
      } catch {
        return false; // Ended between the two looks.
      }
    });
}

/** Language servers of the editor's windows. */
export const serversOf = (editor: Editor): number[] =>
  editor.extensionHosts().flatMap((host) => childrenOf(host, "server.mjs"));

/** MiB that a process holds now, and held at most. */
export function memoryOf(pid: number): { now: number; most: number } {
  return { now: field(pid, "VmRSS") / 1024, most: field(pid, "VmHWM") / 1024 };
}
