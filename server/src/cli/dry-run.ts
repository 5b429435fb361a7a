/** `clf evaluate --dry-run`. */
import type * as z from "zod";
import type { DryRunDocument } from "../../../schemas/prompt.ts";
import { dollars } from "../engines/chat/price.ts";
import type { ProjectData } from "../workflow/data.ts";
import { estimateCost } from "../workflow/prompt-preview.ts";
import type { Session } from "../workflow/session.ts";
import { EXIT, print, printJson, say, whole } from "./io.ts";

/** What the models would cost at most. Nothing is sent, nothing is made. */
export async function dryRun(
  session: Session,
  data: ProjectData,
  models: readonly string[],
  pool: boolean,
  json: boolean,
): Promise<number> {
  const splits = ["tune", "validation", "test", ...(pool ? (["pool"] as const) : [])] as const;
  const document: z.output<typeof DryRunDocument> = { project: session.project.name, models: {} };
  for (const model of models) {
    const estimate = await estimateCost(session, data, model, splits);
    document.models[model] = estimate ?? {
      rows: 0,
      tokens: { prompt: 0, completion: 0 },
      cost: 0,
      price_from: null,
      notes: [],
    };
    if (json) continue;
    if (!estimate) print(`${model}: asks no endpoint.`);
    else {
      const { rows, tokens, cost, price_from } = estimate;
      const price =
        cost === null
          ? "the price is not known: give the endpoint one"
          : `about ${dollars(cost)} at most (prices: ${price_from})`;
      print(
        `${model}: ${whole(rows)} rows, about ${whole(tokens.prompt)} + ${whole(tokens.completion)} tokens, ${price}.`,
      );
      for (const note of estimate.notes) print(`  ${note}`);
    }
  }
  if (json) printJson(document);
  else
    say(
      "Nothing was sent. Tokens are estimated at 4 bytes each; answers that were paid for already cost nothing again.",
    );
  return EXIT.fine;
}
