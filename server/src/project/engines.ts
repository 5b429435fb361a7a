/** What this version can run. Everything else of the project format is checked but not run. */
import type { Engine, Host } from "../../../schemas/project.ts";

/** Engines that this version runs. */
export const RUNNABLE_ENGINES: readonly Engine[] = ["linear", "predictions", "chat", "openai", "cascade", "qlora"];

/** Kinds of host that this version runs jobs on; `local` is always there and not declared. */
export const RUNNABLE_HOSTS: readonly Host["kind"][] = ["ssh"];
