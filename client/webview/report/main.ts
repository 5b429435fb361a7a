/** A report, in a panel of the editor or as a file of its own: one bundle serves both. */
import { type FileData, showFile } from "./file.ts";
import { showPanel } from "./panel.ts";

const root = document.getElementById("root")!;
const data = document.getElementById("report-data");
if (data) showFile(root, JSON.parse(data.textContent!) as FileData);
else showPanel(root);
