/** The rules of the house (docs/architecture.md): who may import whom. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";

const root = join(import.meta.dirname, "../../..");
const files = globSync(["schemas/**/*.ts", "server/src/**/*.ts", "client/**/*.ts"], { cwd: root }).map((file) =>
  file.split(sep).join("/"),
);

/** Every module specifier of a file, static and dynamic. */
function imports(file: string): string[] {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)["']([^"']+)["']/g)].map((match) => match[1]!);
}

const edges = files.flatMap((from) =>
  imports(from).map((specifier) => ({
    from,
    specifier,
    to: specifier.startsWith(".")
      ? relative(root, join(root, dirname(from), specifier))
          .split(sep)
          .join("/")
      : null,
  })),
);

/** The folder a rule speaks of: `schemas`, `client`, `server/src/jobs`, `server/src/engines/linear`, or an entry file. */
function area(file: string): string {
  const parts = file.split("/");
  if (parts[0] !== "server") return parts[0]!;
  if (parts[2] === "engines" && parts.length > 4) return parts.slice(0, 4).join("/");
  return parts.length > 3 ? parts.slice(0, 3).join("/") : file;
}

const domain = ["dataset", "confidence", "evaluation", "review", "engines", "project", "jobs"].map(
  (f) => `server/src/${f}`,
);

function broken(rule: (edge: (typeof edges)[number]) => boolean): string[] {
  return edges.filter(rule).map((edge) => `${edge.from} imports ${edge.specifier}`);
}

describe("imports", () => {
  it("finds the code", () => {
    assert.ok(files.length > 20, `only ${files.length} files`);
    assert.ok(edges.length > 50, `only ${edges.length} imports`);
  });

  it("schemas import nothing of ours", () => {
    assert.deepEqual(
      broken((e) => e.from.startsWith("schemas/") && e.to !== null && !e.to.startsWith("schemas/")),
      [],
    );
  });

  it("the client never imports the server, nor the server the client", () => {
    assert.deepEqual(
      broken(
        (e) =>
          (e.from.startsWith("client/") && e.to?.startsWith("server/") === true) ||
          (e.from.startsWith("server/") && e.to?.startsWith("client/") === true),
      ),
      [],
    );
  });

  it("domain folders never import an LSP or VS Code module", () => {
    assert.deepEqual(
      broken((e) => domain.some((d) => e.from.startsWith(d)) && /^vscode|language-server/.test(e.specifier)),
      [],
    );
  });

  it("engines know nothing of hosts, hosts nothing of engines", () => {
    assert.deepEqual(
      broken(
        (e) =>
          (e.from.startsWith("server/src/engines/") && e.to?.startsWith("server/src/jobs/hosts/") === true) ||
          (e.from.startsWith("server/src/jobs/") && e.to?.startsWith("server/src/engines/") === true),
      ),
      [],
    );
  });

  it("no cycles between folders", () => {
    const graph = new Map<string, Set<string>>();
    for (const { from, to } of edges) {
      if (to === null) continue;
      const [a, b] = [area(from), area(to)];
      if (a !== b) graph.set(a, (graph.get(a) ?? new Set()).add(b));
    }
    const done = new Set<string>();
    const visit = (node: string, path: string[]): void => {
      if (path.includes(node)) assert.fail(`cycle: ${[...path.slice(path.indexOf(node)), node].join(" → ")}`);
      if (done.has(node)) return;
      for (const next of graph.get(node) ?? []) visit(next, [...path, node]);
      done.add(node);
    };
    for (const node of graph.keys()) visit(node, []);
  });
});
