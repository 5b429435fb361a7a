/** The rows that have been fetched of the list on screen: pages near where a person is. */
import type { PreviewPage, PreviewRow } from "../../../schemas/preview.ts";

export const PAGE = 100;
const MOST_PAGES = 40;

export interface Pages {
  row(index: number): PreviewRow | undefined;
  /** Takes rows that came with another question. */
  put(offset: number, rows: PreviewRow[]): void;
  /** Forgets all but shows what was there until it is replaced. */
  stale(): void;
  /** Sees to it that rows [from, to] are there or on their way. */
  need(from: number, to: number): void;
}

/**
 * @param fetchPage asks for the rows from an offset on; a rejected question may be asked again
 * @param onRows called when rows have come
 */
export function createPages(
  fetchPage: (offset: number) => Promise<PreviewPage>,
  onRows: (page: PreviewPage) => void,
): Pages {
  const pages = new Map<number, { rows: PreviewRow[]; fresh: boolean }>();
  const asked = new Set<number>();
  let generation = 0;
  /** Asked for last, goes first: who scrolls on no longer waits for what is left behind. */
  let wanted: number[] = [];

  function next(): void {
    while (asked.size < 2) {
      const page = wanted.pop();
      if (page === undefined) return;
      if (pages.get(page)?.fresh || asked.has(page)) continue;
      const mine = generation;
      asked.add(page);
      fetchPage(page * PAGE)
        .then((answer) => {
          if (mine !== generation) return;
          asked.delete(page);
          pages.delete(page);
          pages.set(page, { rows: answer.rows, fresh: true });
          for (const old of pages.keys()) if (pages.size > MOST_PAGES) pages.delete(old);
          onRows(answer);
        })
        .catch(() => {
          if (mine === generation) asked.delete(page);
        })
        .finally(next);
    }
  }

  return {
    row: (index) => pages.get(Math.floor(index / PAGE))?.rows[index % PAGE],
    put(offset, rows) {
      pages.set(offset / PAGE, { rows, fresh: true });
    },
    stale() {
      generation++;
      asked.clear();
      for (const page of pages.values()) page.fresh = false;
    },
    need(from, to) {
      wanted = [];
      for (let page = Math.floor(Math.max(0, from) / PAGE); page <= Math.floor(Math.max(0, to) / PAGE); page++) {
        if (!pages.get(page)?.fresh) wanted.push(page);
      }
      next();
    },
  };
}
