/** Text of files in VS Code's notifications, as text. */

const LONGEST = 600;

/**
 * Notifications read `[words](command:…)` as a link that runs a command; names and labels in a message come from files that
 * anybody may have written. A zero-width space between the brackets leaves words.
 */
export function plain(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return cut.replaceAll("](", "]\u200b(");
}
