/** The processes behind a window: the language server, its children, and their memory (Linux). */
import { readdirSync, readFileSync } from "node:fs";
import type { Editor } from "../../scripts/editor/workbench.ts";

/** A number of `/proc/<pid>/status`; 0 where there is none. */
function field(pid: number, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
}

/** Children of a process whose command line has the text. */
export function childrenOf(parent: number, part: string): number[] {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .map(Number)
    .filter((pid) => {
      try {
        return field(pid, "PPid") === parent && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(part);
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
