/** The flagged rows on hand: pages of a list that lives in the server, kept while the order and filters stand. */
import type { FlaggedItem } from "../../../schemas/protocol.ts";

export const PAGE = 200;

export interface Pages {
  total: number;
  at(index: number): FlaggedItem | undefined;
  /** Where an item is, among the pages on hand; -1 when it is not among them. */
  find(row: string, target: string): number;
  /** Starts of the pages that hold `from` to `to` and are not on hand. */
  missing(from: number, to: number): number[];
  put(offset: number, items: readonly FlaggedItem[], total: number): void;
  /** Takes an item out: those after it move up. */
  remove(index: number): void;
  clear(): void;
}

export function createPages(): Pages {
  let items: (FlaggedItem | undefined)[] = [];
  const pages: Pages = {
    total: 0,
    at: (index) => items[index],
    find: (row, target) => items.findIndex((item) => item?.row === row && item.target === target),
    missing(from, to) {
      const starts: number[] = [];
      for (let start = Math.max(0, Math.floor(from / PAGE) * PAGE); start <= to && start < pages.total; start += PAGE) {
        const end = Math.min(start + PAGE, pages.total);
        for (let i = start; i < end; i++) {
          if (items[i] === undefined) {
            starts.push(start);
            break;
          }
        }
      }
      return starts;
    },
    put(offset, found, total) {
      pages.total = total;
      items.length = total;
      found.forEach((item, i) => {
        if (offset + i < total) items[offset + i] = item;
      });
    },
    remove(index) {
      if (index < 0 || index >= pages.total) return;
      items.splice(index, 1);
      pages.total--;
    },
    clear() {
      items = [];
      pages.total = 0;
    },
  };
  return pages;
}
