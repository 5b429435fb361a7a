import { join } from "node:path";
import { localHost } from "../../server/src/jobs/hosts/local.ts";
import { conformsAsHost } from "./conformance.ts";
import { removeFolder, temporaryFolder } from "./support.ts";

conformsAsHost("local", async () => {
  const top = await temporaryFolder();
  const jobs = join(top, "jobs");
  return { host: localHost({ jobs }), folder: (job) => join(jobs, job), close: () => removeFolder(top) };
});

conformsAsHost("local, with a folder of its own", async () => {
  const top = await temporaryFolder();
  return {
    host: localHost({ jobs: join(top, "host"), shared: false }),
    folder: (job) => join(top, "manager", job),
    close: () => removeFolder(top),
  };
});
