import assert from "node:assert/strict";
import fc from "fast-check";
import type { JobEvent } from "../../../schemas/events.ts";
import type { Exit, JobState, ManagerRecord } from "../../../schemas/job.ts";
import {
  type AttemptFacts,
  attemptState,
  canBecome,
  endMessage,
  isTerminal,
  NO_FACTS,
  TRANSITIONS,
  withEvent,
} from "../../../server/src/jobs/states.ts";

const time = "2026-01-01T00:00:00Z";
const identity = { pid: 1, started: "1", boot: "b", machine: "m", time };

/** What really happens to an attempt: its runner's events, and how it ends. */
interface History {
  lock: boolean;
  runner: boolean;
  events: JobEvent[];
  exit: Exit | null;
  records: ManagerRecord[];
}

const history: fc.Arbitrary<History> = fc
  .record({
    lock: fc.boolean(),
    runner: fc.boolean(),
    steps: fc.nat(4),
    final: fc.constantFrom(null, "succeeded", "failed", "cancelled"),
    /** The supervisor lives to write exit.json; else a manager finds the attempt lost, if nothing tells its end. */
    supervised: fc.boolean(),
    code: fc.constantFrom(0, 1, 137),
    cancel: fc.boolean(),
  })
  .map(({ lock, runner, steps, final, supervised, code, cancel }) => {
    const events: JobEvent[] = [];
    if (runner && (steps > 0 || final)) events.push({ seq: 1, time, type: "state", state: "running" });
    for (let n = 1; runner && n < steps; n++) {
      events.push({ seq: n + 1, time, type: "log", level: "info", message: "" });
    }
    if (runner && final) events.push({ seq: events.length + 1, time, type: "state", state: final as "succeeded" });
    const records: ManagerRecord[] = [];
    if (cancel) records.push({ seq: 2, time, type: "cancel-asked", attempt: 1 });
    if (!supervised && !(runner && final)) {
      records.push({ seq: 3, time, type: "lost", attempt: 1, events: events.length });
    }
    const exit = supervised
      ? { code, signal: code === 137 ? "KILL" : null, cancelled: cancel, events: events.length, message: null, time }
      : null;
    return { lock, runner, events, exit, records };
  });

/** The orders in which a reader may come to know the facts: each source grows on its own. */
const reading = fc.tuple(
  history,
  fc.array(fc.constantFrom("launch", "runner", "exit", "event", "record"), { maxLength: 40 }),
);

describe("states of an attempt", () => {
  it("ends in four ways, and after an end comes nothing", () => {
    const terminal = (Object.keys(TRANSITIONS) as JobState[]).filter(isTerminal);
    assert.deepEqual(terminal.sort(), ["cancelled", "failed", "lost", "succeeded"]);
    for (const state of terminal) {
      for (const other of Object.keys(TRANSITIONS) as JobState[])
        assert.equal(canBecome(state, other), state === other);
    }
  });

  it("never leaves the transition table, in whatever order the files are read", () => {
    fc.assert(
      fc.property(reading, ([true_, order]) => {
        let facts: AttemptFacts = NO_FACTS;
        const events = [...true_.events];
        const records = [...true_.records];
        let state = attemptState(facts);
        assert.equal(state, "preparing");
        const all = [
          ...order,
          "launch",
          "runner",
          "exit",
          ...events.map(() => "event"),
          ...records.map(() => "record"),
        ];
        for (const source of all) {
          if (source === "launch") facts = { ...facts, launch: { ...identity, lock: true_.lock } };
          if (source === "runner" && true_.runner) facts = { ...facts, runner: identity };
          if (source === "exit" && true_.exit) facts = { ...facts, exit: true_.exit };
          if (source === "event" && events.length > 0) facts = withEvent(facts, events.shift() as JobEvent);
          if (source === "record" && records.length > 0) {
            facts = { ...facts, records: [...facts.records, records.shift() as ManagerRecord] };
          }
          const next = attemptState(facts);
          assert.ok(canBecome(state, next), `${state} became ${next}`);
          state = next;
        }
        const final = true_.events.find((event) => event.type === "state" && event.state !== "running");
        assert.equal(state === "succeeded", final?.type === "state" && final.state === "succeeded");
        assert.ok(isTerminal(state));
      }),
      { numRuns: 1000 },
    );
  });

  const ran = withEvent(NO_FACTS, { seq: 1, time, type: "state", state: "running" });
  const exit = { code: 0, signal: null, cancelled: false, events: 1, message: null, time };

  it("takes a runner that leaves without a word for failed, even with code 0", () => {
    const facts = { ...ran, exit };
    assert.equal(attemptState(facts), "failed");
    assert.match(endMessage(facts) ?? "", /without saying/);
  });

  it("does not end before all events that the exit speaks of are there", () => {
    const early = { ...ran, exit: { ...exit, events: 2 } };
    assert.equal(attemptState(early), "running");
    assert.equal(attemptState(withEvent(early, { seq: 2, time, type: "state", state: "succeeded" })), "succeeded");
  });

  it("stays lost when something comes after all", () => {
    const lost = { ...ran, records: [{ seq: 2, time, type: "lost" as const, attempt: 1, events: 1 }] };
    assert.equal(attemptState(lost), "lost");
    assert.equal(attemptState({ ...lost, exit }), "lost");
    assert.equal(attemptState(withEvent(lost, { seq: 2, time, type: "state", state: "succeeded" })), "lost");
  });

  it("keeps the first of two ends", () => {
    const ended = withEvent(ran, { seq: 2, time, type: "state", state: "failed", message: "first" });
    const again = withEvent(ended, { seq: 3, time, type: "state", state: "succeeded" });
    assert.equal(attemptState(again), "failed");
    assert.equal(endMessage(again), "first");
  });

  it("names what ended a runner", () => {
    const killed = { ...ran, exit: { ...exit, code: 137, signal: "KILL" } };
    assert.match(endMessage(killed) ?? "", /SIGKILL.*memory/);
    assert.match(endMessage({ ...ran, exit: { ...exit, code: 127 } }) ?? "", /could not be started/);
  });
});
