/** Runs a built test module inside VS Code's extension host, in the real workbench without a display. */
import { openInBrowser } from "./browser.ts";
import { type Editor, type EditorOptions, startEditor } from "./workbench.ts";

export interface ExtensionTests extends Omit<EditorOptions, "testsPath"> {
  /** A CommonJS file that exports `run(): Promise<void>`; a rejection is a failure. */
  testsPath: string;
  /** Seconds until the run is given up. Default 300. */
  limit?: number;
  /** Receives what the window and the extension host write to their console. */
  log?: (line: string) => void;
}

export interface ExtensionTestsResult {
  /** 0 when `run()` resolved. */
  code: number;
  /** On failure: the logs of the server and of the extension host. */
  logs?: string;
  /** Seconds until the workbench answered, and until `run()` ended. */
  seconds: { started: number; ended: number };
}

/** @throws when the workbench does not start, or when the tests do not end in time (with the logs) */
export async function runExtensionTests(options: ExtensionTests): Promise<ExtensionTestsResult> {
  const begin = performance.now();
  const since = () => Math.round(performance.now() - begin) / 1000;
  const limit = options.limit ?? 300;
  let editor: Editor | undefined;
  let close: (() => Promise<void>) | undefined;
  try {
    editor = await startEditor(options);
    const started = since();
    let finish: (code: number) => void = () => {};
    const finished = new Promise<number>((resolve) => {
      finish = resolve;
    });
    const windows = await openInBrowser(editor, {
      before: async (page) => {
        await page.exposeFunction("codeAutomationLog", (_type: string, args: unknown[]) => {
          options.log?.(args.map((value) => (typeof value === "string" ? value : JSON.stringify(value))).join(" "));
        });
        await page.exposeFunction("codeAutomationExit", (code: number) => finish(code));
      },
    });
    close = windows.close;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), limit * 1000);
    });
    // A short run can end, and its window with it, before the workbench counts as drawn.
    const opened = windows.open().then(() => finished);
    const code = await Promise.race([finished, opened, late]);
    clearTimeout(timer);
    opened.catch(() => {});
    if (code === "late") {
      throw new Error(`The tests in the extension host did not end within ${limit} seconds.\n${await editor.logs()}`);
    }
    return { code, ...(code === 0 ? {} : { logs: await editor.logs() }), seconds: { started, ended: since() } };
  } finally {
    await close?.();
    await editor?.stop();
  }
}
