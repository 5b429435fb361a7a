/** The first hour with the extension's sources. CLF_VSIX names a package to be used in their place. */
import { ROOT } from "../built.ts";
import { firstHour } from "./firstHour.ts";

firstHour({
  title: "Clf in a VS Code window",
  pictures: "client",
  extension: () => (process.env.CLF_VSIX ? { vsix: process.env.CLF_VSIX } : { extensionPath: ROOT }),
});
