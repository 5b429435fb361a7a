/** Clf: Add Host, Clf: Check Host. */
import * as vscode from "vscode";
import type { Requests } from "../../../schemas/protocol.ts";
import { type Guard, needTrust } from "../commands/guard.ts";
import type { ProjectSummary, Projects } from "../projects/projects.ts";
import type { Server } from "../server/server.ts";

const TYPED = "Another address…";
/** Of the pages that a check shows. */
const SCHEME = "clf-host";

export function registerHostCommands(guard: Guard, server: Server, projects: Projects): vscode.Disposable {
  // Documents that nobody can edit, so that closing one asks nothing.
  const tables = new Map<string, string>();
  const changed = new vscode.EventEmitter<vscode.Uri>();
  const provider: vscode.TextDocumentContentProvider = {
    onDidChange: changed.event,
    provideTextDocumentContent: ({ path }) => tables.get(path) ?? "",
  };

  async function check({ project }: ProjectSummary, host: string): Promise<void> {
    const checked = await server.request("clf/hosts/check", { project, host }, { progress: `Clf: checking ${host}` });
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${host}.md` });
    tables.set(uri.path, table(checked));
    changed.fire(uri);
    await vscode.commands.executeCommand("markdown.showPreview", uri);
  }

  async function add(project: ProjectSummary): Promise<void> {
    const configured = await server.request("clf/hosts/configured", {});
    const items = [
      ...configured.map(({ name, user, hostName }) => ({
        label: name,
        description: [user, hostName].filter(Boolean).join("@"),
      })),
      { label: TYPED, description: "user@host, not in your ssh config" },
    ];
    const picked =
      configured.length === 0
        ? { label: TYPED }
        : await vscode.window.showQuickPick(items, { title: "Add which host of your ssh config?" });
    if (!picked) return;
    const address =
      picked.label === TYPED
        ? await vscode.window.showInputBox({
            title: "The host's ssh address",
            prompt: "user@host, as you would type it after ssh",
            placeHolder: "ubuntu@10.0.0.7",
            validateInput: (text) =>
              /^(?!-)[A-Za-z0-9._@:[\]%-]+$/.test(text) ? undefined : "A name from your ssh config, or user@host.",
          })
        : picked.label;
    if (!address) return;
    const price = await vscode.window.showInputBox({
      title: `What ${address} costs an hour, in dollars`,
      prompt: "For the cost of jobs. Leave it empty if it costs nothing.",
      placeHolder: "1.00",
      validateInput: (text) => (text.trim() === "" || Number(text) >= 0 ? undefined : "A number, or nothing."),
    });
    if (price === undefined) return;
    // The server writes the file: what is typed but not saved would be lost, or in the way.
    const open = vscode.workspace.textDocuments.find(({ uri }) => uri.toString() === project.project);
    if (open?.isDirty && !(await open.save())) return;
    const { name } = await server.request("clf/hosts/add", {
      project: project.project,
      address,
      ...(price.trim() === "" ? {} : { price_per_hour: Number(price) }),
    });
    const answer = await vscode.window.showInformationMessage(
      `Added the host ${name}. Name it in a model (host: ${name}), or choose it when you fine-tune.`,
      "Check Host",
    );
    if (answer === "Check Host") await check(project, name);
  }

  return vscode.Disposable.from(
    changed,
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, provider),
    guard.command("clf.addHost", async (given: unknown) => {
      needTrust();
      const project = await projects.choose(given);
      if (project) await add(project);
    }),
    guard.command("clf.checkHost", async (given: unknown, name: unknown) => {
      needTrust();
      const project = await projects.choose(given);
      if (!project) return;
      if (project.hosts.length === 0) throw new Error(`${project.name} has no hosts. Add one: “Clf: Add Host…”.`);
      const host =
        typeof name === "string"
          ? name
          : project.hosts.length === 1
            ? project.hosts[0]
            : await vscode.window.showQuickPick(project.hosts, { title: "Check which host?" });
      if (host) await check(project, host);
    }),
  );
}

/** The checks as a Markdown table, what is missing first, each with what to do. What a host says is text, never markup. */
function table({ host, address, checks }: Requests["clf/hosts/check"]["result"]): string {
  const cell = (text: string) =>
    text.replaceAll(/[\\`*_{}[\]<>()#+!|~&]/g, (sign) => `\\${sign}`).replaceAll("\n", " ");
  const missing = checks.filter(({ ok }) => !ok);
  const verdict = missing.length === 0 ? "Everything is there." : `${missing.length} of ${checks.length} to mend.`;
  const rows = [...missing, ...checks.filter(({ ok }) => ok)].map(
    ({ name, ok, detail, remedy }) => `| ${ok ? "✓" : "✗"} | ${cell(name)} | ${cell(detail)} | ${cell(remedy ?? "")} |`,
  );
  return [
    `# Host ${cell(host)}${address === null ? "" : ` (${cell(address)})`}`,
    "",
    verdict,
    "",
    "| | what | there | what to do |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
