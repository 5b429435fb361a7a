// The spec reporter, and a line of counts for scripts/test.ts to add up.
const { appendFileSync } = require("node:fs");
const { reporters } = require("mocha");

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once("end", () => {
      const { passes, failures, pending } = this.stats;
      if (process.env.CLF_TEST_COUNTS)
        appendFileSync(process.env.CLF_TEST_COUNTS, `${passes} ${failures} ${pending}\n`);
    });
  }
};
