/** Something a person asked for cannot be done. The message says what is wrong and what to do. */
export class WorkflowError extends Error {
  override name = "WorkflowError";
}
