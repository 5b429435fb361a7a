/** Parts of the page that wait for the report's rows, and are then drawn bit by bit, so that keys and scrolling come in between. */
import type { ReportDetail } from "../../../schemas/reportPanel.ts";

/** What is drawn when what it needs has come: an element that waits in its place. */
export type Later = (name: string, draw: (detail: ReportDetail) => Node | null) => HTMLElement;

export interface Waiting {
  later: Later;
  /** Draws, once the rows have come, what waits for them until now; without rows its places go. */
  draw(): Promise<void>;
}

/** Milliseconds that are drawn for at a stretch. A longer one is felt; with shorter ones the page is laid out more often. */
const STRETCH = 50;

export function waitFor(detail: Promise<ReportDetail>): Waiting {
  const waiting: { place: HTMLElement; draw: Parameters<Later>[1] }[] = [];

  function drawNext(found: ReportDetail): void {
    const { place, draw } = waiting.shift()!;
    try {
      const drawn = draw(found);
      place.removeAttribute("aria-busy");
      if (drawn) place.replaceWith(drawn);
      else place.remove();
    } catch (error) {
      // The others can be drawn all the same.
      reportError(error);
    }
  }

  return {
    later(name, draw) {
      const place = document.createElement("div");
      place.className = "later";
      place.dataset.name = name;
      place.setAttribute("aria-busy", "true");
      waiting.push({ place, draw });
      return place;
    },
    async draw() {
      const found = await detail.catch(() => null);
      if (found === null) for (const { place } of waiting.splice(0)) place.remove();
      else {
        while (waiting.length > 0) {
          await new Promise((resolve) => setTimeout(resolve));
          const until = performance.now() + STRETCH;
          do drawNext(found);
          while (waiting.length > 0 && performance.now() < until);
        }
      }
    },
  };
}
