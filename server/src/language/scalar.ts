/** Text as YAML writes it. */

/** Text that means itself without quotes, wherever a value may stand. */
const PLAIN = /^[\p{L}_][\p{L}\p{N}_ ./()'+-]*$/u;
const RESERVED = /^(?:true|false|null|yes|no|on|off|y|n|~)$/i;

/** A value or key that is read as exactly this text. */
export function scalarText(text: string): string {
  return PLAIN.test(text) && !RESERVED.test(text) && text === text.trim() ? text : JSON.stringify(text);
}
