import { join } from "node:path";
import { sshHost } from "../../server/src/jobs/hosts/ssh/ssh.ts";
import { conformsAsHost } from "./conformance.ts";
import { SHELLS, type Shell, type Sshd, startSshd, whyNoSshd } from "./sshd.ts";
import { removeFolder, temporaryFolder } from "./support.ts";

const shells = Object.keys(SHELLS) as Shell[];
const why = whyNoSshd(shells);

(why ? describe.skip : describe)(`host ssh${why ? ` (${why})` : ""}`, () => {
  let sshd: Sshd;
  before(async () => {
    sshd = await startSshd(shells);
  });
  after(() => sshd.close());

  for (const shell of shells) {
    conformsAsHost(`ssh, login shell ${shell}, noisy profile`, async () => {
      const top = await temporaryFolder();
      const { address } = sshd.user(shell);
      const host = sshHost({ name: "remote", address, workdir: "~/my clf's", program: sshd.program });
      return {
        host,
        folder: (job) => join(top, "manager", job),
        async close() {
          host.close();
          await removeFolder(top);
        },
      };
    });
  }
});
