/**
 * Keys: kept in VS Code's SecretStorage, given to the server only for an endpoint the person has agreed to. Consent is
 * per key and origin, so that a project from elsewhere cannot send a key somewhere else.
 */
import * as vscode from "vscode";
import type { Guard } from "../commands/guard.ts";

interface Wish {
  /** The name that stands in the project file. */
  name: string;
  /** "https://api.openai.com" */
  origin: string;
  project: string;
}

export interface Secrets {
  /** Null: there is none, or the person refused. */
  answer(wish: Wish): Promise<string | null>;
  register(guard: Guard): vscode.Disposable;
}

const NAMES = "clf.keyNames";
const CONSENTS = "clf.keyConsents";
const stored = (name: string) => `clf.key.${name}`;
const consentOf = ({ name, origin }: Wish) => JSON.stringify([name, origin]);

export function createSecrets({ secrets, globalState }: vscode.ExtensionContext): Secrets {
  /** Questions that are on screen: several jobs may ask at a time. */
  const asking = new Map<string, Promise<string | null>>();
  /** Until the window closes, or the key is set: nobody wants to refuse twice. */
  const refused = new Set<string>();
  const names = () => globalState.get<string[]>(NAMES, []);
  const consents = () => globalState.get<string[]>(CONSENTS, []);

  async function keep(name: string, value: string): Promise<void> {
    await secrets.store(stored(name), value);
    await globalState.update(NAMES, [...new Set([...names(), name])].sort());
    for (const key of refused) if ((JSON.parse(key) as string[])[0] === name) refused.delete(key);
  }

  /** Whether the key may be sent; `later`: the person looks at the project first. */
  async function askConsent(wish: Wish): Promise<boolean | "later"> {
    if (consents().includes(consentOf(wish))) return true;
    const file = vscode.workspace.asRelativePath(vscode.Uri.parse(wish.project));
    const allow = "Allow";
    const open = "Show Project File";
    const answer = await vscode.window.showWarningMessage(
      `May this project send your key ${wish.name} to ${wish.origin}?`,
      {
        modal: true,
        detail: `${file} names this endpoint. Allow it only if you know the project and trust the endpoint with your key and your data. You are asked once for each key and endpoint.`,
      },
      allow,
      open,
    );
    if (answer === open) {
      await vscode.window.showTextDocument(vscode.Uri.parse(wish.project));
      return "later";
    }
    if (answer !== allow) return false;
    await globalState.update(CONSENTS, [...consents(), consentOf(wish)]);
    return true;
  }

  async function ask(wish: Wish): Promise<string | null> {
    const consent = await askConsent(wish);
    if (consent === false) refused.add(consentOf(wish));
    if (consent !== true) return null;
    const known = (await secrets.get(stored(wish.name))) ?? process.env[wish.name];
    if (known) return known;
    const value = await vscode.window.showInputBox({
      title: `The key ${wish.name} for ${wish.origin}`,
      prompt: "It is kept in VS Code's secret storage, not in the project.",
      password: true,
      ignoreFocusOut: true,
    });
    if (!value?.trim()) return null;
    await keep(wish.name, value.trim());
    return value.trim();
  }

  return {
    async answer(wish) {
      const key = consentOf(wish);
      if (!vscode.workspace.isTrusted || refused.has(key)) return null;
      const open = asking.get(key) ?? ask(wish).finally(() => asking.delete(key));
      asking.set(key, open);
      return open;
    },
    register: (guard) =>
      vscode.Disposable.from(
        guard.command("clf.setKey", async () => {
          const fresh = { label: "$(add) Another key…", name: undefined };
          const known = names().map((name) => ({ label: name, description: "replace", name }));
          const picked =
            known.length === 0
              ? fresh
              : await vscode.window.showQuickPick([...known, fresh], { title: "Set which key?" });
          if (!picked) return;
          const name =
            picked.name ??
            (await vscode.window.showInputBox({
              title: "Name of the key, as the project file has it",
              placeHolder: "OPENAI_API_KEY",
              validateInput: (text) =>
                /^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(text.trim()) ? undefined : "Letters, digits and underscores.",
            }));
          if (!name) return;
          const value = await vscode.window.showInputBox({
            title: `Value of ${name.trim()}`,
            prompt: "It is kept in VS Code's secret storage, not in the project.",
            password: true,
            ignoreFocusOut: true,
          });
          if (!value?.trim()) return;
          await keep(name.trim(), value.trim());
          void vscode.window.showInformationMessage(`${name.trim()} is kept in VS Code's secret storage.`);
        }),
        guard.command("clf.forgetKeys", async () => {
          const detail = `Keys: ${names().join(", ") || "none"}. Consents to endpoints: ${consents().length}.`;
          const answer = await vscode.window.showWarningMessage(
            "Forget all keys and all consents?",
            { modal: true, detail },
            "Forget",
          );
          if (answer !== "Forget") return;
          // Consents first: a job that asks meanwhile is asked about.
          await globalState.update(CONSENTS, undefined);
          for (const name of names()) await secrets.delete(stored(name));
          await globalState.update(NAMES, undefined);
          refused.clear();
          void vscode.window.showInformationMessage("Keys and consents are forgotten.");
        }),
      ),
  };
}
