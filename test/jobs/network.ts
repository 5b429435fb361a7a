/** A network of two: this machine, and a namespace in which a server runs. It can be unplugged, and this machine moved to another address. */
import { spawnSync } from "node:child_process";

export interface Network {
  /** Address of the far side. */
  far: string;
  /** Runs a command on the far side. */
  within: string[];
  /** Unplugged somewhere on the way: nothing passes, and nobody is told. */
  unplug(): void;
  plug(): void;
  /** This machine gets another address: connections from the old one are dead, and nobody is told. */
  move(): void;
  /** Lets so many megabits a second pass in either direction. False where the system cannot. */
  limit(megabits: number): boolean;
  close(): void;
}

const ip = (...words: string[]): boolean => spawnSync("ip", words, { stdio: "ignore" }).status === 0;

/** A network of its own; null where the system lets nobody make one. */
export function makeNetwork(): Network | null {
  const name = `clf${process.pid}`;
  const [near, far] = [`${name}n`, `${name}f`];
  // Of the range that is kept for measuring networks (RFC 2544).
  const address = (last: number) => `198.18.${process.pid % 256}.${last}`;
  let last = 2;
  const close = () => void ip("netns", "del", name);
  const made =
    ip("netns", "add", name) &&
    ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", name) &&
    ip("addr", "add", `${address(last)}/24`, "dev", near) &&
    ip("link", "set", near, "up") &&
    ip("-n", name, "addr", "add", `${address(1)}/24`, "dev", far) &&
    ip("-n", name, "link", "set", far, "up") &&
    ip("-n", name, "link", "set", "lo", "up");
  if (!made) {
    close();
    return null;
  }
  return {
    far: address(1),
    within: ["ip", "netns", "exec", name],
    unplug: () => void ip("-n", name, "link", "set", far, "down"),
    plug: () => void ip("-n", name, "link", "set", far, "up"),
    move() {
      ip("addr", "del", `${address(last)}/24`, "dev", near);
      last = (last % 200) + 2;
      ip("addr", "add", `${address(last)}/24`, "dev", near);
    },
    limit(megabits) {
      const rule = ["root", "tbf", "rate", `${megabits}mbit`, "burst", "128kb", "latency", "50ms"];
      const tc = (...words: string[]) => spawnSync("tc", words, { stdio: "ignore" }).status === 0;
      return tc("qdisc", "replace", "dev", near, ...rule) && tc("-n", name, "qdisc", "replace", "dev", far, ...rule);
    },
    close,
  };
}
