/**
 * The audit: how often it cries wolf when people look again and again, and how many rows it takes to find a broken promise.
 *
 *   node bench/confidence/audit.ts [draws, default 2000]
 *
 * False alarms: rows that keep a promise of 5 % exactly, 100 looks, one after every 20 judged rows. Beside it, what looking
 * at a one-sided exact 95 % bound that is made for one look would do.
 */
import { type AuditedRow, auditAlarm, auditPower } from "../../server/src/confidence/audit.ts";
import { clopperPearsonLower } from "../../server/src/confidence/binomial.ts";
import { seededRandom } from "../../server/src/confidence/random.ts";

const RISK = 0.05;
const LOOKS = 100;
const ROWS_A_LOOK = 20;

const draws = Number(process.argv[2] ?? 2000);
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** A stream of drawn rows; in the mixed one every other row stands in a stratum that is drawn ten times as often and wrong more often. */
function stream(seed: number, mixed: boolean): AuditedRow[] {
  const random = seededRandom(seed);
  const rows: AuditedRow[] = [];
  while (rows.length < LOOKS * ROWS_A_LOOK) {
    if (!mixed) rows.push({ inclusion: 0.02, wrong: random.uniform() < RISK });
    else {
      const often = random.uniform() < 0.5;
      const inclusion = often ? 0.2 : 0.02;
      const wrong = random.uniform() < RISK * (often ? 1.6 : 0.4);
      if (random.uniform() < inclusion) rows.push({ inclusion, wrong });
    }
  }
  return rows;
}

let alarms = 0;
let mixedAlarms = 0;
let naive = 0;
// The fewest errors that the bound for one look takes as proof, at each look.
const proof = Array.from({ length: LOOKS }, (_, look) => {
  const n = (look + 1) * ROWS_A_LOOK;
  let errors = 0;
  while (clopperPearsonLower(errors, n, 0.05) <= RISK) errors++;
  return errors;
});
for (let seed = 0; seed < draws; seed++) {
  const rows = stream(seed, false);
  if (auditAlarm(rows, RISK) !== null) alarms++;
  if (auditAlarm(stream(seed, true), RISK) !== null) mixedAlarms++;
  let errors = 0;
  if (
    rows.some((row, i) => {
      if (row.wrong) errors++;
      return (i + 1) % ROWS_A_LOOK === 0 && errors >= proof[(i + 1) / ROWS_A_LOOK - 1]!;
    })
  ) {
    naive++;
  }
}
console.log(
  `${draws} audits of ${LOOKS * ROWS_A_LOOK} rows that are wrong with exactly ${percent(RISK)}, the risk that was promised`,
);
console.log(`false alarms, a look after every row: ${percent(alarms / draws)} (allowed 5 %)`);
console.log(`false alarms, two strata of unequal inclusion: ${percent(mixedAlarms / draws)}`);
console.log(`false alarms of an exact bound for one look, used at ${LOOKS} looks: ${percent(naive / draws)}`);
console.log("\n| promised | true | rows for half of the audits | 80 % | 95 % |\n|---|---|---|---|---|");
for (const [risk, actual] of [
  [0.05, 0.06],
  [0.05, 0.08],
  [0.05, 0.1],
  [0.05, 0.15],
  [0.05, 0.2],
  [0.02, 0.04],
  [0.1, 0.15],
] as const) {
  const { half, most, nearlyAll, limit } = auditPower(risk, actual, { draws: 1000, limit: 20_000 });
  const rows = [half, most, nearlyAll].map((n) => n ?? `over ${limit}`).join(" | ");
  console.log(`| ${percent(risk)} | ${percent(actual)} | ${rows} |`);
}
