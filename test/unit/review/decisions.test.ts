import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { appendFile, chmod, mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { DecisionId } from "../../../schemas/decisions.ts";
import { nextDecisionId } from "../../../server/src/review/decision-id.ts";
import { makeDecisions, openDecisionLog, parseDecisions, readDecisions } from "../../../server/src/review/decisions.ts";
import { foldDecisions, verdictOf } from "../../../server/src/review/fold.ts";
import { ensureUnionMerge } from "../../../server/src/review/git-attributes.ts";
import { inSightOf } from "../../../server/src/review/record.ts";
import { draft } from "./lines.ts";

describe("decision ids", () => {
  it("are UUIDs of version 7 and greater than the id before, whatever the clock says", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 2 ** 31 }), { minLength: 1, maxLength: 50 }), (clock) => {
        let before: string | undefined;
        for (const now of clock) {
          const id = nextDecisionId(before, now);
          assert.doesNotThrow(() => DecisionId.parse(id));
          assert.ok(before === undefined || id > before);
          before = id;
        }
      }),
    );
  });

  it("go on past the 4,096 ids of one millisecond", () => {
    let id = nextDecisionId(undefined, 5);
    for (let i = 0; i < 5000; i++) {
      const next = nextDecisionId(id, 5);
      assert.ok(next > id);
      id = next;
    }
  });
});

describe("the decisions file", () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "clf-decisions-"));
    file = join(folder, "reviews.jsonl");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const writer = (who: string, now: number, after?: string) => ({ who, now, after });

  it("holds nothing before the first decision", async () => {
    assert.deepEqual(await readDecisions(file), { decisions: [], problems: [], readable: true });
  });

  it("gives back what was appended, one line a decision", async () => {
    const log = openDecisionLog(file);
    const made = await log.append("ann", () => [draft(), draft({ row: "r2", after: "Über\nline  “x”" })]);
    assert.equal(made.length, 2);
    const again = await readDecisions(file);
    assert.deepEqual(again.decisions, made);
    assert.deepEqual(again.problems, []);
    assert.equal((await readFile(file, "utf8")).split("\n").length, 3);
    assert.deepEqual((await log.read()).decisions, made);
  });

  it("sees what others appended, before it appends itself", async () => {
    const ann = openDecisionLog(file);
    const ben = openDecisionLog(file, () => 0); // his clock is decades behind
    await ann.append("ann", () => [draft()]);
    await ben.append("ben", (seen) => {
      assert.equal(seen.length, 1);
      return [inSightOf(seen, draft({ after: "Sprains" }))];
    });
    const verdict = verdictOf(foldDecisions((await ann.read()).decisions), "r1", "NatureTitle");
    assert.equal(verdict?.current?.after, "Sprains");
    assert.equal(verdict?.conflict, false);
  });

  it("loses nothing when many write at once", async () => {
    const logs = Array.from({ length: 6 }, () => openDecisionLog(file));
    await Promise.all(
      logs.flatMap((log, i) =>
        Array.from({ length: 5 }, (_, j) => log.append(`p${i}`, () => [draft({ row: `${i}-${j}` })])),
      ),
    );
    const { decisions, problems } = await readDecisions(file);
    assert.equal(new Set(decisions.map(({ row }) => row)).size, 30);
    assert.equal(new Set(decisions.map(({ id }) => id)).size, 30);
    assert.deepEqual(problems, []);
    assert.deepEqual(await readdir(folder), ["reviews.jsonl"]);
  });

  it("takes over the lock of a writer that was killed", async () => {
    await mkdir(`${file}.lock`);
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(`${file}.lock`, longAgo, longAgo);
    assert.equal((await openDecisionLog(file).append("ann", () => [draft()])).length, 1);
  });

  it("reports a line that was cut off, keeps it, and does not glue the next one to it", async () => {
    const log = openDecisionLog(file);
    await log.append("ann", () => [draft()]);
    await appendFile(file, '{"id":"0193');
    const torn = await log.read();
    assert.deepEqual(
      torn.problems.map(({ code, range }) => [code, range?.start.line]),
      [["torn-decision", 1]],
    );
    await log.append("ann", () => [draft({ row: "r2" })]);
    const { decisions, problems } = await readDecisions(file);
    assert.deepEqual(
      decisions.map(({ row }) => row),
      ["r1", "r2"],
    );
    assert.deepEqual(
      problems.map(({ code, range }) => [code, range?.start.line]),
      [["invalid-decision", 1]],
    );
    assert.match(await readFile(file, "utf8"), /\n\{"id":"0193\n/);
  });

  it("reports lines that are no decision with their line, and uses the others", () => {
    const [good] = makeDecisions([draft()], writer("ann", 1000));
    const noLabel = { ...good, id: nextDecisionId(good!.id, 1000), after: null };
    const content = Buffer.concat([
      Buffer.from(`<<<<<<< ours\n${JSON.stringify(good)}\r\n=======\n${JSON.stringify(noLabel)}\n\n`),
      Buffer.from([0xff, 0xfe, 0x0a]),
      Buffer.from("[1, 2]\n"),
    ]);
    const { decisions, problems } = parseDecisions(content, "/p/reviews.jsonl");
    assert.deepEqual(decisions, [good]);
    assert.deepEqual(
      problems.map(({ code, range, file: at }) => [code, range?.start.line, at]),
      [
        ["merge-marker", 0, "/p/reviews.jsonl"],
        ["merge-marker", 2, "/p/reviews.jsonl"],
        ["invalid-decision", 3, "/p/reviews.jsonl"],
        ["invalid-decision", 5, "/p/reviews.jsonl"],
        ["invalid-decision", 6, "/p/reviews.jsonl"],
      ],
    );
    assert.match(problems[2]!.message, /`after`/);
  });

  it("counts a line that stands twice once, and reports two contents under one id whatever their order", () => {
    const [a] = makeDecisions([draft()], writer("ann", 1000));
    const lines = [JSON.stringify(a), JSON.stringify(a)];
    assert.deepEqual(parseDecisions(Buffer.from(lines.join("\n"))), { decisions: [a], problems: [] });
    const forged = JSON.stringify({ ...a, after: "Sprains" });
    const one = parseDecisions(Buffer.from(`${lines[0]}\n${forged}\n`));
    const other = parseDecisions(Buffer.from(`${forged}\n${lines[0]}\n`));
    assert.equal(one.problems[0]?.code, "duplicate-decision");
    assert.deepEqual(one.decisions, other.decisions);
  });

  it("reads lines with fields of a newer version", () => {
    const [a] = makeDecisions([draft()], writer("ann", 1000));
    assert.deepEqual(parseDecisions(Buffer.from(JSON.stringify({ ...a, mood: "sure" }))), {
      decisions: [a],
      problems: [],
    });
  });

  it("reports a file that cannot be read, and never writes to it", async () => {
    await mkdir(file);
    const read = await readDecisions(file);
    assert.equal(read.readable, false);
    assert.equal(read.problems[0]?.code, "decisions-unreadable");
    assert.match(read.problems[0]!.message, /it is a folder/);
    await assert.rejects(
      openDecisionLog(file).append("ann", () => [draft()]),
      /not recorded.*folder/,
    );
    assert.deepEqual(await readdir(file), []);
  });

  it("says so when the file may not be written", async function () {
    if (process.getuid?.() === 0 || process.platform === "win32") this.skip(); // root may write everywhere
    await writeFile(file, "");
    await chmod(file, 0o444);
    await assert.rejects(
      openDecisionLog(file).append("ann", () => [draft()]),
      /not recorded.*permission denied/,
    );
  });

  it("merges in git without loss or conflict with `merge=union`", async () => {
    const git = (...args: string[]) => execFileSync("git", args, { cwd: folder, stdio: "pipe" });
    const commit = (message: string) => {
      git("add", "--all");
      git("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false", "commit", "-qm", message);
    };
    git("init", "-q", "-b", "main");
    assert.deepEqual(await ensureUnionMerge(folder, ["reviews.jsonl"]), ["/reviews.jsonl text eol=lf merge=union"]);
    assert.deepEqual(await ensureUnionMerge(folder, ["reviews.jsonl"]), []);
    const log = openDecisionLog(file);
    await log.append("ann", () => [draft({ row: "r0" })]);
    commit("start");
    git("checkout", "-qb", "ben");
    await log.append("ben", () => [draft({ after: "Sprains" }), draft({ row: "r2" })]);
    commit("ben");
    git("checkout", "-q", "main");
    await log.append("ann", () => [draft({ after: "Fractures" }), draft({ row: "r3" })]);
    commit("ann");
    git("-c", "user.name=t", "-c", "user.email=t@t", "merge", "-q", "-m", "merge", "ben");
    const { decisions, problems } = await log.read();
    assert.deepEqual(problems, []);
    assert.deepEqual(decisions.map(({ row }) => row).sort(), ["r0", "r1", "r1", "r2", "r3"]);
    assert.equal(verdictOf(foldDecisions(decisions), "r1", "NatureTitle")?.conflict, true);
  });

  it("escapes file names in .gitattributes and leaves what is there", async () => {
    await writeFile(join(folder, ".gitattributes"), "*.png binary\n/a.jsonl merge=ours");
    await ensureUnionMerge(folder, ["a.jsonl", "my reviews[1].jsonl"]);
    const content = await readFile(join(folder, ".gitattributes"), "utf8");
    assert.equal(
      content,
      '*.png binary\n/a.jsonl merge=ours\n"/my reviews\\\\[1\\\\].jsonl" text eol=lf merge=union\n',
    );
    execFileSync("git", ["init", "-q"], { cwd: folder });
    const checked = execFileSync("git", ["check-attr", "merge", "my reviews[1].jsonl"], { cwd: folder });
    assert.match(String(checked), /merge: union/);
  });
});
