/** Files that change behind the editor's back: another editor, a `git checkout`, folders that come and go, another window. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JobView, ProjectSummary } from "../../schemas/protocol.ts";
import { type Client, startClient, uriOf } from "./client.ts";
import { csv, type Folder, makeFolder, PROJECT } from "./workspace.ts";

describe("files that change outside the editor", function () {
  this.timeout(120_000);
  const folders: Folder[] = [];
  const clients: Client[] = [];
  const newFolder = () => {
    const folder = makeFolder();
    folders.push(folder);
    folder.write("data/a.csv", csv(["Burns", "Cuts"]));
    return folder;
  };
  afterEach(async () => {
    for (const client of clients.splice(0)) assert.equal(await client.stop(), 0);
    for (const folder of folders.splice(0)) folder.remove();
  });

  interface Window {
    client: Client;
    /** Jobs as the client's list would hold them: by id, the state last told. */
    jobs: Map<string, JobView>;
    /** How often the server has said that projects changed. */
    told(): number;
    projects(): Promise<ProjectSummary[]>;
  }
  async function openWindow(paths: string[]): Promise<Window> {
    const client = await startClient({ folders: paths });
    clients.push(client);
    const jobs = new Map<string, JobView>();
    let told = 0;
    client.connection.onNotification("clf/jobs/changed", ({ job }: { job: JobView }) => void jobs.set(job.job, job));
    client.connection.onNotification("clf/jobs/removed", ({ job }: { job: string }) => void jobs.delete(job));
    client.connection.onNotification("clf/projects/changed", () => void told++);
    return { client, jobs, told: () => told, projects: () => client.request("clf/projects", {}) };
  }
  async function when(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 600; tries++) {
      if (await condition()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.fail(`It never came: ${what}`);
  }
  async function fineTune({ client, jobs }: Window, project: string): Promise<string> {
    const { job } = await client.request<{ job: string }>("clf/jobs/start", {
      project: uriOf(project),
      kind: "fine-tune",
      models: ["baseline"],
    });
    await when("the end of the job", () => jobs.get(job)?.state === "succeeded");
    return job;
  }

  it("a checkout of another branch: projects, models and data are those of that branch", async () => {
    const folder = newFolder();
    const file = folder.write("p.clf.yaml", PROJECT);
    const window = await openWindow([folder.path]);
    const rows = async () =>
      (
        await window.client.request<{ rows: number }>("clf/jobs/preflight", {
          project: uriOf(file),
          kind: "fine-tune",
          models: ["baseline"],
        })
      ).rows;
    assert.equal(await rows(), 120);
    const before = window.told();
    folder.write("p.clf.yaml", PROJECT.replace("second:", "third:"));
    folder.write("data/a.csv", csv(["Burns", "Cuts"], 80));
    const other = folder.write("q.clf.yaml", PROJECT);
    window.client.changed(file, join(folder.path, "data/a.csv"), other);
    await when("word of it", () => window.told() > before);
    const summaries = await window.projects();
    assert.deepEqual(
      summaries.map(({ project, models }) => [project, models.map(({ name }) => name)]),
      [
        [uriOf(file), ["baseline", "third"]],
        [uriOf(other), ["baseline", "second"]],
      ],
    );
    assert.equal(await rows(), 80);
  });

  it("an open project is checked again when the data or a file it names changes on disk", async () => {
    const folder = newFolder();
    const { client } = await openWindow([folder.path]);
    const document = client.open(folder.write("p.clf.yaml", PROJECT), PROJECT);
    await client.diagnostics(document.uri, (all) => all.length === 0);
    const data = folder.write("data/a.csv", csv(["Scalds", "Cuts"]));
    client.changed(data);
    await client.diagnostics(document.uri, (all) => all.some(({ code }) => code === "absent-label"));
    rmSync(data);
    client.changed(data);
    await client.diagnostics(document.uri, (all) => all.some(({ code }) => code === "missing-file"));
    folder.write("data/a.csv", csv(["Burns", "Cuts"]));
    client.changed(data);
    await client.diagnostics(document.uri, (all) => all.length === 0);
  });

  it("a project file that is deleted takes its jobs out of the list, and brings them back with it", async () => {
    const folder = newFolder();
    const file = folder.write("p.clf.yaml", PROJECT);
    const window = await openWindow([folder.path]);
    const job = await fineTune(window, file);
    rmSync(file);
    window.client.changed(file);
    await when("that the job is gone", () => !window.jobs.has(job));
    assert.deepEqual(await window.projects(), []);
    assert.deepEqual(await window.client.request("clf/jobs/list", {}), []);
    // Nothing of it was touched.
    assert.ok(existsSync(join(folder.path, ".clf", "jobs", job, "model", "linear.json")));
    const before = window.told();
    folder.write("p.clf.yaml", PROJECT);
    window.client.changed(file);
    await when("word of it", () => window.told() > before);
    assert.equal((await window.projects()).length, 1);
    await when("that the job is back", () => window.jobs.get(job)?.state === "succeeded");
  });

  it("a project file that is renamed is one project under its new name", async () => {
    const folder = newFolder();
    const file = folder.write("p.clf.yaml", PROJECT);
    const window = await openWindow([folder.path]);
    assert.equal((await window.projects()).length, 1);
    const renamed = folder.file("injuries.clf.yaml");
    const before = window.told();
    renameSync(file, renamed);
    window.client.changed(file, renamed);
    await when("word of it", () => window.told() > before);
    assert.deepEqual(
      (await window.projects()).map(({ project }) => project),
      [uriOf(renamed)],
    );
    await fineTune(window, renamed);
  });

  it("a folder that is deleted, of which only its own name is told, takes its projects along", async () => {
    const folder = newFolder();
    const kept = folder.write("p.clf.yaml", PROJECT);
    mkdirSync(folder.file("sub/data"), { recursive: true });
    writeFileSync(folder.file("sub/data/a.csv"), readFileSync(folder.file("data/a.csv")));
    const inside = folder.write("sub/q.clf.yaml", PROJECT);
    const window = await openWindow([folder.path]);
    const job = await fineTune(window, inside);
    rmSync(folder.file("sub"), { recursive: true });
    assert.deepEqual(
      (await window.projects()).map(({ project }) => project),
      [uriOf(kept)],
    );
    await when("that the job is gone", () => !window.jobs.has(job));
  });

  it("folders of a workspace come and go", async () => {
    const [one, two] = [newFolder(), newFolder()];
    const first = one.write("p.clf.yaml", PROJECT);
    const second = two.write("p.clf.yaml", PROJECT);
    const window = await openWindow([one.path]);
    assert.equal((await window.projects()).length, 1);
    const change = (added: Folder[], removed: Folder[]) => {
      const of = (all: Folder[]) => all.map(({ path }) => ({ uri: uriOf(path), name: path }));
      window.client.notify("workspace/didChangeWorkspaceFolders", {
        event: { added: of(added), removed: of(removed) },
      });
    };
    let before = window.told();
    change([two], []);
    await when("word of the new folder", () => window.told() > before);
    assert.deepEqual(
      new Set((await window.projects()).map(({ project }) => project)),
      new Set([uriOf(first), uriOf(second)]),
    );
    const job = await fineTune(window, second);
    before = window.told();
    change([], [two]);
    await when("word that it is gone", () => window.told() > before && !window.jobs.has(job));
    assert.deepEqual(
      (await window.projects()).map(({ project }) => project),
      [uriOf(first)],
    );
    await assert.rejects(
      window.client.request("clf/jobs/start", { project: uriOf(second), kind: "fine-tune", models: ["baseline"] }),
      /no project of this workspace/,
    );
    change([two], []);
    await when("that the job is back", () => window.jobs.get(job)?.state === "succeeded");
  });

  it("a job that another window resumes is seen here", async () => {
    const folder = newFolder();
    const file = folder.write("p.clf.yaml", PROJECT);
    const [one, two] = [await openWindow([folder.path]), await openWindow([folder.path])];
    await two.projects();
    const start = { project: uriOf(file), kind: "fine-tune", models: ["baseline"] };
    const { job } = await one.client.request<{ job: string }>("clf/jobs/start", start);
    await one.client.request("clf/jobs/cancel", { project: uriOf(file), job });
    const over = (window: Window) => ["cancelled", "succeeded"].includes(window.jobs.get(job)?.state ?? "");
    await when("the end in both windows", () => over(one) && over(two));
    if (one.jobs.get(job)!.state === "succeeded") return;
    await one.client.request("clf/jobs/resume", { project: uriOf(file), job });
    const done = (window: Window) => window.jobs.get(job)?.attempt === 2 && window.jobs.get(job)?.state === "succeeded";
    await when("the second attempt in both windows", () => done(one) && done(two));
  });
});
