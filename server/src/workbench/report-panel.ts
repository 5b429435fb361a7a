/** The requests of the report panel: what its plots are drawn from, figures by a column, and the rows behind a cell. */
import type * as z from "zod";
import type { reportPanelRequests } from "../../../schemas/reportPanel.ts";
import { readData } from "../workflow/data.ts";
import { reportDetail, reportRowTexts } from "../workflow/report-detail.ts";
import { WorkflowError } from "../workflow/session.ts";
import { slicesOf } from "../workflow/slices.ts";
import { pathOf } from "./path-of.ts";
import type { Projects } from "./projects.ts";

export type ReportPanelRequestName = keyof typeof reportPanelRequests;
type Params<K extends ReportPanelRequestName> = z.output<(typeof reportPanelRequests)[K]["params"]>;
type Result<K extends ReportPanelRequestName> = z.input<(typeof reportPanelRequests)[K]["result"]>;
export type ReportPanelHandlers = {
  [K in ReportPanelRequestName]: (params: Params<K>, signal: AbortSignal) => Promise<Result<K>>;
};

export function reportPanelHandlers(projects: Projects): ReportPanelHandlers {
  const sound = (project: string) => projects.sound(pathOf(project));
  const columnsOf = async (project: string): Promise<string[]> => {
    const { dataset } = await (await sound(project)).data();
    return [...new Set(dataset.profile.files.flatMap(({ columns }) => columns))];
  };

  return {
    "clf/report/detail": async ({ project, job }) => reportDetail((await sound(project)).session, job),

    "clf/report/columns": async ({ project }) => ({ columns: await columnsOf(project) }),

    "clf/report/slices": async ({ project, job, model, column }, signal) => {
      const { session } = await sound(project);
      if (!(await columnsOf(project)).includes(column)) throw new WorkflowError(`The data has no column "${column}".`);
      const data = await readData(session, { columns: [column], saveSplits: false, signal });
      return { targets: (await slicesOf(session, data, model, column, job)).targets };
    },

    "clf/report/rows": async ({ project, job, rows }) => ({
      rows: await reportRowTexts((await sound(project)).session, job, rows),
    }),
  };
}
