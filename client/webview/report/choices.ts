/** What a person chose in a report (orders, filters, thresholds, where it is scrolled to), kept over hiding and reloads. */

/** By the name of what is chosen; plain JSON. */
export type Choices = Record<string, unknown>;

export interface Kept {
  /** The choice, or `initial` where none was made. */
  get<T>(name: string, initial: T): T;
  set(name: string, value: unknown): void;
}

/** Milliseconds after the last of several choices. */
const SETTLED = 150;

export function keepChoices(before: Choices, store: (choices: Choices) => void): Kept {
  const choices = { ...before };
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    get: <T>(name: string, initial: T) => (name in choices ? (choices[name] as T) : initial),
    set(name, value) {
      choices[name] = value;
      clearTimeout(timer);
      timer = setTimeout(() => store({ ...choices }), SETTLED);
    },
  };
}
