/**
 * Try it: type a text, see what a model says of it. Engine `linear` answers as one types; others when they are asked. Texts are
 * only ever text: nothing here makes HTML of them.
 */
import "@vscode-elements/elements/dist/vscode-button/index.js";
import { html, nothing, render, type TemplateResult } from "lit";
import type { NearestRow, TriedTarget } from "../../../schemas/tryIt.ts";
import { REASON } from "../../src/inline/reasons.ts";
import { createAsking, NotWanted } from "../shared/ask.ts";
import { messageOf } from "../shared/errors.ts";
import { percent } from "../shared/numbers.ts";
import { connectHost } from "../shared/vscode.ts";
import type { FromTry, ToTry, TryCommand, TryProject, TryRequest, TryState } from "./messages.ts";
import { isEmpty, partsOf, weightWords } from "./words.ts";

const host = connectHost<FromTry, TryState>();
const root = document.getElementById("root")!;
const asking = createAsking<TryRequest>((message) => host.postMessage(message));

/** Milliseconds after the last key before a text is tried. */
const TYPING = 120;
/** Words that are listed. */
const MOST_WORDS = 8;
const MOST_LABELS = 5;

let state: TryState = { project: null, model: null, inputs: {}, ...host.getState() };
let projects: TryProject[] | undefined;
let trusted = false;
/** What the model said, and of which texts. */
let said: { inputs: Record<string, string>; model: string; targets: TriedTarget[] } | null = null;
let nearest: NearestRow[] | null = null;
let failure: string | null = null;
let busy = false;
/** The questions on their way, which the next key gives up. */
let asked: AbortController | undefined;
let typing: ReturnType<typeof setTimeout> | undefined;

const project = (): TryProject | undefined => projects?.find(({ uri }) => uri === state.project);
const model = () => project()?.models.find(({ name }) => name === state.model);
/** The texts of the project's own inputs. */
const inputs = (): Record<string, string> =>
  Object.fromEntries((project()?.inputs ?? []).map((name) => [name, state.inputs[name] ?? ""]));

function save(change: Partial<TryState>): void {
  state = { ...state, ...change };
  host.setState(state);
  // A window that is reloaded does not always keep what its webviews said last: the extension does.
  clearTimeout(keeping);
  keeping = setTimeout(() => host.postMessage({ type: "state", state }), 100);
}
let keeping: ReturnType<typeof setTimeout> | undefined;

/** The project and model that are on screen: those of last time, else the first that can be used. */
function settle(): void {
  const found = project() ?? projects?.find(({ valid }) => valid) ?? projects?.[0];
  const models = (found?.models ?? []).filter(({ runs, engine }) => runs && engine !== "predictions");
  const ready = models.filter(({ fine_tunes, current }) => !fine_tunes || current);
  const chosen =
    models.find(({ name }) => name === state.model) ??
    ready.find(({ name }) => name === found?.review_model) ??
    ready.find(({ engine }) => engine === "linear") ??
    ready[0] ??
    models[0];
  save({ project: found?.uri ?? null, model: chosen?.name ?? null });
}

/** Whether the model answers as one types. */
const answersAtOnce = (): boolean => {
  const of = model();
  return of?.engine === "linear" && of.current;
};

// ── Asking ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function changed(wait = TYPING): void {
  asked?.abort();
  clearTimeout(typing);
  failure = null;
  draw();
  if (isEmpty(inputs())) {
    said = null;
    nearest = null;
    busy = false;
    draw();
    return;
  }
  typing = setTimeout(() => {
    if (answersAtOnce()) void predict();
    else void findNearest();
  }, wait);
}

async function predict(): Promise<void> {
  const of = project();
  const { model: name } = state;
  if (!of || name === null || !trusted) return;
  asked?.abort();
  const mine = new AbortController();
  asked = mine;
  busy = true;
  failure = null;
  draw();
  const texts = inputs();
  try {
    const { targets } = await asking.ask("clf/predict", { project: of.uri, model: name, inputs: texts }, mine.signal);
    said = { inputs: texts, model: name, targets };
  } catch (error) {
    if (error instanceof NotWanted) return;
    said = null;
    failure = messageOf(error);
  } finally {
    if (asked === mine) busy = false;
  }
  draw();
  await findNearest(mine);
}

async function findNearest(mine = new AbortController()): Promise<void> {
  const of = project();
  if (!of) return;
  asked = mine;
  try {
    const { rows } = await asking.ask("clf/try/nearest", { project: of.uri, inputs: inputs() }, mine.signal);
    nearest = rows;
  } catch (error) {
    if (error instanceof NotWanted) return;
    nearest = null;
    failure ??= messageOf(error);
  }
  draw();
}

// ── Drawing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function draw(): void {
  render(drawAll(), root);
}

const run = (command: TryCommand) => () =>
  host.postMessage({ type: "run", command, project: state.project, model: state.model });

function drawAll(): TemplateResult {
  if (!projects) return html`<p class="empty" role="status">Loading…</p>`;
  if (projects.length === 0) {
    return html`<div class="empty"><p>There is no project in this workspace yet, so there is no model to try.</p>
      <vscode-button @click=${run("clf.newProject")}>New Project from Data…</vscode-button></div>`;
  }
  return html`
    <header>
      <h1>Try It</h1>
      <div class="choices">
        ${
          projects.length > 1
            ? drawChoice(
                "project",
                state.project,
                projects.map(({ uri, name }) => [uri, name]),
                (value) => {
                  said = null;
                  nearest = null;
                  save({ project: value, model: null });
                  settle();
                  changed(0);
                },
              )
            : nothing
        }
        ${drawModels()}
      </div>
    </header>
    ${drawInputs()}
    <section aria-label="What the model says" aria-busy=${busy ? "true" : "false"}>${drawSaid()}</section>
    <section aria-label="Nearest training rows">${drawNearest()}</section>
  `;
}

function drawChoice(
  name: string,
  chosen: string | null,
  options: readonly (readonly [value: string, title: string])[],
  choose: (value: string) => void,
): TemplateResult {
  return html`<label for=${`choose-${name}`}>${name}</label>
    <select id=${`choose-${name}`} @change=${(event: Event) => choose((event.target as HTMLSelectElement).value)}>
      ${options.map(([value, title]) => html`<option value=${value} ?selected=${value === chosen}>${title}</option>`)}
    </select>`;
}

function drawModels(): TemplateResult | typeof nothing {
  const models = (project()?.models ?? []).filter(({ engine }) => engine !== "predictions");
  if (models.length === 0) return nothing;
  const title = ({ name, engine, runs, fine_tunes, current }: TryProject["models"][number]) =>
    `${name} (${engine}${!runs ? ", not in this version" : fine_tunes && !current ? ", not fine-tuned" : ""})`;
  return drawChoice(
    "model",
    state.model,
    models.map((each) => [each.name, title(each)]),
    (value) => {
      said = null;
      save({ model: value });
      changed(0);
    },
  );
}

function drawInputs(): TemplateResult {
  const names = project()?.inputs ?? [];
  return html`<form class="inputs" @submit=${(event: Event) => event.preventDefault()}>
    ${names.map(
      (name, i) => html`<label for=${`input-${i}`}>${name}</label>
        <textarea id=${`input-${i}`} rows=${names.length === 1 ? 5 : 3} dir="auto" spellcheck="false"
          placeholder=${i === 0 ? "Type or paste a text" : ""} .value=${state.inputs[name] ?? ""}
          @input=${(event: Event) => {
            save({ inputs: { ...state.inputs, [name]: (event.target as HTMLTextAreaElement).value } });
            changed();
          }}></textarea>`,
    )}
  </form>`;
}

function drawSaid(): TemplateResult {
  const of = model();
  const problem = failure === null ? nothing : html`<p class="error" role="alert">${failure}</p>`;
  if (!trusted) return html`<p class="soft">Trust this workspace to run its models.</p>`;
  if (!project()?.valid) return html`<p class="error">The project file has errors: mend them first (see Problems).</p>`;
  if (!of)
    return html`<p class="soft">The project has no model that can be tried: predictions of another system know no new text.</p>`;
  if (of.fine_tunes && !of.current) {
    return html`<p>${of.name} has not been fine-tuned as it stands in the project.</p>
      <vscode-button @click=${run("clf.fineTune")}>Fine-tune It</vscode-button>`;
  }
  const ask =
    of.engine === "linear"
      ? nothing
      : html`<p><vscode-button ?disabled=${busy || isEmpty(inputs())} @click=${() => void predict()}>${busy ? "Asking…" : `Ask ${of.name}`}</vscode-button>
          <span class="soft">${askingWords(of.engine)}</span></p>`;
  if (!said) {
    const hint = isEmpty(inputs()) ? "What the model says of it will stand here." : "";
    return html`${problem}${ask}<p class="soft" role="status">${hint}</p>`;
  }
  return html`${problem}${ask}
    <p class="unseen" role="status">${said.targets.map(({ target, label }) => `${target}: ${label ?? "no answer"}`).join(". ")}</p>
    ${said.targets.map((each) => drawTarget(each))}
    ${
      said.targets.some(({ confidence }) => confidence === null)
        ? html`<p class="soft">These are scores, not confidences: the model as it stands has not been evaluated.
            <vscode-button secondary @click=${run("clf.evaluate")}>Evaluate It</vscode-button></p>`
        : nothing
    }`;
}

const askingWords = (engine: string): string =>
  engine === "qlora"
    ? "Engine qlora is asked when you say so. The first question loads the model on this machine, which takes its time; it stays loaded for ten minutes."
    : `Engine ${engine} is asked when you say so: it takes its time, and may cost what it costs.`;

function drawTarget({ target, label, confidence, top, accepted, reasons, set, words }: TriedTarget): TemplateResult {
  const shown = confidence ?? top[0]?.[1] ?? null;
  const verdict =
    accepted === null
      ? ""
      : accepted
        ? "would be accepted: goes straight through"
        : "would be flagged: waits for a person";
  return html`<article>
    <h2>${target}</h2>
    <p class="label"><strong dir="auto">${label ?? "no usable answer"}</strong>
      ${shown === null || label === null ? nothing : html`<span>${percent(shown)}${confidence === null ? " (score)" : ""}</span>`}
      ${accepted === null ? nothing : html`<span class=${accepted ? "accepted" : "flagged"}>${accepted ? "✓" : "◦"} ${verdict}</span>`}</p>
    ${reasons.length === 0 ? nothing : html`<p class="soft">Why: ${reasons.map((reason) => REASON[reason]).join(", ")}</p>`}
    <table><caption class="unseen">The likeliest labels of ${target}</caption><tbody>
      ${top.slice(0, MOST_LABELS).map(
        ([name, share]) => html`<tr><th scope="row" dir="auto">${name}</th>
          <td><svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width=${Math.max(0.5, 100 * share)} height="8"></rect></svg></td>
          <td class="number">${percent(share)}</td></tr>`,
      )}
    </tbody></table>
    ${set ? html`<p class="soft">Of flagged rows the right label is among these for ${percent(set.coverage)}: <span dir="auto">${set.labels.join(", ")}${set.others ? ", or another one" : ""}</span></p>` : nothing}
    ${drawWords(label, words)}
  </article>`;
}

function drawWords(label: string | null, words: TriedTarget["words"]): TemplateResult | typeof nothing {
  if (words.length === 0 || label === null || !said) return nothing;
  const texts = Object.entries(said.inputs).filter(([, text]) => text.trim() !== "");
  return html`<h3>Words that mattered</h3>
    ${texts.map(
      ([name, text]) =>
        html`<p class="text" dir="auto">${partsOf(text, words, name).map(({ text: part, strength }) =>
          strength === 0
            ? part
            : html`<span class=${`word ${strength > 0 ? "for" : "against"} w${Math.abs(strength)}`}>${part}</span>`,
        )}</p>`,
    )}
    <ul class="words">${words
      .slice(0, MOST_WORDS)
      .map(
        ({ text, weight }) =>
          html`<li><span dir="auto">${text}</span> <span class="soft">${weightWords(weight)}</span></li>`,
      )}</ul>`;
}

function drawNearest(): TemplateResult | typeof nothing {
  if (nearest === null || isEmpty(inputs())) return nothing;
  if (nearest.length === 0) {
    return html`<h2>Nearest training rows</h2><p class="soft">No row that it was trained on shares more than a few words with this text.</p>`;
  }
  return html`<h2>Nearest training rows</h2>
    <ol class="nearest">${nearest.map(
      ({ text, labels, similarity, place }) => html`<li>
        <p class="soft">${labels.map(({ target, label, decided }) => `${labels.length > 1 ? `${target}: ` : ""}${label ?? "no label"}${decided ? " (by a person)" : ""}`).join(" · ")}
          · ${percent(similarity)} alike
          ${place === null ? nothing : html`<button type="button" class="link" @click=${() => host.postMessage({ type: "open", place })}>line ${(place.line + 1).toLocaleString("en")}</button>`}</p>
        <p class="text" dir="auto">${text}</p>
      </li>`,
    )}</ol>`;
}

// ── Start ───────────────────────────────────────────────────────────────────────────────────────────────────────────

addEventListener("message", ({ data }: MessageEvent<ToTry>) => {
  if (asking.take(data)) return;
  if (data.type === "projects") {
    const first = projects === undefined;
    projects = data.projects;
    trusted = data.trusted;
    if (first && data.state) save(data.state);
    settle();
    changed(0);
    if (first) document.getElementById("input-0")?.focus();
  } else if (data.type === "text") {
    if (data.project !== null && data.project !== state.project) {
      save({ project: data.project, model: null });
      settle();
    }
    const [name] = project()?.inputs ?? [];
    if (name !== undefined) save({ inputs: { ...state.inputs, [name]: data.text } });
    changed(0);
    document.getElementById("input-0")?.focus();
  } else if (data.type === "changed") changed();
});
draw();
host.postMessage({ type: "ready" });
