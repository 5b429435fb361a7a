import assert from "node:assert/strict";
import { loadRead } from "../../../server/src/language/load-read.ts";
import { loadProject } from "../../../server/src/project/load.ts";
import { readText } from "../../../server/src/project/text.ts";
import { read, SAMPLE } from "./sample.ts";

describe("checking a file that has been read", () => {
  const key = ["sk-", "abcdefghij0123456789abcdef"].join("");
  for (const [name, text] of Object.entries({
    "a sound file": SAMPLE,
    "a syntax error": SAMPLE.replace("[Text]", "[Text"),
    "an unknown key": `${SAMPLE}foo: 1\n`,
    "a missing section": "version: 1\ndataset: { source: a.csv }\n",
    "an empty file": "",
    "a list": "- a\n",
    "an unknown host": SAMPLE.replace("host: a10g", "host: a10"),
    "a missing labels file": SAMPLE.replace("[Burns, Cuts]", "labels.yaml"),
    "a number as a label": SAMPLE.replace("[Burns, Cuts]", "[1, 007, Burns]"),
    "a key in the file": SAMPLE.replace("base_url:", `key: ${key}, base_url:`),
    "no version": SAMPLE.replace("version: 1\n", ""),
    "a later version": SAMPLE.replace("version: 1", "version: 99"),
  })) {
    it(`says the same as loading it: ${name}`, async () => {
      const file = read(text);
      const before = JSON.stringify(file.value);
      const loaded = await loadRead(file, readText);
      assert.equal(JSON.stringify(file.value), before, "the values were changed");
      const whole = await loadProject(file.file, { text });
      const told = (problems: typeof whole.problems) => problems.map((problem) => JSON.stringify(problem)).sort();
      if (loaded) {
        assert.deepEqual(told(loaded.problems), told(whole.problems));
        assert.deepEqual(loaded.project, whole.project);
      } else assert.match(text, /version: 99|^(?!version: 1)/);
    });
  }
});
