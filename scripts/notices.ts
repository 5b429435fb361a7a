/** The notices of what a package holds that others wrote: name, version, author and licence text of each npm package. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Notice {
  name: string;
  version: string;
  licence: string;
  /** Where its source is; empty where the package does not say. */
  address: string;
  /** Its licence files, and notices that must go with them. */
  texts: string[];
}

interface Manifest {
  name: string;
  version: string;
  license?: string | { type: string };
  licenses?: { type: string }[];
  author?: string | { name: string };
  repository?: string | { url: string };
  homepage?: string;
}

/** The folders of the npm packages that files belong to, each once. Files of ours belong to none. */
export function packageFolders(files: readonly string[]): string[] {
  const folders = new Set<string>();
  for (const file of files) {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file.replaceAll("\\", "/"));
    if (found) folders.add(found[1]!);
  }
  return [...folders].sort();
}

/** @throws Error when the package does not say under which licence it is: then nobody may hand it on */
export function noticeOf(folder: string): Notice {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  const { name, version, license, licenses, author, repository, homepage } = manifest;
  const licence =
    typeof license === "string" ? license : (license?.type ?? licenses?.map(({ type }) => type).join(" or "));
  if (!licence) throw new Error(`${name} ${version} names no licence.`);
  const texts = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice|copyright|third-?party)/i.test(file))
    .filter((file) => !/\.(js|ts|mjs|cjs|json)$/i.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), "utf8").trim());
  const by = typeof author === "string" ? author : author?.name;
  if (texts.length === 0) {
    const standard = STANDARD[licence];
    if (standard === undefined) throw new Error(`${name} ${version} (${licence}) has no licence file.`);
    texts.push(`${by === undefined ? "" : `Copyright (c) ${by}\n\n`}${standard}`);
  }
  const from = (typeof repository === "string" ? repository : repository?.url) ?? homepage ?? "";
  return { name, version, licence, address: from.replace(/^git\+/, ""), texts };
}

const RULE = "=".repeat(100);

/** One text for all, by name; a package that is there in two versions stands twice. */
export function noticesText(folders: readonly string[]): string {
  const notices = new Map<string, Notice>();
  for (const folder of folders) {
    const notice = noticeOf(folder);
    notices.set(`${notice.name} ${notice.version}`, notice);
  }
  const sorted = [...notices.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const head = [
    "Clf holds software that others wrote. It is used under these licences.",
    "",
    ...sorted.map(({ name, version, licence }) => `- ${name} ${version}: ${licence}`),
  ].join("\n");
  const parts = sorted.map(({ name, version, licence, address, texts }) =>
    [RULE, `${name} ${version} (${licence})`, address, RULE, "", texts.join("\n\n")].filter(Boolean).join("\n"),
  );
  return `${[head, ...parts].join("\n\n")}\n`;
}

/** Texts of licences whose packages sometimes come without a file of their own. */
const STANDARD: Record<string, string> = {
  MIT: `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`,
};
