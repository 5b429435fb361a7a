import assert from "node:assert/strict";
import { progressOf } from "../../../server/src/review/progress.ts";
import { line } from "./lines.ts";

const DAY = "2026-11-21T00:00:00.000Z";
const at = (day: number, hour: number) => `2026-11-${day}T${String(hour).padStart(2, "0")}:00:00.000Z`;

describe("a person's progress", () => {
  it("counts what stands, today and in all, and what nobody has learned from", () => {
    const taken = line({ when: at(21, 3), row: "gone" });
    const lines = [
      line({ when: at(20, 9), row: "a", kind: "confirmed" }),
      line({ when: at(21, 1), row: "b" }),
      line({ when: at(21, 2), row: "c", kind: "skipped", after: null }),
      line({ when: at(21, 2), row: "d", kind: "none", after: null, who: "ben" }),
      taken,
      line({ when: at(21, 4), row: "gone", kind: "undone", after: null, undoes: taken.id }),
    ];
    assert.deepEqual(progressOf(lines, "ann", { day: DAY, since: at(21, 1) }), {
      who: "ann",
      today: { confirmed: 0, corrected: 1, none: 0, skipped: 1 },
      all: { confirmed: 1, corrected: 1, none: 0, skipped: 1 },
      everybody: 3,
      people: 2,
      fresh: 1,
    });
    assert.equal(progressOf(lines, "ann", { day: DAY, since: null }).fresh, 3);
  });

  it("is nothing where nobody decided", () => {
    const { today, everybody, people } = progressOf([], "ann", { day: DAY, since: null });
    assert.deepEqual([today, everybody, people], [{ confirmed: 0, corrected: 0, none: 0, skipped: 0 }, 0, 0]);
  });
});
