/** Pieces of DuckDB's SQL. */

export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** DuckDB reads a path as a glob; brackets make each special character plain. */
export const plainPath = (path: string): string => path.replace(/[*?[\]]/g, (character) => `[${character}]`);

/** A column's cell as text, what is nested as JSON; the empty text where it is null. */
export function textOf(column: string, type: string): string {
  const nested = /^(STRUCT|MAP|UNION|VARIANT)\b|\[\d*\]$/.test(type);
  return `coalesce(${nested ? `to_json(${identifier(column)})` : identifier(column)}::VARCHAR, '')`;
}
