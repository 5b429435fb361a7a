/** `clf cost`: what each model costs over the rows it will see. */
import * as z from "zod";

const whole = z.int().min(0);
const dollars = z.number().min(0);

export const ModelCost = z.strictObject({
  model: z.string(),
  engine: z.string(),
  /** The evaluation that the figures are of; null while there is none, and nothing is known then. */
  job: z.string().nullable(),
  /** Dollars spent before the first row; null where it is not known. */
  training: dollars.nullable(),
  /** Dollars a row for its prediction; null where it is not known. */
  inference: dollars.nullable(),
  /** People's answers a row (with several accept decisions more than 1), and accepted wrong ones, on the test rows. */
  reviews: z.number().min(0).nullable(),
  errors: z.number().min(0).nullable(),
  /** Dollars a row for both; null without a price of a review. */
  review: dollars.nullable(),
  /** Dollars a row, all together; null where inference is not known. */
  row: dollars.nullable(),
  /** Training and rows, in the order of `rows` of the document; null where one of them is not known. */
  totals: z.array(dollars.nullable()),
  /** Where prices are from, and what is not in the figures. */
  notes: z.array(z.string()),
});
export type ModelCost = z.output<typeof ModelCost>;

/** From `rows` on `later` is cheaper, before that `first`; null: one of them is cheaper (or as cheap) for any number. */
export const BreakEven = z.strictObject({ first: z.string(), later: z.string(), rows: whole.nullable() });
export type BreakEven = z.output<typeof BreakEven>;

export const CostDocument = z.strictObject({
  /** The project's name. */
  project: z.string(),
  /** Volumes of the totals. */
  rows: z.array(z.int().min(1)),
  /** Dollars of an accepted row that is wrong, and of a review; null: not counted. */
  prices: z.strictObject({ error: dollars, review: dollars }).nullable(),
  models: z.array(ModelCost),
  break_evens: z.array(BreakEven),
});
export type CostDocument = z.output<typeof CostDocument>;
