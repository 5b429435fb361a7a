/**
 * The job panel: how far a job is, its figures as they come, its log, what it was made from, what it made, and what differs from
 * the last run. Text of the job is only ever text: nothing here makes HTML of it. Here: what the extension tells it, and the first drawing.
 */
import { host, take } from "./ask.ts";
import { drawCharts } from "./figuresTab.ts";
import { searchFor } from "./logSearch.ts";
import type { ToJob } from "./messages.ts";
import { draw, onDraw, panel, root, save } from "./panel.ts";
import { loadDetail, readOn } from "./read.ts";
import { drawPanel } from "./view.ts";

onDraw(drawPanel);
save({});

addEventListener("message", ({ data }: MessageEvent<ToJob>) => {
  if (take(data)) return;
  if (data.type !== "job") return;
  const before = panel.job;
  const first = before === undefined;
  const { job, trusted, kept } = data;
  Object.assign(panel, { job, trusted });
  if (first && kept) save(kept);
  draw();
  if (!job) return;
  // What it was made from stays; what it makes comes with its states.
  if (!before || before.state !== job.state || before.attempt !== job.attempt) void loadDetail();
  void readOn();
  if (first && panel.state.search !== "") searchFor(panel.state.search);
});
let width = 0;
new ResizeObserver(() => {
  if (root.clientWidth === width) return;
  width = root.clientWidth;
  if (panel.state.tab === "figures") drawCharts();
}).observe(root);
draw();
host.postMessage({ type: "ready" });
