/** A plot with its caption, drawn as wide as there is room for, and buttons that save it as a picture. */
import { html, render } from "lit";
import { type Drawn, plain } from "../shared/plot.ts";
import { pngBlob, svgBlob } from "./picture.ts";
import type { Surroundings } from "./surroundings.ts";

export interface PlotOptions {
  caption: string;
  /** Of the file that it is saved as; default: the caption. */
  name?: string;
  /** What it shows, in words, for those who do not see it. */
  told: string;
  /** Pixels; it is never wider. */
  widest: number;
  draw(width: number): Drawn;
  /** Called each time it has been drawn. */
  drawn?(svg: SVGSVGElement): void;
}

const NARROWEST = 140;

export function plotFigure({ caption, name, told, widest, draw, drawn }: PlotOptions, at: Surroundings): HTMLElement {
  const figure = document.createElement("figure");
  figure.className = "plot";
  figure.style.setProperty("--widest", `${widest}px`);
  const place = document.createElement("div");
  let svg: SVGSVGElement | undefined;
  const file = fileName(name ?? caption);
  render(
    html`<figcaption>
        <span>${caption}</span>
        ${pictureButtons(caption, {
          svg: async () => at.save(file, "svg", svgBlob(svg!)),
          png: async () => at.save(file, "png", await pngBlob(svg!)),
        })}</figcaption
      >${place}`,
    figure,
  );
  let width = 0;
  new ResizeObserver(() => {
    const room = Math.floor(Math.max(NARROWEST, Math.min(widest, figure.clientWidth)));
    if (room === width || figure.clientWidth === 0) return;
    width = room;
    svg = plain(draw(width)) as SVGSVGElement;
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `${caption}. ${told}`);
    for (const part of svg.children) part.setAttribute("aria-hidden", "true");
    place.replaceChildren(svg);
    drawn?.(svg);
  }).observe(figure);
  return figure;
}

export const pictureButtons = (caption: string, save: { svg: () => Promise<void>; png: () => Promise<void> }) =>
  html`<span class="tools"
    ><button type="button" aria-label="Save as SVG: ${caption}" @click=${save.svg}>SVG</button
    ><button type="button" aria-label="Save as PNG: ${caption}" @click=${save.png}>PNG</button></span
  >`;

/** Letters and digits of a caption, for a file. */
export const fileName = (caption: string): string =>
  caption
    .replaceAll(/[^\p{L}\p{N}]+/gu, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 60) || "plot";
