/** The bar over the table: search, what few-valued columns and numbers are filtered by, and what is filtered now. */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import type { PreviewColumn, PreviewFilter, PreviewProfile } from "../../../schemas/preview.ts";
import { named } from "./plots.ts";
import { isFiltered, NO_FILTER, rangeIn, withRange, withValues } from "./state.ts";

type ProfileColumn = PreviewProfile["columns"][number];

export interface FilterParts {
  filter: PreviewFilter;
  columns: readonly PreviewColumn[];
  /** Null until the profile has come. */
  profile: PreviewProfile | null;
  /** The column whose bounds are set. */
  ranged: string | null;
  change(filter: PreviewFilter): void;
  chooseRanged(column: string): void;
}

const MOST_SELECTS = 6;
/** A list of more values than this is no list that people choose from; a click on a cell and `f` filters all the same. */
const MOST_CHOICES = 300;

function selectable(columns: readonly ProfileColumn[]): ProfileColumn[] {
  const few = columns.filter(
    ({ values, distinct }) => distinct !== null && distinct <= MOST_CHOICES && values.length > 1,
  );
  const known = few.filter(({ role }) => role !== "plain");
  return (known.length > 0 ? known : few.filter(({ distinct }) => distinct! <= 100)).slice(0, MOST_SELECTS);
}

const isNumeric = ({ type, role }: PreviewColumn) => type === "integer" || type === "number" || role === "confidence";

export function drawFilters(parts: FilterParts): TemplateResult {
  const { filter, columns, profile, change } = parts;
  const numeric = columns.filter(isNumeric);
  const ranged =
    numeric.find(({ key }) => key === parts.ranged) ?? numeric.find(({ role }) => role === "confidence") ?? numeric[0];
  const bounds = ranged && rangeIn(filter, ranged.key, "value");
  const bound = (event: Event): number | null => {
    const { value } = event.target as HTMLInputElement;
    return value.trim() === "" || Number.isNaN(Number(value)) ? null : Number(value);
  };
  return html`
    <div class="filters" role="search" aria-label="Filters">
      <vscode-textfield
        id="search"
        type="search"
        label="Search all columns"
        placeholder="Search (/)"
        .value=${live(filter.text)}
        @input=${(event: Event) => change({ ...filter, text: (event.target as HTMLInputElement).value })}
      ></vscode-textfield>
      ${
        filter.column === null
          ? nothing
          : html`<span class="soft">in ${columns.find(({ key }) => key === filter.column)?.name}</span>`
      }
      ${selectable(profile?.columns ?? []).map(({ key, name, values }) => {
        const chosen = filter.values.find(({ column }) => column === key)?.values ?? [];
        return html`<select
          aria-label=${`Only rows with ${name}`}
          @change=${(event: Event) => {
            const { value } = event.target as HTMLSelectElement;
            if (value !== "several") change(withValues(filter, key, value === "any" ? [] : [value.slice(1)]));
          }}
        >
          <option value="any" ?selected=${chosen.length === 0}>any ${name}</option>
          ${chosen.length > 1 ? html`<option value="several" selected>${chosen.length} of ${name}</option>` : nothing}
          ${values.map(([value, rows]) => html`<option value=${`=${value}`} ?selected=${chosen.length === 1 && chosen[0] === value}>${named(value)} (${rows.toLocaleString("en")})</option>`)}
        </select>`;
      })}
      ${
        ranged
          ? html`<span class="range" role="group" aria-label=${`Bounds of ${ranged.name}`}>
              ${
                numeric.length > 1
                  ? html`<select aria-label="Number to bound" @change=${(event: Event) => parts.chooseRanged((event.target as HTMLSelectElement).value)}>
                      ${numeric.map(({ key, name }) => html`<option value=${key} ?selected=${key === ranged.key}>${name}</option>`)}
                    </select>`
                  : html`<span>${ranged.name}</span>`
              }
              <input type="number" step="any" placeholder="from" aria-label=${`${ranged.name} at least`} .value=${live(String(bounds?.min ?? ""))}
                @change=${(event: Event) => change(withRange(filter, ranged.key, "value", bound(event), bounds?.max ?? null))} />
              <input type="number" step="any" placeholder="to" aria-label=${`${ranged.name} at most`} .value=${live(String(bounds?.max ?? ""))}
                @change=${(event: Event) => change(withRange(filter, ranged.key, "value", bounds?.min ?? null, bound(event)))} />
            </span>`
          : nothing
      }
      <label class="check"><input type="checkbox" .checked=${live(filter.duplicates)}
        @change=${(event: Event) => change({ ...filter, duplicates: (event.target as HTMLInputElement).checked })} />
        duplicates${profile && profile.duplicates !== null ? ` (${profile.duplicates.toLocaleString("en")})` : ""}</label>
      ${isFiltered(filter) ? html`<vscode-button secondary @click=${() => change(NO_FILTER)}>Clear Filters</vscode-button>` : nothing}
    </div>
    ${drawChips(parts)}
  `;
}

/** What is filtered now, in words, each a button that takes it back. */
function drawChips({ filter, columns, change }: FilterParts): TemplateResult | typeof nothing {
  const nameOf = (key: string) => columns.find((column) => column.key === key)?.name ?? key;
  const chips: { text: string; without: PreviewFilter }[] = [
    ...filter.values.map(({ column, values }) => ({
      text: `${nameOf(column)}: ${values.slice(0, 3).map(named).join(", ")}${values.length > 3 ? ` and ${values.length - 3} more` : ""}`,
      without: withValues(filter, column, []),
    })),
    ...filter.ranges.map(({ column, of, min, max }) => ({
      text: `${of === "length" ? `length of ${nameOf(column)}` : nameOf(column)} ${min ?? ""}–${max ?? ""}`,
      without: withRange(filter, column, of, null, null),
    })),
  ];
  if (chips.length === 0) return nothing;
  return html`<div class="chips">
    ${chips.map(({ text, without }) => html`<button type="button" class="chip" aria-label=${`Remove the filter ${text}`} @click=${() => change(without)}><span dir="auto">${text}</span> <span aria-hidden="true">✕</span></button>`)}
  </div>`;
}
