/** From a zero-shot model's errors to the targeted few-shot model: one entry in the project file. */
import { readFile } from "node:fs/promises";
import writeFileAtomic from "write-file-atomic";
import { isMap, parseDocument } from "yaml";
import { modelSpec, newestEvaluation } from "./artifacts.ts";
import { type Session, WorkflowError } from "./session.ts";

/**
 * Writes the model beside the zero-shot one, with all of its settings, and returns its name. One that is there already is left as it is.
 * @throws WorkflowError when the model is no zero-shot chat model, has not been evaluated, or the name is another model's
 */
export async function writeFewShot(session: Session, after: string, name = `${after}-few-shot`): Promise<string> {
  const { project } = session;
  const spec = modelSpec(session, after);
  if (spec.engine !== "chat" || spec.prompt.style !== "zero-shot") {
    throw new WorkflowError(`"${after}" is not a zero-shot chat model: examples are aimed at the errors of one.`);
  }
  if (!(await newestEvaluation(session, after))) {
    throw new WorkflowError(`"${after}" has not been evaluated, so its errors are not known. Evaluate it first.`);
  }
  const known = project.spec.models[name];
  if (known) {
    const shots = known.engine === "chat" ? known.prompt.shots : undefined;
    if (shots?.strategy === "targeted" && shots.after === after) return name;
    throw new WorkflowError(`There is another model "${name}" in ${project.name}. Give the new one a name of its own.`);
  }
  const document = parseDocument(await readFile(project.file, "utf8"));
  const models = document.get("models");
  const own = isMap(models) ? models.get(after) : undefined;
  if (document.errors.length > 0 || !isMap(own) || !isMap(models)) {
    throw new WorkflowError(`${project.file} cannot be changed by itself: write the model "${name}" into it by hand.`);
  }
  const settings = own.toJSON() as Record<string, unknown>;
  const before = (settings.prompt ?? {}) as Record<string, unknown>;
  const entry = document.createNode(
    { ...settings, prompt: { ...before, style: "few-shot", shots: { strategy: "targeted", after } } },
    { flow: own.flow === true },
  );
  models.set(document.createNode(name), entry);
  await writeFileAtomic(project.file, document.toString({ lineWidth: 0 }));
  return name;
}
