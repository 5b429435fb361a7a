/** Brings a project file of an older version of the format up to today's. */
import type { Document } from "yaml";
import { PROJECT_VERSION } from "../../../schemas/project.ts";

/**
 * One step: changes a document of version `from` into one of version `from + 1`. It edits the document's nodes, so that
 * comments stay; it does not touch `version`. The version numbers themselves are set by `migrate`.
 */
export interface Migration {
  from: number;
  apply: (document: Document) => void;
}

/** Every step there is, in order. Version 1 is the first, so there is none yet. */
export const MIGRATIONS: readonly Migration[] = [];

export type MigrationOutcome =
  | { state: "current" }
  | { state: "migrated"; from: number; text: string }
  /** Made by a later version of Clf. */
  | { state: "newer"; version: number }
  | { state: "missing" }
  /** Not a version, or one that no step starts from. */
  | { state: "unknown" };

/** Applies the steps that lead from the document's version to `latest`. The document changes only when all are there. */
export function migrate(
  document: Document,
  steps: readonly Migration[] = MIGRATIONS,
  latest: number = PROJECT_VERSION,
): MigrationOutcome {
  const version = document.get("version");
  if (version === undefined) return { state: "missing" };
  if (typeof version !== "number" || !Number.isInteger(version) || version < 0) return { state: "unknown" };
  if (version === latest) return { state: "current" };
  if (version > latest) return { state: "newer", version };
  const path: Migration[] = [];
  for (let at = version; at < latest; at++) {
    const step = steps.find(({ from }) => from === at);
    if (!step) return { state: "unknown" };
    path.push(step);
  }
  for (const step of path) {
    step.apply(document);
    document.set("version", step.from + 1);
  }
  return { state: "migrated", from: version, text: document.toString({ lineWidth: 0 }) };
}
