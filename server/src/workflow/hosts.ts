/** The hosts of a project: made when they are first needed, and how a job's runner is started on each. */
import { dirname } from "node:path";
import type { Job, JobModel } from "../../../schemas/job.ts";
import { EngineError } from "../engines/engine.ts";
import { type BaseFolder, baseFolder } from "../engines/qlora/base-folder.ts";
import { WORKER_SCRIPT } from "../engines/qlora/worker.ts";
import { GPU_LOCK, type Host, type RunnerCommand } from "../jobs/hosts/host.ts";
import { type SshHost, sshHost } from "../jobs/hosts/ssh/ssh.ts";
import type { Project } from "../project/project.ts";
import { WorkflowError } from "./error.ts";
import type { KeyOf } from "./keys.ts";

export interface ProjectHosts {
  /** @throws WorkflowError when the project has no such host, or it cannot be used */
  named(name: string): Host;
  close(): void;
}

/** Engines that run where there is a shell and Python, and no Node. */
const WITHOUT_NODE: ReadonlySet<string> = new Set(["qlora"]);
/** The hub's own name for the variable that holds its token. */
const HUB_TOKEN = "HF_TOKEN";

export function projectHosts(project: Project, local: Host): ProjectHosts {
  const made = new Map<string, SshHost>();
  return {
    named(name) {
      if (name === "local") return local;
      const spec = project.spec.hosts[name];
      if (!spec) {
        const known = ["local", ...Object.keys(project.spec.hosts)].join(", ");
        throw new WorkflowError(`There is no host "${name}" in ${project.name}. Hosts: ${known}.`);
      }
      if (spec.kind !== "ssh") {
        throw new WorkflowError(`Host "${name}" is of kind ${spec.kind}, which this version of Clf cannot reach yet.`);
      }
      let host = made.get(name);
      if (!host) {
        const { address, workdir } = spec;
        host = sshHost({ name, address, workdir, ...ownConfig() });
        made.set(name, host);
      }
      return host;
    },
    close() {
      for (const host of made.values()) host.close();
      made.clear();
    },
  };
}

/** Another ssh configuration than the user's own, for those who keep several. */
function ownConfig(): { program?: string[] } {
  const config = process.env.CLF_SSH_CONFIG;
  return config ? { program: ["ssh", "-F", config] } : {};
}

/** Models that the host cannot run, with the reason for a person; null when it can. */
export function whyNotOn(host: string, models: readonly Pick<JobModel, "name" | "spec">[]): string | null {
  const others = models.filter(({ spec }) => !WITHOUT_NODE.has(spec.engine));
  if (others.length === 0) return null;
  const names = others.map(({ name, spec }) => `"${name}" (engine ${spec.engine})`).join(", ");
  return `${names} cannot run on host "${host}": ssh hosts have no Node, and need none for engine qlora. Run it on this machine: leave the host out, or say local.`;
}

/** The lock that a job of this machine waits for: one at a time where the worker runs, which takes the GPU. Others need none. */
export function localLock(models: readonly Pick<JobModel, "spec" | "stages">[]): { lock?: string } {
  const atWork = models.flatMap(({ spec, stages }) => [
    spec,
    ...(stages ?? []).filter((s) => !s.predictions).map((s) => s.spec),
  ]);
  return atWork.some(({ engine }) => engine === "qlora") ? { lock: GPU_LOCK } : {};
}

/** A base model that is a folder of the project. */
export interface OwnBase extends BaseFolder {
  /** As the project calls it. */
  base: string;
}

/**
 * The bases of models that are folders of the project: on the way to another machine they have to be brought.
 *
 * @throws WorkflowError when one cannot be
 */
export async function ownBases(project: Project, models: readonly Pick<JobModel, "spec">[]): Promise<OwnBase[]> {
  const found = new Map<string, OwnBase>();
  for (const { spec } of models) {
    if (spec.engine !== "qlora") continue;
    const { base } = spec;
    const folder = await baseFolder(project.folder, spec).catch((error: unknown) => {
      if (error instanceof EngineError) throw new WorkflowError(`${error.message} ${error.remedy}`);
      throw error;
    });
    if (!folder) continue;
    // Two models may read different files of one folder.
    const before = found.get(base)?.files ?? [];
    const others = folder.files.filter(({ name }) => !before.some((file) => file.name === name));
    found.set(base, { base, path: folder.path, files: [...before, ...others] });
  }
  return [...found.values()];
}

/**
 * How the worker is started on a host elsewhere: its own files travel there, and bases that are folders of the project; its environment is
 * made there, once.
 */
export async function remoteRunner(job: Job, project: Project, keyOf: KeyOf): Promise<RunnerCommand> {
  const why = whyNotOn(job.host.name, job.models);
  if (why) throw new WorkflowError(why);
  const spec = project.spec.hosts[job.host.name];
  const origin = `ssh://${spec && "address" in spec ? spec.address : job.host.name}`;
  // Only somebody who has a token is asked whether that host may have it.
  const token = process.env[HUB_TOKEN] ? await keyOf({ name: HUB_TOKEN, origin, project: project.file }) : null;
  const bases = await ownBases(project, job.models);
  return {
    command: ["sh", "{program}/run.sh", ...bases.flatMap(({ base }, n) => ["--base", base, `{base ${n + 1}}`])],
    program: dirname(WORKER_SCRIPT),
    folders: Object.fromEntries(
      bases.map(({ path, files }, n) => [`base ${n + 1}`, { folder: path, files: files.map(({ name }) => name) }]),
    ),
    lock: GPU_LOCK,
    ...(token ? { env: { [HUB_TOKEN]: token } } : {}),
  };
}
