import type { HostCheck } from "../host.ts";
import type { Connection } from "./connection.ts";

export async function checkHost(_connection: Connection): Promise<HostCheck[]> {
  return [{ name: "connection", ok: true, detail: _connection.address }];
}
