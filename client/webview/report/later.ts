/** Parts of the page that wait for the report's rows, and are then drawn one after another, so that keys and scrolling come in between. */
import type { ReportDetail } from "../../../schemas/reportPanel.ts";

/** What is drawn when what it needs has come: an element that waits in its place. */
export type Later = (name: string, draw: (detail: ReportDetail) => Node | null) => HTMLElement;

export interface Waiting {
  later: Later;
  /** When each of them is drawn, or, without rows, gone. */
  drawn(): Promise<void>;
}

/** @param detail the rows; without them the places that wait for them go */
export function waitFor(detail: Promise<ReportDetail>): Waiting {
  let turns: Promise<void> = Promise.resolve();
  /** In a task of its own: one that fails keeps none of the others from being drawn. */
  const inTurn = (draw: () => void): void => {
    turns = turns.then(
      () =>
        new Promise((resolve) =>
          setTimeout(() => {
            resolve();
            draw();
          }),
        ),
    );
  };
  return {
    later(name, draw) {
      const place = document.createElement("div");
      place.className = "later";
      place.dataset.name = name;
      place.setAttribute("aria-busy", "true");
      detail.then(
        (found) =>
          inTurn(() => {
            const drawn = draw(found);
            place.removeAttribute("aria-busy");
            if (drawn) place.replaceWith(drawn);
            else place.remove();
          }),
        () => place.remove(),
      );
      return place;
    },
    async drawn() {
      await detail.catch(() => {});
      await turns;
    },
  };
}
