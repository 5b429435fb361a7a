/**
 * Composition root. Activation registers commands and views and starts the server in the background; nothing heavy is
 * loaded before the first moment of idleness.
 */
import * as vscode from "vscode";
import { createGuard } from "./commands/guard.ts";
import { registerMaintenance } from "./commands/maintenance.ts";
import { registerPromptCommands } from "./commands/promptCommands.ts";
import { registerStartCommands } from "./commands/startJobs.ts";
import { registerFlagged } from "./flagged/flaggedView.ts";
import { registerHostCommands } from "./hosts/hostCommands.ts";
import { warnOfIdleHosts } from "./hosts/idleHosts.ts";
import { registerInlineConfidence } from "./inline/inlineConfidence.ts";
import { registerJobCommands } from "./jobs/jobCommands.ts";
import { announceEnds } from "./jobs/jobEnds.ts";
import { createJobList } from "./jobs/jobList.ts";
import { createJobLog } from "./jobs/jobLog.ts";
import { createJobPanels } from "./jobs/jobPanel.ts";
import { createJobsView } from "./jobs/jobsView.ts";
import { registerNewProject } from "./newProject/newProject.ts";
import { registerPreview } from "./preview/previewEditor.ts";
import { createProjects } from "./projects/projects.ts";
import { createReportPanels } from "./report/reportPanel.ts";
import { createSecrets } from "./secrets/secrets.ts";
import { createServer, type Server } from "./server/server.ts";
import { createStatusBar } from "./status/statusBar.ts";
import { followTrust } from "./trust/trust.ts";
import { registerTryIt } from "./tryIt/tryPanel.ts";

let server: Server | undefined;

export function activate(context: vscode.ExtensionContext): { server: Server } {
  const output = vscode.window.createOutputChannel("Clf", { log: true });
  const guard = createGuard(output);
  const secrets = createSecrets(context);
  const module = context.asAbsolutePath("dist/server.mjs");
  const running = createServer({ module, output, secret: (wish) => secrets.answer(wish) });
  server = running;
  const projects = createProjects(running);
  const jobs = createJobList(running);
  const view = createJobsView(jobs, projects);
  const reports = createReportPanels({ context, guard, server: running });
  const log = createJobLog(running, jobs);
  const panels = createJobPanels({ context, guard, server: running, jobs });
  context.subscriptions.push(
    output,
    projects,
    jobs,
    view,
    reports,
    log,
    panels,
    announceEnds(jobs),
    createStatusBar(running, jobs, projects),
    followTrust(running),
    secrets.register(guard),
    registerNewProject(guard, running),
    registerHostCommands(guard, running, projects),
    warnOfIdleHosts(jobs),
    registerStartCommands(guard, running, projects),
    registerPromptCommands({ guard, server: running, projects, jobs, reports }),
    registerJobCommands({ guard, server: running, jobs, view, log, panels, reports }),
    registerFlagged({ context, guard, server: running, projects }),
    registerInlineConfidence(guard, running),
    registerPreview({ context, guard, server: running, projects }),
    registerTryIt({ context, guard, server: running, projects }),
    registerMaintenance({ guard, server: running, output, extension: context.extension }),
  );
  return { server: running };
}

/** Jobs outlive the editor: there is only the server to end. */
export async function deactivate(): Promise<void> {
  await server?.stop();
}
