import assert from "node:assert/strict";
import { definition, references, renamable, rename } from "../../../server/src/language/navigation.ts";
import { spotAt } from "../../../server/src/language/places.ts";
import { inSample, SAMPLE } from "./sample.ts";

const lines = SAMPLE.split("\n");
const uri = "file:///projects/sample/p.clf.yaml";
const at = (find: string) => {
  const { file, offset } = inSample(find);
  return { file, spot: spotAt(file, offset) };
};
const shown = ({ start, end }: { start: { line: number; character: number }; end: { character: number } }) =>
  `${lines[start.line]!.trim()} › ${lines[start.line]!.slice(start.character, end.character)}`;

describe("definition", () => {
  const to = async (find: string) => {
    const { file, spot } = at(find);
    const found = await definition(file, uri, spot);
    return found && shown(found.range);
  };
  it("leads from a name to where it is defined", async () => {
    assert.equal(await to("host: a1│0g"), "a10g: { kind: ssh, address: me@there } › a10g");
    assert.equal(await to("endpoint: he│re"), 'here: { base_url: "http://localhost:8000/v1" } › here');
    assert.equal(await to("stages: [baseline, tun│ed]"), "tuned: › tuned");
    assert.equal(await to("review: { model: base│line"), "baseline: { engine: linear } › baseline");
    assert.equal(await to("never: [Bu│rns]"), "labels: [Burns, Cuts] › Burns");
  });
  it("leads nowhere from what is no name", async () => {
    assert.equal(await to("engine: qlo│ra"), undefined);
    assert.equal(await to("source: data/a│.csv"), undefined);
  });
});

describe("references and rename", () => {
  it("finds every use", () => {
    const { file, spot } = at("  base│line: {");
    assert.equal(references(file, spot, true).length, 3);
    assert.equal(references(file, spot, false).length, 2);
  });
  it("renames a model everywhere", () => {
    const { file, spot } = at("stages: [base│line");
    assert.equal(renamable(file, spot)?.placeholder, "baseline");
    const edits = rename(file, spot, "first");
    assert.ok(Array.isArray(edits));
    assert.deepEqual(
      edits.map(({ newText }) => newText),
      ["first", "first", "first"],
    );
  });
  it("says why a name cannot be used", () => {
    const { file, spot } = at("stages: [base│line");
    assert.match(String(rename(file, spot, "a b")), /cannot be a name/);
    assert.match(String(rename(file, spot, "tuned")), /already/);
  });
  it("renames nothing else", () => {
    const { file, spot } = at("column: Na│ture");
    assert.equal(renamable(file, spot), undefined);
  });
});
