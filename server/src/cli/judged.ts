/** The rows that a model has predicted, for the commands that list them. */
import { type JudgedRows, judgedRows } from "../workflow/flagged.ts";
import type { Session } from "../workflow/session.ts";
import { CliError } from "./io.ts";
import { knownModel } from "./model-commands.ts";
import { projectPath } from "./project.ts";

/** Judged by the model that is named, else by the review model. @throws CliError when it has not been evaluated */
export async function judgedOf(session: Session, options: { model?: string }): Promise<JudgedRows> {
  const model = knownModel(session, options.model ?? session.project.reviewModel);
  const judged = await judgedRows(session, model);
  if (!("why" in judged)) return judged;
  throw new CliError(`${judged.why} Run: clf evaluate ${projectPath(session)} --model ${model}`);
}

/** What stands for a row in a list. */
export const firstText = (inputs: Record<string, string>): string => Object.values(inputs)[0] ?? "";
