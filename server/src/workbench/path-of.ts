import { fileURLToPath } from "node:url";
import { WorkflowError } from "../workflow/session.ts";

/** The path that a URI of the editor means. @throws WorkflowError for what does not lie on this machine */
export function pathOf(uri: string): string {
  if (!uri.startsWith("file:")) throw new WorkflowError("Clf works on files of this machine: this one lies elsewhere.");
  return fileURLToPath(uri);
}
