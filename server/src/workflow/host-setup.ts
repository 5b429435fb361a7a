/** Adding hosts to a project, and checking them. */
import { readFile } from "node:fs/promises";
import writeFileAtomic from "write-file-atomic";
import { isMap, parseDocument, stringify } from "yaml";
import { ProjectFile } from "../../../schemas/project.ts";
import { type HostCheck, HostUnreachable } from "../jobs/hosts/host.ts";
import { HostError } from "../jobs/hosts/ssh/channel.ts";
import { WorkflowError } from "./error.ts";
import type { Session } from "./session.ts";

export interface CheckedHost {
  host: string;
  kind: string;
  address: string | null;
  checks: HostCheck[];
}

/** What each host has and lacks. One that cannot be reached has one line, which says why. */
export async function checkHosts(session: Session, names: readonly string[]): Promise<CheckedHost[]> {
  return Promise.all(
    names.map(async (name) => {
      const spec = session.project.spec.hosts[name];
      const address = spec && "address" in spec ? spec.address : null;
      return { host: name, kind: spec?.kind ?? "local", address, checks: await checksOf(session, name) };
    }),
  );
}

async function checksOf(session: Session, name: string): Promise<HostCheck[]> {
  try {
    return await session.hosts.named(name).check();
  } catch (error) {
    if (!(error instanceof HostUnreachable || error instanceof HostError || error instanceof WorkflowError))
      throw error;
    // The first sentence says what is, the others what to do.
    const [detail, ...remedy] = error.message.split(/(?<=[.?!:]) /);
    return [{ name: "connection", ok: false, detail: detail!, remedy: remedy.join(" ") || "Try again." }];
  }
}

export interface NewHost {
  name: string;
  address: string;
  workdir?: string | undefined;
  price_per_hour?: number | undefined;
}

/** A name for a host made from its address: "ubuntu@10.0.0.7" is "10-0-0-7". */
export function hostNameOf(address: string): string {
  return (
    address
      .replace(/^.*@/, "")
      .replaceAll(/[^A-Za-z0-9_-]+/g, "-")
      .replaceAll(/^[-_]+|-+$/g, "")
      .slice(0, 64)
      .toLowerCase() || "host"
  );
}

/**
 * The text of a project file with one more host. Everything else stays as it is, comments too.
 * @throws WorkflowError when there is a host of that name, or the project's schema does not allow it
 */
export function withHost(text: string, { name, ...host }: NewHost): string {
  const parsed = ProjectFile.shape.hosts.safeParse({ [name]: { kind: "ssh", ...host } });
  if (!parsed.success) {
    const { code, message, path } = parsed.error.issues[0]!;
    const field = path.at(-1) as keyof typeof host;
    if (code === "invalid_key")
      throw new WorkflowError(
        `"${name}" cannot be a host's name: letters, digits, dots, dashes and underscores, 64 at most.`,
      );
    if (field !== "address") throw new WorkflowError(`"${host[field]}" cannot be a host's ${field}: ${message}.`);
    throw new WorkflowError(`"${host.address}" is not an ssh address: a host of your ssh config, or user@host.`);
  }
  if (name === "local") throw new WorkflowError(`"local" always means this machine. Choose another name.`);
  const document = parseDocument(text);
  if (document.errors.length > 0)
    throw new WorkflowError(`The project file has errors: ${document.errors[0]!.message}`);
  const hosts = document.get("hosts");
  if (isMap(hosts) && hosts.has(name)) throw new WorkflowError(`There is a host "${name}" already.`);
  const fields = [
    "kind: ssh",
    `address: ${JSON.stringify(host.address)}`,
    ...(host.workdir === undefined ? [] : [`workdir: ${JSON.stringify(host.workdir)}`]),
    ...(host.price_per_hour === undefined ? [] : [`price_per_hour: ${host.price_per_hour}`]),
  ];
  const entry = `${stringify(name).trimEnd()}: { ${fields.join(", ")} }`;
  const lines = text.split("\n");
  const at = lines.findIndex((line) => /^hosts:\s*(#.*)?$/.test(line));
  if (isMap(hosts) && hosts.items.length > 0 && at >= 0) {
    const next = lines.slice(at + 1).find((line) => /^\s+[^\s#]/.test(line));
    const indent = /^\s+/.exec(next ?? "")?.[0] ?? "  ";
    lines.splice(at + 1, 0, `${indent}${entry}`);
    return lines.join("\n");
  }
  if (isMap(hosts) && hosts.items.length > 0) {
    document.setIn(["hosts", name], parsed.data[name]);
    return String(document);
  }
  const without = lines.filter((line) => !/^hosts:/.test(line)).join("\n");
  return `${without.replace(/\n*$/, "\n")}\nhosts:\n  ${entry}\n`;
}

/** Writes it. @throws WorkflowError */
export async function addHost(file: string, host: NewHost): Promise<void> {
  await writeFileAtomic(file, withHost(await readFile(file, "utf8"), host));
}

/** Where a job would run, in words for a person who is about to start it; `remote`: not on this machine. */
export function hostWords(
  { project }: Pick<Session, "project">,
  models: readonly string[],
  asked?: string,
): { words: string; remote: boolean } {
  const spec = project.spec.models[models[0] ?? ""];
  const name = asked ?? (spec && "host" in spec ? spec.host : undefined) ?? "local";
  if (name === "local") return { words: "on this machine", remote: false };
  const price = project.spec.hosts[name]?.price_per_hour;
  return { words: `on ${name}${price === undefined ? "" : `, $${price.toFixed(2)} an hour`}`, remote: true };
}
