/** Which rows are shown and in what order; how far the list has come. */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { labelsOf, type Panel } from "./panel.ts";
import { ORDERS, type ReviewOrder, type ReviewState } from "./state.ts";

export interface FilterParts {
  panel: Panel;
  place: string;
  choose: (change: Partial<ReviewState>) => void;
  chooseProject: (uri: string) => void;
}

type Option = [value: string, words: string];

export function drawFilters({ panel, place, choose, chooseProject }: FilterParts): TemplateResult {
  const { list, projects, project, reasons: words, state } = panel;
  const targets = list?.targets.map(({ name }) => name) ?? [];
  const target = state.target ?? (targets.length === 1 ? targets[0]! : null);
  const labels = target === null ? [] : labelsOf(target);
  const reasons = Object.entries(list?.reasons ?? {});
  const models = list?.models ?? [];
  const pairs = (list?.pairs ?? []).map(
    ({ labels, rows }): Option => [JSON.stringify(labels), `${between(labels)} (${rows})`],
  );
  return html`<div class="filters" role="toolbar" aria-label="Filters and order">
    ${
      projects.length > 1
        ? dropdown(
            "Project",
            projects.map(({ uri, name }): Option => [uri, name]),
            project ?? "",
            chooseProject,
          )
        : nothing
    }
    ${
      models.length > 1
        ? dropdown(
            "Model",
            models.map((name): Option => [name, name]),
            state.model ?? list?.model ?? "",
            (model) => choose({ model, label: null, pair: null }),
          )
        : nothing
    }
    ${
      targets.length > 1
        ? dropdown(
            "Target",
            [["", "all targets"], ...targets.map((name): Option => [name, name])],
            state.target ?? "",
            (name) => choose({ target: name || null, label: null, pair: null }),
          )
        : nothing
    }
    ${
      reasons.length > 0 || state.reason !== null
        ? dropdown(
            "Reason",
            withChosen(
              [["", "any reason"], ...reasons.map(([name, n]): Option => [name, `${words[name] ?? name} (${n})`])],
              state.reason,
              words[state.reason ?? ""] ?? "",
            ),
            state.reason ?? "",
            (name) => choose({ reason: name || null }),
          )
        : nothing
    }
    ${
      labels.length > 0
        ? dropdown(
            "Predicted label",
            [["", "any label"], ...labels.map((name): Option => [name, name])],
            state.label ?? "",
            (name) => choose({ label: name || null }),
          )
        : nothing
    }
    ${
      pairs.length > 0 || state.pair !== null
        ? dropdown("Confusion pair", pairOptions(pairs, state.pair), state.pair ? sorted(state.pair) : "", (pair) =>
            choose({ pair: pair === "" ? null : (JSON.parse(pair) as [string, string]) }),
          )
        : nothing
    }
    ${
      (list?.total ?? 0) > 0 || state.reason === AUDIT
        ? dropdown("Order", orders, state.reason === AUDIT ? AUDIT : (state.order ?? ""), (order) =>
            choose(
              order === AUDIT
                ? { reason: AUDIT }
                : {
                    order: (order || null) as ReviewOrder | null,
                    reason: state.reason === AUDIT ? null : state.reason,
                  },
            ),
          )
        : nothing
    }
    <span class="count" title=${`${list?.decided ?? 0} decided`}>${place}</span>
  </div>`;
}

/** The audit has its own rows and its own order: those of the draw. */
const AUDIT = "audit";
const orders: Option[] = [["", "project's order"], ...Object.entries(ORDERS), [AUDIT, "random audit of accepted rows"]];

const between = ([a, b]: readonly [string, string]): string => `${a} ↔ ${b}`;
const sorted = (pair: readonly [string, string]): string => JSON.stringify([...pair].sort());
const pairOptions = (pairs: Option[], chosen: [string, string] | null): Option[] =>
  withChosen([["", "any pair"], ...pairs], chosen && sorted(chosen), chosen ? between(chosen) : "");
/** What is filtered by can be seen, even when nothing of it is left. */
const withChosen = (options: Option[], chosen: string | null, words: string): Option[] =>
  chosen === null || options.some(([value]) => value === chosen) ? options : [...options, [chosen, `${words} (0)`]];

function dropdown(label: string, options: Option[], value: string, change: (value: string) => void): TemplateResult {
  return html`<select aria-label=${label} title=${label} @change=${(event: Event) => change((event.target as HTMLSelectElement).value)}>
    ${options.map(([id, words]) => html`<option value=${id} .selected=${live(id === value)}>${words}</option>`)}
  </select>`;
}
