/** What passes between the server's main thread and the workbench thread. Both are of one build. */
import type { notifications, requests } from "../../../schemas/protocol.ts";
import type { ModelFigures } from "../language/figures.ts";

export type RequestName = keyof typeof requests;
export type NotificationName = keyof typeof notifications;

export type ToWorkbench =
  | { do: "configure"; folders: string[]; trusted: boolean; keep: number }
  | { do: "changed"; paths: string[] }
  | { do: "request"; id: number; name: RequestName; params: unknown }
  | { do: "figures"; id: number; project: string }
  | { do: "cancel"; id: number }
  /** The answer to a `secret`. */
  | { do: "secret"; id: number; value: string | null };

export type FromWorkbench =
  | { do: "answer"; id: number; ok: true; result: unknown }
  /** `person`: the message is meant for a person; else it is a defect, and `message` is for the log. */
  | { do: "answer"; id: number; ok: false; message: string; person: boolean }
  | { do: "notify"; name: NotificationName; params: unknown }
  /** A key is wanted: the editor asks the person. Never logged. */
  | { do: "secret"; id: number; wish: { name: string; origin: string; project: string } }
  | { do: "figuresChanged"; project: string }
  | { do: "log"; message: string };

export type Figures = Record<string, ModelFigures>;
