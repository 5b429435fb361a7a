/**
 * The keys a job takes to its runner, each for the one origin that it may be sent to. A project file, or a job folder that came with it,
 * may name any key and any address: a key goes nowhere that the person has not agreed to, once a (key, origin).
 */
import { existsSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import * as z from "zod";
import type { Job, JobEndpoint } from "../../../schemas/job.ts";
import { KEYS_VARIABLE, originOf } from "../engines/chat/endpoint.ts";
import type { EndpointKey } from "../engines/engine.ts";
import { WorkflowError } from "./error.ts";

/** A key that is wanted. */
export interface KeyWish {
  name: string;
  origin: string;
  /** The project file that names it. */
  project: string;
}

/** Gives the key's value; null when there is none, or the person does not agree. */
export type KeyOf = (wish: KeyWish) => Promise<string | null>;

/** The endpoints of a job that want a key, each pair of key and origin once. */
function wishesOf(job: Pick<Job, "models" | "project">, project: string): KeyWish[] {
  const endpoints = job.models.flatMap(({ endpoint, stages = [] }) => [
    endpoint,
    ...stages.map((stage) => stage.endpoint),
  ]);
  const wishes = new Map<string, KeyWish>();
  for (const endpoint of endpoints) {
    if (endpoint?.key === undefined) continue;
    const origin = originOf(endpoint.base_url);
    wishes.set(`${endpoint.key}\n${origin}`, { name: endpoint.key, origin, project });
  }
  return [...wishes.values()];
}

/**
 * What the runner's environment gets.
 * @throws WorkflowError that says which key is wanted, and where to put it
 */
export async function keyEnvironment(job: Job, project: string, keyOf: KeyOf): Promise<Record<string, string>> {
  const keys: EndpointKey[] = [];
  for (const wish of wishesOf(job, project))
    keys.push({ name: wish.name, origin: wish.origin, value: await requireKey(wish, keyOf) });
  return keys.length === 0 ? {} : { [KEYS_VARIABLE]: JSON.stringify(keys) };
}

/** Asks for the keys of endpoints before anything is made. @throws WorkflowError */
export async function requireKeys(endpoints: readonly JobEndpoint[], project: string, keyOf: KeyOf): Promise<void> {
  for (const { key: name, base_url } of endpoints) {
    if (name !== undefined) await requireKey({ name, origin: originOf(base_url), project }, keyOf);
  }
}

async function requireKey(wish: KeyWish, keyOf: KeyOf): Promise<string> {
  const value = await keyOf(wish);
  if (value) return value;
  throw new WorkflowError(
    `The endpoint at ${wish.origin} wants the key ${wish.name}. Set the environment variable ${wish.name}, or in VS Code run "Clf: Set Key" and allow it for ${wish.origin}.`,
  );
}

// --- consent outside VS Code ------------------------------------------------------------------------------------

/** Pairs that need no question: the key's own origin. */
const OWN = new Set(["OPENAI_API_KEY https://api.openai.com"]);
const Consents = z.array(z.strictObject({ key: z.string(), origin: z.string() }));

function consentFile(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CONFIG_HOME || join(homedir(), ".config"), "clf", "endpoint-consents.json");
}

function consents(env: NodeJS.ProcessEnv): z.output<typeof Consents> {
  const file = consentFile(env);
  if (!existsSync(file)) return [];
  try {
    return Consents.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    throw new WorkflowError(`${file} cannot be read: it lists which key may go where. Mend it or remove it.`);
  }
}

/**
 * Keys from the environment. Consent is given by `CLF_ALLOW_KEYS` (`KEY=https://origin`, separated by commas), by an earlier yes, or by
 * asking.
 * @param ask puts a yes-or-no question to a person; absent where nobody can answer
 */
export function keysFromEnvironment(env: NodeJS.ProcessEnv, ask?: (question: string) => Promise<boolean>): KeyOf {
  return async ({ name, origin, project }) => {
    const value = env[name];
    if (!value) return null;
    const allowed = (env.CLF_ALLOW_KEYS ?? "").split(",").map((pair) => pair.trim());
    if (OWN.has(`${name} ${origin}`) || allowed.includes(`${name}=${origin}`)) return value;
    const known = consents(env);
    if (known.some((consent) => consent.key === name && consent.origin === origin)) return value;
    const how = `CLF_ALLOW_KEYS=${name}=${origin}`;
    if (!ask) {
      throw new WorkflowError(
        `${project} wants to send your key ${name} to ${origin}, which you have not agreed to. If you know the project and trust that endpoint: set ${how}, or run the command in a terminal and say yes once.`,
      );
    }
    if (!(await ask(`May ${project} send your key ${name} to ${origin}?`))) {
      throw new WorkflowError(`Your key ${name} was not sent to ${origin}: you said no.`);
    }
    const file = consentFile(env);
    await mkdir(dirname(file), { recursive: true });
    await writeFileAtomic(file, `${JSON.stringify([...known, { key: name, origin }], null, 2)}\n`, { mode: 0o600 });
    return value;
  };
}
