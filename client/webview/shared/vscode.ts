/** The one object through which a webview talks to the extension. */
export interface Host<Out, State> {
  postMessage(message: Out): void;
  getState(): State | undefined;
  setState(state: State): void;
}

declare function acquireVsCodeApi(): unknown;

/** May be called once. */
export const connectHost = <Out, State>(): Host<Out, State> => acquireVsCodeApi() as Host<Out, State>;
