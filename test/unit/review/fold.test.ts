import assert from "node:assert/strict";
import fc from "fast-check";
import type { Decision } from "../../../schemas/decisions.ts";
import { type DecisionDraft, makeDecisions, parseDecisions } from "../../../server/src/review/decisions.ts";
import { foldDecisions, type Verdicts, verdictOf } from "../../../server/src/review/fold.ts";
import { inSightOf, kindOfLabel, redoLast, undoLastAct } from "../../../server/src/review/record.ts";
import { draft, line } from "./lines.ts";

/** Of lines that were each decided by an act of their own: one is taken back, or none. */
function undoLast(...of: Parameters<typeof undoLastAct>): DecisionDraft | undefined {
  const drafts = undoLastAct(...of);
  assert.ok(drafts.length <= 1);
  return drafts[0];
}

const verdict = (lines: Decision[], row = "r1") => verdictOf(foldDecisions(lines), row, "NatureTitle");

describe("folding decisions", () => {
  it("lets the newest decision of a person hold", () => {
    const lines = [line({ after: "Sprains" }), line({ after: "Cuts" })];
    assert.equal(verdict(lines)?.current?.after, "Cuts");
    assert.equal(verdict(lines)?.standing.length, 1);
    assert.equal(verdict(lines, "r2"), undefined);
  });

  it("keeps targets apart", () => {
    const lines = [line({ after: "Sprains" }), line({ after: "Foot", target: "Part of Body Title" })];
    assert.equal(verdict(lines)?.current?.after, "Sprains");
  });

  it("goes back to the decision before when one is taken back", () => {
    const first = line({ after: "Sprains" });
    const second = line({ after: "Cuts", replaces: [first.id] });
    const undo = line({ kind: "undone", after: null, undoes: second.id });
    assert.equal(verdict([first, second, undo])?.current, first);
    const redo = line({ kind: "undone", after: null, undoes: undo.id });
    assert.equal(verdict([first, second, undo, redo])?.current, second);
  });

  it("finds two people who decided differently without seeing each other, and what settles it", () => {
    const ann = line({ who: "ann", after: "Sprains" });
    const ben = line({ who: "ben", after: "Cuts" });
    const conflict = verdict([ann, ben]);
    assert.equal(conflict?.conflict, true);
    assert.deepEqual(conflict?.standing, [ben, ann]);
    const settled = line({ who: "ann", after: "Sprains", replaces: [ann.id, ben.id] });
    assert.equal(verdict([ann, ben, settled])?.conflict, false);
    assert.equal(verdict([ann, ben, settled])?.current, settled);
  });

  it("is no conflict to agree, or to correct what one has seen", () => {
    const ann = line({ who: "ann", after: "Cuts" });
    assert.equal(verdict([ann, line({ who: "ben", kind: "confirmed", after: "Cuts" })])?.conflict, false);
    assert.equal(verdict([ann, line({ who: "ben", after: "Burns", replaces: [ann.id] })])?.conflict, false);
    assert.equal(verdict([ann, line({ who: "ben", kind: "none", after: null })])?.conflict, true);
  });

  it("sees through a decision that was taken back: what it replaced stays replaced by what replaced it", () => {
    const a = line({ who: "ann", after: "Cuts" });
    const b = line({ who: "ben", after: "Burns", replaces: [a.id] });
    const c = line({ who: "cleo", after: "Sprains", replaces: [b.id] });
    const undo = line({ who: "ben", kind: "undone", after: null, undoes: b.id });
    assert.deepEqual(verdict([a, b, c, undo])?.standing, [c]);
  });

  it("lets a skip change nothing", () => {
    const skip = line({ kind: "skipped", after: null });
    assert.equal(verdict([skip])?.current, undefined);
    assert.equal(verdict([skip])?.skipped, skip);
    const decided = line({ after: "Cuts" });
    const later = line({ kind: "skipped", after: null });
    assert.equal(verdict([decided, later])?.current, decided);
    assert.equal(verdict([decided, later])?.skipped, undefined);
  });

  it("survives lines that undo what is not there, themselves, or something later", () => {
    const self = line();
    const circular = { ...line({ kind: "undone", after: null }), undoes: self.id };
    const later = line({ after: "Cuts" });
    const early = { ...line({ kind: "undone", after: null }), undoes: undefined } as unknown as Decision;
    early.undoes = early.id;
    assert.equal(verdict([self, circular, later, early])?.current, later);
    const future = { ...self, undoes: later.id, kind: "undone", after: null } as Decision;
    assert.equal(verdict([future, later])?.current, later);
  });
});

describe("undo and redo", () => {
  const decide = (lines: Decision[], fields: Partial<DecisionDraft> | undefined, who = "ann"): Decision[] =>
    fields === undefined
      ? lines
      : [...lines, ...makeDecisions([draft(fields)], { who, now: 1000, after: lines.at(-1)?.id })];

  it("go back and forth to any depth", () => {
    let lines = decide([], { after: "A" });
    lines = decide(lines, { after: "B" });
    lines = decide(lines, { after: "C", row: "r2" });
    for (const expected of ["B", "A", undefined]) {
      lines = decide(lines, undoLast(lines));
      assert.equal(verdict(lines)?.current?.after, expected);
    }
    assert.equal(undoLast(lines), undefined);
    for (const expected of ["A", "B", "B"]) {
      lines = decide(lines, redoLast(lines));
      assert.equal(verdict(lines)?.current?.after, expected);
    }
    assert.equal(verdict(lines, "r2")?.current?.after, "C");
    assert.equal(redoLast(lines), undefined);
  });

  it("take back what was decided by one act together, and then what came before", () => {
    let lines = decide([], { after: "A" });
    lines = decide(lines, { after: "B", row: "r2", act: "many" });
    lines = decide(lines, { after: "B", row: "r3", act: "many" });
    lines = decide(lines, { after: "B", row: "r4", act: "many" }, "ben");
    const act = undoLastAct(lines, { who: "ann" });
    assert.deepEqual(
      act.map(({ row, undoes }) => [row, undoes]),
      [1, 2].map((n) => [lines[n]!.row, lines[n]!.id]),
    );
    for (const each of act) lines = decide(lines, each);
    assert.deepEqual([verdict(lines, "r2")?.current, verdict(lines, "r4")?.current?.after], [undefined, "B"]);
    assert.deepEqual(
      undoLastAct(lines, { who: "ann" }).map(({ undoes }) => undoes),
      [lines[0]!.id],
    );
    assert.deepEqual(undoLastAct([], {}), []);
  });

  it("does not redo once something else was decided", () => {
    let lines = decide([], { after: "A" });
    lines = decide(lines, undoLast(lines));
    lines = decide(lines, { after: "B" });
    assert.equal(redoLast(lines), undefined);
    lines = decide(lines, undoLast(lines));
    lines = decide(lines, redoLast(lines));
    assert.equal(verdict(lines)?.current?.after, "B");
    assert.equal(redoLast(lines), undefined);
  });

  it("decide in sight of a conflict, which is then one of the reasons", () => {
    const lines = [line({ after: "A" }), line({ who: "ben", after: "B" })];
    const settled = inSightOf(lines, draft({ after: "A" }));
    assert.deepEqual(settled.reasons, ["below-threshold", "conflict"]);
    assert.deepEqual(new Set(settled.replaces), new Set(lines.map(({ id }) => id)));
  });

  it("stay within a person's own lines, or a row", () => {
    let lines = decide([], { after: "A" });
    lines = decide(lines, { after: "B", row: "r2" }, "ben");
    assert.equal(undoLast(lines, { who: "ann" })?.undoes, lines[0]!.id);
    assert.equal(undoLast(lines, { row: "r1", target: "NatureTitle" })?.undoes, lines[0]!.id);
    assert.equal(undoLast(lines, { who: "cleo" }), undefined);
    assert.equal(undoLast(lines)?.undoes, lines[1]!.id);
  });

  it("takes back skips too", () => {
    let lines = decide([], { kind: "skipped", after: null });
    lines = decide(lines, undoLast(lines));
    assert.equal(verdict(lines), undefined);
  });
});

describe("a label's kind of decision", () => {
  it("compares with what was shown", () => {
    const prediction = { label: "Cuts" };
    assert.equal(kindOfLabel("Cuts", { before: "Burns", prediction }), "confirmed");
    assert.equal(kindOfLabel("Burns", { before: "Burns", prediction }), "corrected");
    assert.equal(kindOfLabel("Burns", { before: "Burns", prediction, blind: true }), "confirmed");
    assert.equal(kindOfLabel("Burns", { before: "Burns" }), "confirmed");
    assert.equal(kindOfLabel("Burns", { before: null }), "corrected");
  });
});

/** A step of a person in review. */
const step = fc.oneof(
  fc.record({
    do: fc.constant("decide" as const),
    row: fc.constantFrom("r1", "r2", "r3"),
    after: fc.constantFrom("A", "B", "C"),
  }),
  fc.record({ do: fc.constant("none" as const), row: fc.constantFrom("r1", "r2", "r3") }),
  fc.record({ do: fc.constant("skip" as const), row: fc.constantFrom("r1", "r2", "r3") }),
  fc.record({ do: fc.constant("undo" as const) }),
  fc.record({ do: fc.constant("redo" as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The lines a person appends to `seen`, with a clock of their own. */
function work(who: string, seen: readonly Decision[], steps: readonly Step[], clock: number): Decision[] {
  const lines = [...seen];
  for (const [i, one] of steps.entries()) {
    let made: DecisionDraft | undefined;
    if (one.do === "undo") made = undoLast(lines, { who });
    else if (one.do === "redo") made = redoLast(lines, { who });
    else if (one.do === "skip") made = draft({ row: one.row, kind: "skipped", after: null });
    else if (one.do === "none") made = inSightOf(lines, draft({ row: one.row, kind: "none", after: null }));
    else made = inSightOf(lines, draft({ row: one.row, after: one.after }));
    if (made) lines.push(...makeDecisions([made], { who, now: clock + i, after: lines.at(-1)?.id }));
  }
  return lines.slice(seen.length);
}

const plain = (verdicts: Verdicts) =>
  [...verdicts]
    .flatMap(([row, targets]) => [...targets.values()].map((each) => ({ ...each, row })))
    .sort((a, b) => (a.row < b.row ? -1 : 1));

describe("decisions files that were merged", () => {
  it("fold to the same state in any order of lines, with lines twice", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 12 }),
        fc.array(step, { maxLength: 12 }),
        fc.array(step, { maxLength: 12 }),
        fc.nat({ max: 10 }),
        fc.infiniteStream(fc.nat()),
        (common, annSteps, benSteps, benClock, order) => {
          const base = work("ann", [], common, 5);
          const ann = work("ann", base, annSteps, 5);
          const ben = work("ben", base, benSteps, benClock);
          const merged = [...base, ...ann, ...ben];
          const shuffled = [...merged, ...ben]
            .map((each) => ({ each, at: order.next().value as number }))
            .sort((a, b) => a.at - b.at)
            .map(({ each }) => each);
          const { decisions, problems } = parseDecisions(
            Buffer.from(shuffled.map((each) => JSON.stringify(each)).join("\n")),
          );
          assert.deepEqual(problems, []);
          assert.equal(decisions.length, merged.length);
          assert.deepEqual(
            plain(foldDecisions(shuffled.filter((d, i) => shuffled.indexOf(d) === i))),
            plain(foldDecisions(decisions)),
          );
          // Whoever decides in sight of everything settles every conflict.
          const settled = work(
            "cleo",
            decisions,
            (["r1", "r2", "r3"] as const).map((row) => ({ do: "decide", row, after: "A" })),
            0,
          );
          for (const { conflict, current } of plain(foldDecisions([...decisions, ...settled]))) {
            assert.equal(conflict, false);
            assert.equal(current?.who, "cleo");
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("undo gives back the state before, redo the state after", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 15 }), step, (before, one) => {
        const lines = work("ann", [], before, 5);
        const done = work("ann", lines, [one], 5);
        if (done.length === 0 || done[0]!.kind === "undone") return;
        const all = [...lines, ...done];
        const undone = [...all, ...work("ann", all, [{ do: "undo" }], 5)];
        assert.deepEqual(plain(foldDecisions(undone)), plain(foldDecisions(lines)));
        const redone = [...undone, ...work("ann", undone, [{ do: "redo" }], 5)];
        assert.deepEqual(plain(foldDecisions(redone)), plain(foldDecisions(all)));
      }),
      { numRuns: 300 },
    );
  });

  it("never find a conflict in the work of one person, or of people who saw each other's", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom("ann", "ben"), step), { maxLength: 20 }), (steps) => {
        let lines: Decision[] = [];
        for (const [who, one] of steps) {
          // Undoing a line that others built on may bring an older one back beside theirs; deciding never does.
          if (one.do === "undo" || one.do === "redo") continue;
          lines = [...lines, ...work(who, lines, [one], 5)];
        }
        assert.ok(plain(foldDecisions(lines)).every(({ conflict }) => !conflict));
      }),
    );
  });
});
