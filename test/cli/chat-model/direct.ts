/**
 * Labels scored by the model itself, without an answer: what it thinks of each label's tokens after the same prompt, from the
 * probabilities of thousands of tokens at each step (llama.cpp's own API). What Clf makes of an answer's twenty best is held against this.
 */
interface NextToken {
  id: number;
  text: string;
  p: number;
}

/** Of 49,152 tokens: what is less likely than these is no label's. */
const MOST = 5000;

export interface DirectScorer {
  /** The prompt of messages and the answer up to the label, as tokens: `… {"label": "`. */
  beforeLabel(messages: readonly unknown[], responseFormat: unknown): Promise<number[]>;
  /** The likeliest tokens after the prompt. */
  next(prompt: readonly number[]): Promise<NextToken[]>;
  /**
   * By label in quotes, the product of the conditional probabilities of its tokens: `whole` with the closing quote, and `decided` up to
   * the token from which on no other label of the list is possible.
   */
  labels(prompt: readonly number[], names: readonly string[]): Promise<{ whole: number[]; decided: number[] }>;
}

export function directScorer(origin: string): DirectScorer {
  async function post<T>(path: string, body: unknown): Promise<T> {
    const response = await fetch(`${origin}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  const tokensOf = async (content: string, special = false): Promise<number[]> =>
    (await post<{ tokens: number[] }>("/tokenize", { content, add_special: special, parse_special: special })).tokens;

  async function next(prompt: readonly number[]): Promise<NextToken[]> {
    const { completion_probabilities: found } = await post<{
      completion_probabilities: { top_logprobs: { id: number; token: string; logprob: number }[] }[];
    }>("/completion", { prompt, n_predict: 1, n_probs: MOST, temperature: 0, cache_prompt: true });
    return found[0]!.top_logprobs.map(({ id, token, logprob }) => ({ id, text: token, p: Math.exp(logprob) }));
  }

  async function labels(prompt: readonly number[], names: readonly string[]) {
    const known = new Map<string, Promise<NextToken[]>>();
    const after = (written: readonly number[]): Promise<NextToken[]> => {
      const key = written.join();
      const found = known.get(key) ?? next([...prompt, ...written]);
      known.set(key, found);
      return found;
    };
    const whole: number[] = [];
    const decided: number[] = [];
    for (const name of names) {
      const others = names.filter((other) => other !== name).map((other) => `${other}"`);
      const tokens = await tokensOf(name);
      let p = 1;
      let text = "";
      let atDecision: number | undefined;
      for (const [i, id] of tokens.entries()) {
        const token = (await after(tokens.slice(0, i))).find((one) => one.id === id);
        p *= token?.p ?? 0;
        text += token?.text ?? "";
        if (!others.some((other) => other.startsWith(text))) atDecision ??= p;
      }
      // A closing quote with whatever follows it in one token.
      p *= (await after(tokens)).reduce((sum, one) => (one.text.startsWith('"') ? sum + one.p : sum), 0);
      whole.push(p);
      decided.push(atDecision ?? p);
    }
    return { whole, decided };
  }

  return {
    async beforeLabel(messages, responseFormat) {
      const { prompt } = await post<{ prompt: string }>("/apply-template", { messages });
      const { choices } = await post<{ choices: { logprobs: { content: { id: number; token: string }[] } }[] }>(
        "/v1/chat/completions",
        { messages, response_format: responseFormat, temperature: 0, max_tokens: 40, logprobs: true, top_logprobs: 1 },
      );
      const written = choices[0]!.logprobs.content;
      // The quote that opens the value: the third of the object. What stands before it, a code fence, has none.
      let quotes = 0;
      const last = written.findIndex(({ token }) => {
        quotes += token.split('"').length - 1;
        return quotes >= 3;
      });
      if (!written[last]!.token.endsWith('"'))
        throw new Error(`a token holds the quote and the label: ${written[last]!.token}`);
      return [...(await tokensOf(prompt, true)), ...written.slice(0, last + 1).map(({ id }) => id)];
    },
    next,
    labels,
  };
}
