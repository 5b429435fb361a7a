/** What axe-core finds in a page, and the themes to look at it in. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Frame, Page } from "playwright-core";

/** Themes that every panel is looked at in, and how pictures name them; the one that windows begin with comes last. */
export const THEMES = [
  ["Light Modern", "light"],
  ["Default High Contrast", "high-contrast"],
  ["Dark Modern", "dark"],
] as const;

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string }[];
}

/** Serious issues, each with where it stands. */
export async function seriousIssues(page: Frame | Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { run } = (globalThis as unknown as { axe: { run(root: Node): Promise<{ violations: unknown[] }> } }).axe;
    return (await run(document)).violations;
  });
  return (found as Violation[])
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 200))}`);
}
