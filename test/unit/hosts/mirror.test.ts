import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "../../../server/src/jobs/hosts/host.ts";
import { mirrorAttempt } from "../../../server/src/jobs/mirror.ts";

describe("mirror of an attempt", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "clf-mirror-"));
    await mkdir(join(folder, "attempts/1"), { recursive: true });
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** A host with these files, which reads at most so many bytes at a time. */
  const hostOf = (files: Record<string, Buffer>, most: number) =>
    ({
      read: async (_job: string, path: string, offset: number) => {
        const file = files[path.replace("attempts/1/", "")];
        return file ? { data: file.subarray(offset, offset + most), size: file.length } : null;
      },
    }) as unknown as Host;
  const here = (name: string) => readFile(join(folder, "attempts/1", name), "utf8");

  it("takes whole lines of events, and a log's line before it has an end", async () => {
    const files = { "events.jsonl": Buffer.from('{"seq":1}\n{"seq"'), "log.txt": Buffer.from("one\n 40 %") };
    await mirrorAttempt(hostOf(files, 4), "j", folder, 1);
    assert.equal(await here("events.jsonl"), '{"seq":1}\n');
    assert.equal(await here("log.txt"), "one\n 40 %");
    const later = {
      "events.jsonl": Buffer.from('{"seq":1}\n{"seq":2}\n'),
      "log.txt": Buffer.from("one\n 40 % 80 %\n"),
    };
    await mirrorAttempt(hostOf(later, 4), "j", folder, 1);
    assert.equal(await here("events.jsonl"), '{"seq":1}\n{"seq":2}\n');
    assert.equal(await here("log.txt"), "one\n 40 % 80 %\n");
  });

  it("takes a file that is written once when all of it is there", async () => {
    await mirrorAttempt(hostOf({ "launch.json": Buffer.from('{"pid":1') }, 4), "j", folder, 1);
    await assert.rejects(here("launch.json"), /ENOENT/);
    await mirrorAttempt(hostOf({ "launch.json": Buffer.from('{"pid":12}\n') }, 4), "j", folder, 1);
    assert.equal(await here("launch.json"), '{"pid":12}\n');
  });

  it("does not copy a log without end", async () => {
    const piece = Buffer.alloc(4 << 20, "line\n");
    let asked = 0;
    const host = {
      read: async (_job: string, path: string) => {
        if (!path.endsWith("log.txt")) return null;
        assert.ok(++asked < 100, "the whole log is read");
        return { data: piece, size: 1 << 30 };
      },
    } as unknown as Host;
    await mirrorAttempt(host, "j", folder, 1);
    assert.equal((await stat(join(folder, "attempts/1/log.txt"))).size, 64 << 20);
  });
});
