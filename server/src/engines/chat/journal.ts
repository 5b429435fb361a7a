/**
 * The answers that were paid for, each on the disk before anything is made of it: nothing is paid twice, neither by a job that
 * goes on after a crash nor by a later one that asks the same. One file a job, appended by its runner alone; jobs that ask the same model
 * read each other's. A line before a call is sent, one when it is answered: calls whose answer never came are counted.
 */
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { cutTornLine, wholeLines } from "../../jobs/lines.ts";
import { canonicalJson } from "../../project/training-spec.ts";
import type { AnswerToken } from "./logprobs.ts";

/** One choice of an answer, as far as it is needed again. */
export interface Choice {
  text: string;
  /** The endpoint's own word: stop, length, content_filter, … */
  finish: string | null;
  refused: boolean;
  tokens: AnswerToken[] | null;
}

export interface StoredAnswer {
  choices: Choice[];
  usage: { prompt: number; completion: number; cached?: number } | null;
  /** Seconds the call took. */
  seconds: number;
  /** It came by the Batch API, at its price. */
  batch?: true;
  /** The model as the endpoint names it. */
  model: string | null;
}

interface Place {
  file: number;
  offset: number;
  length: number;
}

export interface Journal {
  /** The stored answer, or null. `own`: this job paid for it. */
  find(key: string): { answer: StoredAnswer; own: boolean } | null;
  sent(key: string): void;
  answered(key: string, answer: StoredAnswer): void;
  /** The call came to nothing: an error of the endpoint, which costs nothing. */
  failed(key: string): void;
  /** Of this job, at the start: keys of its stored answers, and of calls that were sent and never heard of. */
  readonly before: { answered: string[]; lost: string[] };
  close(): void;
}

/** SHA-256 of everything that decides an answer, shortened to 144 bits. */
export function callKey(address: string, body: unknown, again = 0): string {
  return createHash("sha256")
    .update(canonicalJson({ address, body, ...(again > 0 ? { again } : {}) }))
    .digest("base64url")
    .slice(0, 24);
}

/**
 * @param folder of the answers of one model at one endpoint
 * @param job names this job's file
 */
export async function openJournal(folder: string, job: string): Promise<Journal> {
  mkdirSync(folder, { recursive: true });
  const own = `${job}.jsonl`;
  const ownPath = join(folder, own);
  if (existsSync(ownPath)) await cutTornLine(ownPath);
  const names = [own, ...readdirSync(folder).filter((name) => name.endsWith(".jsonl") && name !== own)];
  const places = new Map<string, Place>();
  const open = new Set<string>();
  const answered = new Set<string>();
  const files: number[] = [];
  for (const [file, name] of names.entries()) {
    const path = join(folder, name);
    files.push(file === 0 ? openSync(path, "a+") : openSync(path, "r"));
    for await (const { text, offset, end } of wholeLines(path)) {
      // Only what is needed of the line: its answer may be long.
      const key = /^\{"key":"([^"]+)"/.exec(text)?.[1];
      if (key === undefined) continue;
      if (text.includes('"answer":')) {
        if (!places.has(key)) places.set(key, { file, offset, length: end - offset });
        if (file === 0) {
          open.delete(key);
          answered.add(key);
        }
      } else if (file === 0) {
        if (text.includes('"sent":')) open.add(key);
        else open.delete(key);
      }
    }
  }
  let size = 0;
  for await (const { end } of wholeLines(ownPath)) size = end;

  function append(line: unknown): Place {
    const text = Buffer.from(`${JSON.stringify(line)}\n`);
    writeSync(files[0]!, text);
    const place = { file: 0, offset: size, length: text.length };
    size += text.length;
    return place;
  }

  return {
    before: { answered: [...answered], lost: [...open] },
    find(key) {
      const place = places.get(key);
      if (!place) return null;
      const bytes = Buffer.alloc(place.length);
      readSync(files[place.file]!, bytes, 0, place.length, place.offset);
      const { answer } = JSON.parse(bytes.toString("utf8")) as { answer: StoredAnswer };
      return { answer, own: place.file === 0 };
    },
    sent: (key) => void append({ key, sent: new Date().toISOString() }),
    answered(key, answer) {
      const place = append({ key, answer });
      places.set(key, place);
    },
    failed: (key) => void append({ key, failed: true }),
    close() {
      for (const file of files) closeSync(file);
    },
  };
}
