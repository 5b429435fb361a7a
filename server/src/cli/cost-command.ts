/** `clf cost`: training and predictions over volume, people included, and where one model becomes cheaper than another. */
import type { CostDocument, ModelCost } from "../../../schemas/cost.ts";
import { dollars } from "../engines/chat/price.ts";
import { costOf } from "../workflow/cost.ts";
import { EXIT, percent, print, printJson, table, whole } from "./io.ts";
import { withProject } from "./project.ts";

interface CostOptions {
  json?: boolean;
  rows?: number[];
  review?: number;
  error?: number;
  hour?: number;
}

const VOLUMES = [1000, 100_000, 1_000_000];

export async function cost(path: string, options: CostOptions): Promise<number> {
  return withProject(path, async (session) => {
    const rows = [...new Set(options.rows ?? VOLUMES)].sort((a, b) => a - b);
    const { review, error, hour } = options;
    const found = await costOf(session, { rows, review, error, hour });
    if (options.json) printJson(found);
    else printCost(found);
    return EXIT.fine;
  });
}

const money = (amount: number | null): string => (amount === null ? "–" : amount === 0 ? "$0" : dollars(amount));

function printCost({ rows, models, prices, break_evens }: CostDocument): void {
  const head = [
    "",
    "training",
    "a million rows",
    "reviewed",
    "people, a million",
    ...rows.map((volume) => `${whole(volume)} rows`),
  ];
  const million = (amount: number | null) => money(amount === null ? null : amount * 1e6);
  const line = ({ model, training, inference, reviews, review, totals }: ModelCost) => [
    model,
    money(training),
    million(inference),
    reviews === null ? "–" : percent(reviews, 0),
    million(review),
    ...totals.map(money),
  ];
  print(table([head, ...models.map(line)]));
  if (prices) print(`A review costs ${money(prices.review)}, an accepted wrong row ${money(prices.error)}.`);
  for (const { first, later, rows: from } of break_evens) {
    print(
      from === null
        ? `${first} costs no more than ${later}, however many rows there are.`
        : `${first} is cheaper than ${later} below ${whole(from)} rows, ${later} from there on.`,
    );
  }
  for (const { model, notes } of models) for (const note of notes) print(`${model}: ${note}`);
}
