/** What an accept decision does at any threshold: the risk–coverage curve with the rule on it, a slider, and what it costs. */
import { html, nothing, render } from "lit";
import type { AcceptDecision } from "../../../schemas/report.ts";
import { type AcceptCurve, CONFIDENCE_UNIT } from "../../../schemas/reportPanel.ts";
import { percent, whole } from "../shared/numbers.ts";
import type { Drawn } from "../shared/plot.ts";
import { atCoverage, atThreshold, breakEven, cheapest, costOf, type Prices, pointsOf, wilson } from "./curve.ts";
import { plotFigure } from "./figure.ts";
import { costCurve, type RiskPlot, riskCoverage, riskWords } from "./plots.ts";
import type { Surroundings } from "./surroundings.ts";

/** Where a slider starts that no rule places. */
const START = 0.9;
/** A kept price that is none. */
const UNSET = "";

/** @param name of the decision among the report's: model and targets */
export function thresholds(decision: AcceptDecision, curve: AcceptCurve, name: string, at: Surroundings): HTMLElement {
  const { kept } = at;
  const { rule, measured, pool, cost } = decision;
  const points = pointsOf(curve);
  const { n } = curve;
  const promised = rule && "risk" in rule ? rule.risk : null;
  const onCurve =
    measured?.coverage && measured.errorRate
      ? { coverage: measured.coverage.value, risk: measured.errorRate.value }
      : null;
  const start = onCurve ? Math.min(1, atCoverage(points, onCurve.coverage).confidence) : START;
  let threshold = kept.get(`threshold ${name}`, start);
  let prices = kept.get(`prices ${name}`, {
    error: cost ? String(cost.prices.error) : UNSET,
    review: cost ? String(cost.prices.review) : UNSET,
  });

  const section = document.createElement("section");
  section.className = "thresholds";
  section.setAttribute("aria-label", `Any threshold: ${name}`);
  const risk: RiskPlot = { points, rule: onCurve, promised };
  const [riskCursor, costCursor] = [cursor(), cursor()];
  const plots = document.createElement("div");
  plots.className = "sides";
  const curvePlot = plotFigure(
    {
      caption: "What other thresholds would do: risk and coverage",
      name: `risk-coverage ${name}`,
      told: riskWords(risk),
      widest: 560,
      draw: (width) => riskCursor.on(riskCoverage(risk, width)),
      drawn: () => move(),
    },
    at,
  );

  const priceOf = (text: string): number | null => {
    const value = Number(text);
    return text.trim() !== "" && value >= 0 && Number.isFinite(value) ? value : null;
  };
  const priced = (): Prices | null => {
    const [error, review] = [priceOf(prices.error), priceOf(prices.review)];
    return error === null || review === null ? null : { error, review };
  };

  function drawPlots(): void {
    const known = priced();
    const costPlot = known
      ? plotFigure(
          {
            caption: "What they would cost",
            name: `cost ${name}`,
            told: costWords(known).join(" "),
            widest: 420,
            draw: (width) => costCursor.on(costCurve(points, n, known, width)),
            drawn: () => move(),
          },
          at,
        )
      : null;
    plots.replaceChildren(curvePlot, ...(costPlot ? [costPlot] : []));
  }

  function costWords(known: Prices): string[] {
    const best = cheapest(points, n, known);
    const all = points.at(-1);
    return [
      best.accepted === 0
        ? `Reviewing every row is cheapest: ${money(known.review)} a row.`
        : `Cheapest is ${threshold4(best.confidence)}: ${money(costOf(best, n, known))} a row, ${percent(best.coverage)} accepted.`,
      `To review every row costs ${money(known.review)} a row${all ? `, to accept every one ${money(costOf(all, n, known))}` : ""}.`,
    ];
  }

  function move(): void {
    const here = atThreshold(points, threshold);
    riskCursor.to(here.coverage, here.risk);
    const known = priced();
    if (known) costCursor.to(here.coverage, costOf(here, n, known));
  }

  function choose(value: number): void {
    threshold = Math.min(1, Math.max(0, Math.round(value * CONFIDENCE_UNIT) / CONFIDENCE_UNIT));
    kept.set(`threshold ${name}`, threshold);
    draw();
    move();
  }
  function price(change: Partial<typeof prices>): void {
    prices = { ...prices, ...change };
    kept.set(`prices ${name}`, prices);
    drawPlots();
    draw();
  }

  function draw(): void {
    const here = atThreshold(points, threshold);
    const known = priced();
    const { low, high } = wilson(here.wrong, here.accepted);
    const even = breakEven(here);
    const waiting = pool ? Math.round(pool.rows * (1 - here.coverage)) : null;
    const number = (label: string, value: string, change: (text: string) => void) =>
      html`<label
        >${label}
        <input type="number" min="0" step="any" .value=${value} @change=${(event: Event) => change((event.target as HTMLInputElement).value)}
      /></label>`;
    const best = known && cheapest(points, n, known);
    render(
      html`<div class="choose">
          <label class="slider"
            >confidence at least
            <input
              type="range"
              min="0"
              max="1"
              step="0.001"
              aria-valuetext=${`${threshold4(threshold)}: ${percent(here.coverage)} accepted`}
              .value=${String(threshold)}
              @input=${(event: Event) => choose(Number((event.target as HTMLInputElement).value))}
          /></label>
          <input
            type="number"
            min="0"
            max="1"
            step="0.0001"
            aria-label="confidence at least"
            .value=${threshold4(threshold)}
            @change=${(event: Event) => choose(Number((event.target as HTMLInputElement).value))}
          />
          ${
            onCurve
              ? html`<button type="button" class="plain" @click=${() => choose(start)}>As the accept rule</button>`
              : nothing
          }
          ${
            best && best.accepted > 0
              ? html`<button type="button" class="plain" @click=${() => choose(best.confidence)}>Cheapest</button>`
              : nothing
          }
        </div>
        <dl class="readout" aria-live="polite">
          ${fact("accepted", percent(here.coverage), `${whole(here.accepted)} of ${whole(n)} rows`)}
          ${fact(
            "wrong of those",
            here.risk === null ? "–" : percent(here.risk),
            here.risk === null ? "" : `${whole(here.wrong)} rows; ${(100 * low).toFixed(1)} to ${percent(high)}`,
          )}
          ${fact("to review", percent(1 - here.coverage), waiting === null ? "" : `about ${whole(waiting)} of ${whole(pool!.rows)} in the pool`)}
          ${known ? fact("cost a row", money(costOf(here, n, known)), waiting === null ? "" : `about ${money(costOf(here, n, known) * pool!.rows)} for the pool`) : nothing}
          ${fact("breaks even", even === null ? "always" : `1 error = ${even.toFixed(1)} reviews`, even === null ? "no error among them" : "dearer errors: review these rows too")}
        </dl>
        <div class="choose prices">
          ${number("an error costs", prices.error, (error) => price({ error }))}
          ${number("a review costs", prices.review, (review) => price({ review }))}
          <span class="soft">${known ? costWords(known).join(" ") : "With both, what each threshold costs is shown. They can stand in the project file too: confidence.price."}</span>
        </div>
        ${plots}`,
      section,
    );
  }
  drawPlots();
  draw();
  return section;
}

const fact = (name: string, value: string, more: string) =>
  html`<div><dt>${name}</dt><dd>${value} <span class="soft">${more}</span></dd></div>`;

const threshold4 = (value: number): string => (value > 1 ? "above 1" : String(Math.round(value * 1e4) / 1e4));
const money = (value: number): string =>
  value >= 100 ? whole(Math.round(value)) : value.toPrecision(3).replace(/\.?0+$/, "");

/** A mark on a plot that is moved without drawing the plot again. */
function cursor() {
  const ns = "http://www.w3.org/2000/svg";
  const line = document.createElementNS(ns, "line");
  const point = document.createElementNS(ns, "circle");
  line.setAttribute("class", "cursor");
  point.setAttribute("class", "cursor");
  point.setAttribute("r", "4");
  let drawn: Drawn | undefined;
  return {
    on(plot: Drawn): Drawn {
      drawn = plot;
      drawn.append(line, point);
      return drawn;
    },
    /** @param y null: nowhere */
    to(x: number, y: number | null): void {
      if (!drawn) return;
      const [across, down] = [drawn.scale("x")!, drawn.scale("y")!];
      const left = across.apply(x) as number;
      const [bottom, top] = down.range as [number, number];
      for (const [key, value] of Object.entries({ x1: left, x2: left, y1: bottom, y2: top }))
        line.setAttribute(key, String(value));
      point.setAttribute("cx", String(left));
      point.setAttribute("cy", String(y === null ? bottom : Math.max(top, down.apply(y) as number)));
    },
  };
}
