/** “New Project from Data”: pick a table, look over the guessed columns, get a commented project file. */
import * as vscode from "vscode";
import type { ColumnGuess } from "../../../schemas/protocol.ts";
import { type Guard, needTrust } from "../commands/guard.ts";
import { relative } from "../projects/projects.ts";
import type { Server } from "../server/server.ts";
import { type Answer, BACK, pickMany, pickOne, typeText } from "./steps.ts";

const KINDS = ["csv", "tsv", "tab", "jsonl", "ndjson", "json", "parquet"];

interface ColumnItem extends vscode.QuickPickItem {
  column: string | null;
}

export function registerNewProject(guard: Guard, server: Server): vscode.Disposable {
  return guard.command("clf.newProject", async (given: unknown) => {
    needTrust();
    const data = given instanceof vscode.Uri ? given : await chooseData();
    if (!data) return;
    const guess = await server.request(
      "clf/newProject/guess",
      { data: data.toString() },
      { progress: `Clf: reading ${vscode.workspace.asRelativePath(data)}` },
    );
    if (guess.rows === 0 || guess.columns.length < 2) {
      const what = guess.rows === 0 ? "no rows" : "one column";
      throw new Error(
        `${vscode.workspace.asRelativePath(data)} holds ${what}: a project needs a table with a column of texts and one of labels.`,
      );
    }
    const answers = await ask(guess);
    if (!answers) return;
    const { project } = await server.request("clf/newProject/write", { data: data.toString(), ...answers });
    await vscode.window.showTextDocument(vscode.Uri.parse(project));
  });
}

async function chooseData(): Promise<vscode.Uri | undefined> {
  const found = await vscode.workspace.findFiles(
    `**/*.{${KINDS.join(",")}}`,
    "**/{node_modules,.git,.clf,.vscode}/**",
    200,
  );
  const files = found
    .filter(({ path }) => !/\/(package(-lock)?|tsconfig[^/]*)\.json$/.test(path) && !/\.splits\.jsonl$/.test(path))
    .map((uri) => ({ label: relative(uri.toString()), uri }))
    .sort((a, b) => a.label.localeCompare(b.label));
  const browse = { label: "$(folder-opened) Browse…", alwaysShow: true, uri: undefined };
  const answer =
    files.length === 0
      ? browse
      : await vscode.window.showQuickPick([...files, browse], {
          title: "New project from which data?",
          placeHolder: "A table of texts with their labels",
        });
  if (!answer || answer.uri) return answer?.uri;
  const picked = await vscode.window.showOpenDialog({
    title: "New project from which data?",
    filters: { "Data files": [...KINDS, "gz"] },
    ...(vscode.workspace.workspaceFolders?.[0] ? { defaultUri: vscode.workspace.workspaceFolders[0].uri } : {}),
  });
  return picked?.[0];
}

interface Answers {
  inputs: string[];
  targets: string[];
  id: string | null;
  file: string;
}

interface Guess {
  rows: number;
  columns: ColumnGuess[];
  file: string;
}

async function ask({ rows, columns, file }: Guess): Promise<Answers | undefined> {
  const item = (column: ColumnGuess): ColumnItem => ({
    label: column.name,
    description: `${column.distinct.toLocaleString()} different${column.empty > 0 ? `, ${column.empty.toLocaleString()} empty` : ""}`,
    detail: column.examples.map((text) => short(text)).join("  ·  "),
    column: column.name,
  });
  const items = columns.map(item);
  const guessed = (kind: ColumnGuess["guess"]) => columns.filter(({ guess }) => guess === kind).map(({ name }) => name);
  const among = (names: readonly string[]) => items.filter(({ column }) => column !== null && names.includes(column));
  const frame = { steps: 4, title: `New project from ${rows.toLocaleString()} rows` };
  // The server suggests a path or a name: only the name is a person's to change.
  const folder = file.slice(0, Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1);
  let inputs = guessed("input");
  let targets = guessed("target");
  let id: string | null = guessed("id")[0] ?? null;

  for (let step = 1; ; ) {
    let answer: Answer<unknown>;
    if (step === 1) {
      const picked = await pickMany({
        ...{ ...frame, step, least: 1, items, picked: among(inputs) },
        placeholder: "Inputs: the columns that the model reads",
      });
      if (Array.isArray(picked)) inputs = picked.map(({ label }) => label);
      answer = picked;
    } else if (step === 2) {
      const rest = items.filter(({ label }) => !inputs.includes(label));
      if (rest.length === 0) throw new Error("Every column is an input: one has to be left for the labels.");
      const picked = await pickMany({
        ...{ ...frame, step, least: 1, items: rest, picked: rest.filter(({ label }) => targets.includes(label)) },
        placeholder: "Targets: the label columns that it predicts",
      });
      if (Array.isArray(picked)) targets = picked.map(({ label }) => label);
      answer = picked;
    } else if (step === 3) {
      const none: ColumnItem = {
        label: "$(circle-slash) None",
        description: "rows are told apart by their text",
        column: null,
      };
      const rest = [none, ...items.filter(({ label }) => !inputs.includes(label) && !targets.includes(label))];
      const picked = await pickOne({
        ...{ ...frame, step, items: rest, picked: rest.filter(({ column }) => column === id) },
        placeholder: "Id: a column with a different value in every row, if there is one",
      });
      if (typeof picked === "object") id = picked.column;
      answer = picked;
    } else {
      const typed = await typeText({
        ...{ ...frame, step, value: file.slice(folder.length) },
        placeholder: "Name of the project file; it is written beside the data",
        check: (text) => (/^[^/\\]+\.clf\.ya?ml$/.test(text) ? undefined : "A file name that ends in .clf.yaml"),
      });
      if (typeof typed === "string") return { inputs, targets, id, file: folder + typed };
      answer = typed;
    }
    if (answer === undefined) return undefined;
    step += answer === BACK ? -1 : 1;
  }
}

const short = (text: string, length = 60): string => {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > length ? `${line.slice(0, length)}…` : line;
};
