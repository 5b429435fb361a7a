/** What all our plots need done to what Observable Plot draws. */
import type { plot } from "@observablehq/plot";

export type Drawn = ReturnType<typeof plot>;

/** Colours and words come from our style sheet: the page's policy allows no other. Names of marks say nothing to a reader. */
export function plain(drawn: Drawn): Drawn {
  for (const style of drawn.querySelectorAll("style")) style.remove();
  for (const part of drawn.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
  return drawn;
}
