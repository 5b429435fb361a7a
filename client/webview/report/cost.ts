/** What the models of a report cost over the rows they will see, and from where on which is cheaper. */
import { html, nothing, render } from "lit";
import type { BreakEven, CostDocument } from "../../../schemas/cost.ts";
import { whole } from "../shared/numbers.ts";
import type { Surroundings } from "./surroundings.ts";
import { table } from "./table.ts";
import { type Cell, none, words } from "./words.ts";

const dollars = (value: number | null): Cell =>
  value === null
    ? none
    : { text: value >= 100 ? `$${whole(Math.round(value))}` : `$${Number(value.toPrecision(3))}`, sort: value };

const breakEvenWords = ({ first, later, rows }: BreakEven): string =>
  rows === null
    ? `${first} is never dearer than ${later}.`
    : `From ${whole(rows)} rows on ${later} is cheaper than ${first}.`;

/** Nothing where no model costs anything that is known. */
export function costSection({ models, prices, rows, break_evens }: CostDocument, at: Surroundings): HTMLElement | null {
  if (!models.some(({ training, row }) => (training ?? 0) + (row ?? 0) > 0)) return null;
  const section = document.createElement("section");
  section.setAttribute("aria-label", "Cost and break-even");
  render(
    html`<h2>Cost and break-even</h2>
      ${table(
        {
          caption: prices
            ? `In dollars, with ${dollars(prices.review).text} a review and ${dollars(prices.error).text} an accepted error`
            : "In dollars, without people's work: set confidence.price to count it",
          head: [
            ...["model", "training", "a prediction", "reviews and errors, a row"],
            ...rows.map((volume) => `${whole(volume)} rows`),
          ],
          rows: models.map(({ model, training, inference, review, totals }) => [
            words(model),
            ...[training, inference, review, ...totals].map(dollars),
          ]),
          key: "cost",
        },
        at,
      )}
      ${break_evens.length > 0 ? html`<ul>${break_evens.map((each) => html`<li>${breakEvenWords(each)}</li>`)}</ul>` : nothing}
      ${models.flatMap(({ model, notes }) => notes.map((note) => html`<p class="soft">${model}: ${note}</p>`))}`,
    section,
  );
  return section;
}
