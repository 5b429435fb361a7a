/** A base model that is a folder of the project: which of its files the worker reads. */
import { lstat, readdir, stat } from "node:fs/promises";
import { join, win32 } from "node:path";
import { confine } from "../../project/paths.ts";
import { EngineError } from "../engine.ts";

export interface BaseFolder {
  path: string;
  /** By name, sorted. */
  files: { name: string; bytes: number }[];
}

/** What a tokenizer and a configuration are made of. */
const SMALL = /\.(json|txt|model|jinja|tiktoken)$/;
/** Weights, the first kind that is there counts: the loader does not look at the others. */
const WEIGHTS = [/\.safetensors$/, /^(pytorch_)?model.*\.bin$/];

/**
 * The folder that a `qlora` model's `base` names on the way to another machine; null for the name of a model on the hub, and for a whole path,
 * which is that machine's own. What is outside the project's folder is not for other machines, as the project's data is not.
 *
 * @throws EngineError with what is in the way, and what to do
 */
export async function baseFolder(
  project: string,
  { base, gguf_file }: { base: string; gguf_file?: string | undefined },
): Promise<BaseFolder | null> {
  function refuse(what: string, remedy: string): never {
    throw new EngineError(`The base "${base}" cannot be brought to another machine: ${what}.`, remedy);
  }
  if (base.startsWith("/")) return null;
  if (win32.isAbsolute(base) || /^[a-z]:/i.test(base)) {
    refuse("it is a path of this machine", "Copy the folder into the project's, and name it by its relative path.");
  }
  const path = join(project, base);
  if (!(await stat(path).catch(() => null))?.isDirectory()) {
    // Names on the hub are one word, or two with a slash between.
    if (/^[^./\\~][^/\\]*(\/[^/\\]+)?$/.test(base)) return null;
    refuse("there is no such folder", "Correct the path, or give the model's name on the hub.");
  }
  const confined = await confine(project, base);
  if ("refused" in confined) {
    refuse(
      "it is outside the project's folder",
      "Copy it into the project's folder, or give the model's name on the hub, or the folder's whole path on that machine.",
    );
  }
  const names = (await readdir(path)).filter((name) => !name.startsWith(".")).sort();
  const weights = gguf_file
    ? names.filter((name) => name === gguf_file)
    : (WEIGHTS.map((kind) => names.filter((name) => kind.test(name))).find((found) => found.length > 0) ?? []);
  if (weights.length === 0) {
    refuse(
      gguf_file
        ? `there is no ${gguf_file} in the folder`
        : "there are no weights in the folder, neither *.safetensors nor *.bin",
      gguf_file ? "Correct gguf_file." : "Name the folder that holds them; of a GGUF file its name is gguf_file.",
    );
  }
  const files: BaseFolder["files"] = [];
  for (const name of [...names.filter((name) => SMALL.test(name)), ...weights].sort()) {
    const status = await lstat(join(path, name));
    if (!status.isFile()) {
      refuse(
        `${name} in it is a link, and what links lead to does not travel`,
        "Copy the folder with what its links lead to (cp -rL), or give the model's name on the hub.",
      );
    }
    files.push({ name, bytes: status.size });
  }
  return { path, files };
}
