/** A chat endpoint that takes a fixed time a request, in a process of its own: `server.ts MILLISECONDS`. Prints its address. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const delay = Number(process.argv[2] ?? 50);
const alternatives = [
  { token: "good", logprob: Math.log(0.9), bytes: [...Buffer.from("good")] },
  { token: "bad", logprob: Math.log(0.1), bytes: [...Buffer.from("bad")] },
];
const body = JSON.stringify({
  id: "x",
  object: "chat.completion",
  created: 0,
  model: "bench",
  choices: [
    {
      index: 0,
      finish_reason: "stop",
      message: { role: "assistant", content: "good", refusal: null },
      logprobs: { content: [{ ...alternatives[0], top_logprobs: alternatives }], refusal: null },
    },
  ],
  usage: { prompt_tokens: 40, completion_tokens: 1, total_tokens: 41 },
});
let requests = 0;
const server = createServer((request, response) => {
  if (request.url === "/count") return response.end(String(requests));
  request.resume();
  return request.on("end", () => {
    requests++;
    setTimeout(() => response.writeHead(200, { "content-type": "application/json" }).end(body), delay);
  });
});
server.keepAliveTimeout = 120_000;
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`));
