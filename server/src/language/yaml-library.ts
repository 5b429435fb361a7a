/** The CommonJS library as an ES module with names: what a dynamic import of it in a bundle does not have. */
export { getLanguageService } from "yaml-language-server";
