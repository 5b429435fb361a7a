/** The learning curves of a report: measured points, the whole beside them, and what twice the rows would give. */
import type { LearningPoint, Report } from "../../../schemas/report.ts";
import { learningCurve } from "./learningCurve.ts";
import { verdictOf } from "./verdict.ts";

/**
 * The report with a curve for each target that has points enough.
 * @param points by model, then target: parts of the train rows
 * @param trained rows that the evaluated model of a target was trained on
 */
export function withLearningCurves(
  report: Report,
  points: ReadonlyMap<string, ReadonlyMap<string, readonly LearningPoint[]>>,
  trained: (target: string) => number,
): Report {
  const models: Report["models"] = {};
  for (const [name, model] of Object.entries(report.models)) {
    const targets: typeof model.targets = {};
    for (const [target, of] of Object.entries(model.targets)) {
      const parts = points.get(name)?.get(target) ?? [];
      const figures = of.report?.rows === "test" ? of.report : null;
      const whole = figures && {
        trained: trained(target),
        right: Math.round(figures.averages.accuracy.value * figures.n),
        rows: figures.n,
      };
      const all = whole ? [...parts, whole] : parts;
      const enough = new Set(all.map((point) => point.trained)).size >= 3;
      targets[target] = enough ? { ...of, curve: learningCurve(all, undefined, report.seed) } : of;
    }
    models[name] = { ...model, targets };
  }
  const known = { ...report, models };
  return { ...known, verdict: verdictOf(known) };
}
