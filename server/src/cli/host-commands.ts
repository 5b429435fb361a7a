/** `clf hosts check`, `clf hosts add`. */
import { relative } from "node:path";
import { configuredHosts } from "../jobs/hosts/ssh/config.ts";
import { addHost, type CheckedHost, checkHosts, hostNameOf } from "../workflow/host-setup.ts";
import { CliError, EXIT, print, printJson, say, table } from "./io.ts";
import { projectFile, withProject } from "./project.ts";

const ACTIONS = ["check", "add"] as const;

export interface HostsOptions {
  json?: boolean;
  name?: string;
  workdir?: string;
  price?: number;
}

export async function hosts(
  action: string,
  path: string,
  host: string | undefined,
  options: HostsOptions,
): Promise<number> {
  if (!ACTIONS.includes(action as never))
    throw new CliError(`No action "${action}". Actions: ${ACTIONS.join(", ")}.`, EXIT.usage);
  return action === "check" ? check(path, host, options) : add(path, host, options);
}

async function check(path: string, host: string | undefined, options: HostsOptions): Promise<number> {
  return withProject(path, async (session) => {
    const known = Object.keys(session.project.spec.hosts);
    if (host !== undefined && host !== "local" && !known.includes(host)) {
      throw new CliError(`There is no host "${host}". Hosts: ${["local", ...known].join(", ")}.`, EXIT.usage);
    }
    if (host === undefined && known.length === 0) {
      throw new CliError(`${path} has no hosts. Add one: clf hosts add ${path} user@host`);
    }
    const checked = await checkHosts(session, host === undefined ? known : [host]);
    if (options.json) printJson({ hosts: checked });
    else for (const each of checked) printChecks(each);
    return checked.every(({ checks }) => checks.every(({ ok }) => ok)) ? EXIT.fine : EXIT.problems;
  });
}

function printChecks({ host, address, checks }: CheckedHost): void {
  print(address === null ? host : `${host} (${address})`);
  print(
    table(
      checks.map(({ name, ok, detail }) => [ok ? "✓" : "✗", name, detail]),
      99,
    ),
  );
  const lacking = checks.filter(({ ok }) => !ok);
  if (lacking.length > 0) print("");
  for (const { name, remedy } of lacking) print(`${name}: ${remedy}`);
}

async function add(path: string, address: string | undefined, options: HostsOptions): Promise<number> {
  const file = await projectFile(path);
  if (address === undefined) {
    const found = await configuredHosts();
    if (options.json) printJson({ file, added: null, configured: found });
    else if (found.length === 0) print(`Your ssh config names no hosts. Say which: clf hosts add ${path} user@host`);
    else {
      print(
        table(
          found.map(({ name, hostName, user }) => [name, [user, hostName].filter(Boolean).join("@")]),
          99,
        ),
      );
      say(`Say which: clf hosts add ${path} ${found[0]!.name}`);
    }
    return EXIT.fine;
  }
  const name = options.name ?? hostNameOf(address);
  await addHost(file, { name, address, workdir: options.workdir, price_per_hour: options.price });
  if (options.json) printJson({ file, added: { name, address }, configured: [] });
  else print(`Added ${name} to ${relative(process.cwd(), file)}. Now: clf hosts check ${path} ${name}`);
  return EXIT.fine;
}
