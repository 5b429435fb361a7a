/** A model's figures by the values of a column of the data, chosen from those it has. */
import { html, nothing, render } from "lit";
import type { Slice } from "../../../schemas/report.ts";
import { messageOf } from "../shared/errors.ts";
import type { Surroundings } from "./surroundings.ts";
import { table } from "./table.ts";
import { type Cell, count, part, share, words } from "./words.ts";

const sliceTable = (target: string, column: string, slices: readonly Slice[], key: string, at: Surroundings) =>
  table(
    {
      caption: `${target} by ${column}`,
      head: [column, "rows", "accuracy", "mean confidence", "accepted", "wrong of the accepted", "against all rows"],
      rows: slices.map(({ value, n, accuracy, meanConfidence, coverage, acceptedErrorRate, stands }): Cell[] => [
        words(value ?? "(all others)"),
        count(n),
        share(accuracy),
        part(meanConfidence),
        part(coverage),
        share(acceptedErrorRate),
        words(stands ?? ""),
      ]),
      prose: [6],
      key,
    },
    at,
  );

/** Nothing in a file: columns are those of the data, which it does not hold. */
export function slicesSection(model: string, at: Surroundings): HTMLElement | null {
  const { editor, kept } = at;
  if (!editor) return null;
  const section = document.createElement("section");
  section.className = "slices";
  let columns: readonly string[] | null = null;
  let column = kept.get<string | null>(`slices ${model}`, null);
  let found: Record<string, Slice[]> | null = null;
  let failure: string | null = null;
  let busy = false;
  const attempt = async (what: () => Promise<void>): Promise<void> => {
    busy = true;
    failure = null;
    draw();
    try {
      await what();
    } catch (error) {
      failure = messageOf(error);
    }
    busy = false;
    draw();
  };
  const askColumns = async () => {
    columns = await editor.columns();
  };
  const choose = (name: string): Promise<void> =>
    attempt(async () => {
      column = name;
      kept.set(`slices ${model}`, name);
      columns ??= await editor.columns();
      found = null;
      found = await editor.slices(model, name);
    });
  function draw(): void {
    render(
      html`<h3>By a column of the data</h3>
        <p class="choose">
          ${
            columns === null
              ? html`<button type="button" class="plain" ?disabled=${busy} @click=${() => attempt(askColumns)}>Choose a Column…</button>`
              : html`<label
                  >column
                  <select ?disabled=${busy} @change=${(event: Event) => choose((event.target as HTMLSelectElement).value)}>
                    <option value="" disabled ?selected=${column === null}>choose…</option>
                    ${columns.map((name) => html`<option value=${name} ?selected=${name === column}>${name}</option>`)}
                  </select></label
                >`
          }
          ${busy ? html`<span class="soft" role="status">Reading the data…</span>` : nothing}
          ${failure === null ? nothing : html`<span class="error" role="alert">${failure}</span>`}
        </p>
        ${
          found && column !== null
            ? Object.entries(found).map(([target, slices]) =>
                slices.length === 0
                  ? html`<p>${target}: no test row has a value in “${column}”.</p>`
                  : sliceTable(target, column!, slices, `slices ${model} ${target} ${column}`, at),
              )
            : html`<p class="soft">Where is it worse than on the whole? By customer, by month, by length: any column that has values.</p>`
        }`,
      section,
    );
  }
  draw();
  if (column !== null) void choose(column);
  return section;
}
