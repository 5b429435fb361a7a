/** Where a report is shown: in a panel of the editor, or as a file in a browser. */
import type { Slice } from "../../../schemas/report.ts";
import type { Kept } from "./choices.ts";

export interface Surroundings {
  kept: Kept;
  copy(text: string): void;
  /** @param name of the file, without its ending */
  save(name: string, format: "svg" | "png", content: Blob): void;
  /** Null in a file: there is nobody to ask. */
  editor: Editor | null;
}

export interface Editor {
  review(): void;
  openLog(): void;
  makeFewShot(model: string): void;
  /** Beginnings of the rows' inputs. */
  texts(rows: readonly string[]): Promise<{ row: string; text: string }[]>;
  openRow(row: string): void;
  columns(): Promise<string[]>;
  /** By target name. */
  slices(model: string, column: string): Promise<Record<string, Slice[]>>;
}
