// yaml-language-server's own server, with its 200 ms wait before validation taken away.
const settings = require("yaml-language-server/out/server/src/yamlSettings.js");

const { SettingsState } = settings;
settings.SettingsState = class extends SettingsState {
  validationDelayMs = 0;
};
require("yaml-language-server/out/server/src/server.js");
