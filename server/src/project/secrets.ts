/** Finds keys that stand in a file, comments included. */
import type { Problem } from "../../../schemas/problem.ts";
import { rangeOf, type YamlFile } from "./yaml.ts";

/** Forms of keys that providers give out. All are long and hold a digit, so that ordinary words do not match. Look-aheads are bounded: time stays linear. */
const FORMS = [
  /\bsk-(?=[A-Za-z_-]{0,60}\d)[A-Za-z0-9_-]{16,}/g, // OpenAI, Anthropic and those that copy them
  /\bhf_[A-Za-z0-9]{20,}/g, // Hugging Face
  /\bgh[pousr]_[A-Za-z0-9]{30,}/g, // GitHub
  /\bgithub_pat_[A-Za-z0-9_]{30,}/g,
  /\bAKIA[A-Z0-9]{16}\b/g, // AWS
  /\bAIza[A-Za-z0-9_-]{30,}/g, // Google
  /\bgsk_[A-Za-z0-9]{30,}/g, // Groq
  /\bxox[abprs]-[A-Za-z0-9-]{10,}/g, // Slack
  /\beyJ[A-Za-z0-9_-]{10,300}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+/g, // JSON Web Token
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/g,
];

/** A long run of letters and digits in the place of a key's name. */
const KEY_VALUE =
  /^[ \t]*(?:[\w-]+:[ \t]*\{.*?)?\bkey:[ \t]*["']?(?=[A-Za-z0-9_+/=.-]*[a-z])(?=[A-Za-z0-9_+/=.-]*\d)([A-Za-z0-9_+/=.-]{24,})/gm;

/** One error a key. The message does not repeat it. */
export function findSecrets(file: YamlFile): Problem[] {
  const spans: [number, number][] = [];
  for (const form of FORMS) {
    for (const match of file.text.matchAll(form)) spans.push([match.index, match.index + match[0].length]);
  }
  for (const match of file.text.matchAll(KEY_VALUE)) {
    const end = match.index + match[0].length;
    spans.push([end - match[1]!.length, end]);
  }
  spans.sort((a, b) => a[0] - b[0]);
  return spans
    .filter(([start], index) => index === 0 || start >= spans[index - 1]![1])
    .map((span) => ({
      severity: "error",
      code: "secret-in-file",
      message:
        "This looks like a real key. Put it in an environment variable or in VS Code's secret storage, and write its name here. If the file was shared, revoke the key.",
      file: file.file,
      range: rangeOf(file, span),
    }));
}
