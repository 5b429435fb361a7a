/** Milliseconds that a request waits for others. */
const TOGETHER = 3;
const MOST = 400;

/** Requests of the same moment, answered together by one call: twenty jobs looked at cost one ssh process, not twenty. */
export function batched<Request, Answer>(
  ask: (requests: Request[]) => Promise<Answer[]>,
): (request: Request) => Promise<Answer> {
  const waiting: { request: Request; resolve(answer: Answer): void; reject(error: unknown): void }[] = [];

  async function send(): Promise<void> {
    const now = waiting.splice(0, MOST);
    if (waiting.length > 0) void send();
    try {
      const answers = await ask(now.map(({ request }) => request));
      for (const [n, { resolve }] of now.entries()) resolve(answers[n]!);
    } catch (error) {
      for (const { reject } of now) reject(error);
    }
  }

  return (request) =>
    new Promise((resolve, reject) => {
      waiting.push({ request, resolve, reject });
      if (waiting.length === 1) setTimeout(() => void send(), TOGETHER);
    });
}
