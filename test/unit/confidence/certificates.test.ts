/** A short run of bench/confidence/certificates.ts: promises are kept, and worth having. */
import assert from "node:assert/strict";
import { runCase } from "../../../bench/confidence/certificates.ts";
import { BREAKABLE, COVERABLE } from "../../../bench/confidence/populations.ts";

const PLACES = 20_000;

describe("certificates over many draws", () => {
  for (const population of BREAKABLE) {
    it(`break no more often than they may: ${population.name}`, function () {
      this.timeout(60_000);
      const draws = (population.models ?? 1) > 1 ? 20 : 50;
      const { anyViolations, allowed } = runCase(population, draws, 1, PLACES);
      assert.ok(
        anyViolations <= allowed + 3 * Math.sqrt((allowed * (1 - allowed)) / draws),
        `${anyViolations} of the draws`,
      );
    });
  }

  // Mean coverage at risk .10, certainty .95, 770 validation rows: at least nine tenths of what the design reaches.
  for (const [name, least, draws] of [
    ["12 % error", 0.9 * 0.595, 100],
    ["25 % error", 0.9 * 0.189, 400],
    ["noisy top, 12 % error", 0.9 * 0.459, 100],
  ] as const) {
    it(`accept what they can: ${name}`, function () {
      this.timeout(60_000);
      const population = COVERABLE.find((one) => one.name === name)!;
      const { ours, separate } = runCase(population, draws, 1, PLACES);
      assert.ok(ours.coverage >= least, `mean coverage ${ours.coverage}`);
      assert.ok(ours.coverage > separate!.coverage, "more than two sequences that never meet");
    });
  }
});
