/** A base model that is a folder of the project, on its way to another machine. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineError } from "../../../server/src/engines/engine.ts";
import { baseFolder } from "../../../server/src/engines/qlora/base-folder.ts";

describe("a base that is a folder", () => {
  let project: string;
  let top: string;
  beforeEach(async () => {
    top = await mkdtemp(join(tmpdir(), "clf-base-"));
    project = join(top, "project");
    await mkdir(join(project, "models"), { recursive: true });
  });
  afterEach(() => rm(top, { recursive: true, force: true }));

  /** Makes a folder with these files of 10 bytes. */
  async function folder(path: string, ...names: string[]): Promise<void> {
    await mkdir(join(project, path), { recursive: true });
    for (const name of names) await writeFile(join(project, path, name), "0123456789");
  }
  const files = async (base: string, gguf_file?: string) =>
    (await baseFolder(project, { base, gguf_file }))?.files.map(({ name, bytes }) => `${name} ${bytes}`);
  const refusal = (base: string, gguf_file?: string) =>
    baseFolder(project, { base, gguf_file }).then(
      () => assert.fail("it was not refused"),
      (error: unknown) => {
        assert.ok(error instanceof EngineError && error.remedy, String(error));
        return error.message;
      },
    );

  it("brings what the loader reads, and nothing else that lies there", async () => {
    await folder("models/own", "config.json", "tokenizer.model", "merges.txt", "chat_template.jinja");
    await folder("models/own", "model-1.safetensors", "model-2.safetensors", "pytorch_model.bin");
    await folder("models/own", "small.gguf", "large.gguf", ".env", "id_rsa", "training.py");
    const small = ["chat_template.jinja 10", "config.json 10", "merges.txt 10"];
    assert.deepEqual(await files("models/own"), [
      ...small,
      "model-1.safetensors 10",
      "model-2.safetensors 10",
      "tokenizer.model 10",
    ]);
    assert.deepEqual(await files("./models/own", "small.gguf"), [...small, "small.gguf 10", "tokenizer.model 10"]);
    await folder("models/old", "config.json", "pytorch_model.bin", "optimizer.bin");
    assert.deepEqual(await files("models/old"), ["config.json 10", "pytorch_model.bin 10"]);
  });

  it("leaves names on the hub and whole paths alone", async () => {
    for (const base of ["gpt2", "Qwen/Qwen2.5-7B-Instruct", "/home/me/models/qwen"])
      assert.equal(await baseFolder(project, { base }), null);
  });

  it("refuses what is not there, or has no weights", async () => {
    await folder("models/empty", "config.json");
    for (const base of ["./models/none", "models/a/b", "../none", "~/models/x"])
      assert.match(await refusal(base), /there is no such folder/);
    assert.match(await refusal("C:\\models\\qwen"), /a path of this machine/);
    assert.match(await refusal("models/empty"), /no weights/);
    assert.match(await refusal("models/empty", "x.gguf"), /there is no x\.gguf/);
  });

  it("takes nothing from outside the project's folder, by whatever way", async () => {
    const outside = join(top, "outside");
    await mkdir(outside);
    await writeFile(join(outside, "config.json"), "{}");
    await writeFile(join(outside, "model.safetensors"), "");
    assert.match(await refusal("../outside"), /outside the project's folder/);
    try {
      await symlink(outside, join(project, "models/linked"), "dir");
    } catch {
      return;
    }
    assert.match(await refusal("models/linked"), /outside the project's folder/);
    await folder("models/half", "model.safetensors");
    await symlink(join(outside, "config.json"), join(project, "models/half/config.json"));
    assert.match(await refusal("models/half"), /config\.json in it is a link/);
  });
});
