/** Hover texts. Labels, columns and names come from files anyone may have written: they are shown, never interpreted. */

/** Text as inline code, whatever it holds: no link, image or markup of it takes effect. */
export function code(text: string): string {
  const line = text.replace(/\s+/g, " ");
  const shown = line.length > 200 ? `${line.slice(0, 199)}…` : line;
  const longest = Math.max(0, ...[...shown.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = "`".repeat(longest + 1);
  return longest > 0 ? `${fence} ${shown} ${fence}` : `${fence}${shown || " "}${fence}`;
}

/** A table of numbers. `head` and the first cells are code already or plain words. */
export function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}

/** For clients that show no markdown. */
export function plainText(markdown: string): string {
  return markdown
    .replace(/^\|[ :|-]+\|$\n?/gm, "")
    .replace(/^\| (.*) \|$/gm, (_, cells: string) => cells.replaceAll(" | ", "  "))
    .replace(/[`*]/g, "");
}
