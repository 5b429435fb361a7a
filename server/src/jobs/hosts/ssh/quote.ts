/** Words for a POSIX shell on a host. Only `sh` ever sees them: the login shell gets one constant command. */

/** One word, whatever is in it. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** A folder on the host; `~/` and relative paths are below the home folder there. */
export function quoteFolder(path: string): string {
  if (path === "~") return '"$HOME"';
  if (path.startsWith("~/")) return `"$HOME"/${quote(path.slice(2))}`;
  return path.startsWith("/") ? quote(path) : `"$HOME"/${quote(path)}`;
}
