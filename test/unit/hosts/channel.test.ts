/** The talk with a process at the other end of a line. */
import assert from "node:assert/strict";
import { HostUnreachable } from "../../../server/src/jobs/hosts/host.ts";
import { LOGIN_COMMAND } from "../../../server/src/jobs/hosts/ssh/arguments.ts";
import { type Channel, openChannel } from "../../../server/src/jobs/hosts/ssh/channel.ts";

const MARK = "mark";

describe("channel to a host", function () {
  this.timeout(60_000);
  let channel: Channel | undefined;
  afterEach(() => channel?.close());

  const open = (script: string, patience: number) => {
    const begin = `printf '%s begin\\n' ${MARK}\n`;
    const command = ["sh", "-c", LOGIN_COMMAND] as const;
    channel = openChannel(begin + script, { command, address: "there", mark: MARK, patience });
    return channel;
  };

  it("waits longer than its patience for the word after an upload, as long as the upload gets on", async function () {
    // A machine that halts both ends for seconds breaks any patience.
    this.retries(3);
    // Takes 16 MiB within 7 seconds, without a word.
    const slow = "n=0; while [ $n -lt 28 ]; do head -c 599187 >/dev/null; sleep 0.25; n=$((n + 1)); done";
    const to = open(`${slow}; echo ${MARK} done`, 5000);
    const answer = to.line();
    for (let n = 0; n < 64; n++) await to.write(Buffer.alloc(1 << 18));
    to.end();
    assert.equal(await answer, "done");
  });

  it("gives up on one that neither says a word nor takes any", async () => {
    const to = open("exec sleep 60", 300);
    await assert.rejects(to.line(), HostUnreachable);
  });
});
