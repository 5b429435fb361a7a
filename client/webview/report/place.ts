/** Where a report is scrolled to, kept over a reload. */
import type { Kept } from "./choices.ts";

/** @param drawn when all of it has its height */
export function keepPlace(kept: Kept, drawn: Promise<void>): void {
  const top = kept.get("top", 0);
  let moved = false;
  const own = () => {
    moved = true;
  };
  for (const kind of ["wheel", "pointerdown", "keydown"]) addEventListener(kind, own, { once: true, passive: true });
  const restore = () => {
    // Plots are drawn once their room is known: a frame later.
    requestAnimationFrame(() => requestAnimationFrame(() => moved || scrollTo({ top })));
  };
  const listen = () => addEventListener("scroll", () => kept.set("top", Math.round(scrollY)), { passive: true });
  if (top > 0) restore();
  void drawn.then(() => {
    if (top > 0) restore();
    requestAnimationFrame(() => requestAnimationFrame(listen));
  });
}
