/** Reliability diagram: accuracy against confidence by bin; on the diagonal a confidence means what it says. */
import type { TargetReport } from "../../../schemas/report.ts";
import { s } from "../shared/dom.ts";
import { percent } from "../shared/numbers.ts";

const SIZE = 280;
const LEFT = 34;
const at = (share: number): number => LEFT + share * (SIZE - LEFT - 10);

export function reliability({ calibration }: TargetReport): SVGElement {
  const bins = calibration.bins.filter(
    ({ count, confidence, accuracy }) => count > 0 && confidence !== null && accuracy !== null,
  );
  const most = Math.max(1, ...bins.map(({ count }) => count));
  const down = (share: number) => SIZE - at(share);
  const tick = (share: number) => [
    s("text", { x: at(share), y: SIZE - LEFT + 14, "text-anchor": "middle" }, String(share)),
    s("text", { x: LEFT - 5, y: down(share) + 4, "text-anchor": "end" }, String(share)),
  ];
  const told = bins
    .map(({ confidence, accuracy }) => `confidence ${percent(confidence!)}, right ${percent(accuracy!)}`)
    .join("; ");
  return s(
    "svg",
    { class: "chart", viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", "aria-label": `Reliability diagram. ${told}` },
    s("path", { class: "axis", d: `M${at(0)} ${down(1)}V${down(0)}H${at(1)}` }),
    s("line", { class: "ideal", x1: at(0), y1: down(0), x2: at(1), y2: down(1) }),
    ...[0, 0.5, 1].flatMap(tick),
    s("text", { x: at(0.5), y: SIZE - 4, "text-anchor": "middle" }, "confidence"),
    s(
      "text",
      { x: 10, y: down(0.5), "text-anchor": "middle", transform: `rotate(-90 10 ${down(0.5)})` },
      "share right",
    ),
    ...bins.map(({ confidence, accuracy, count }) =>
      s(
        "circle",
        { cx: at(confidence!), cy: down(accuracy!), r: 2 + 7 * Math.sqrt(count / most) },
        s("title", {}, `${count} rows: confidence ${percent(confidence!)}, right ${percent(accuracy!)}`),
      ),
    ),
  );
}
