/** How the system's OpenSSH client is called. The user's own configuration, agent, jump hosts and known hosts apply. */

/** A host of the ssh config, or user@host; brackets and colons for IPv6. The project's schema allows no other. */
const ADDRESS = /^(?!-)[A-Za-z0-9._@:[\]%-]{1,255}$/;

/**
 * The one command that a login shell gets, the same for every call: bash, dash, zsh, fish, tcsh read it alike. `sh` then takes its
 * script from standard input: a line with its length, and the script.
 */
export const LOGIN_COMMAND = `exec sh -c 'read -r n && eval "$(head -c "$n")"'`;

export interface SshTarget {
  address: string;
  /** Another ssh program and arguments before all others; for tests, and users with several. */
  program?: readonly string[];
}

/** `master`: this call opens the connection that others share; `shared`: this call goes over it. */
export type Sharing = { role: "master" | "shared"; socket: string } | { role: "alone" };

/** @throws when the address could be taken for an option or a command */
export function sshCommand({ address, program = ["ssh"] }: SshTarget, sharing: Sharing): [string, ...string[]] {
  if (!ADDRESS.test(address))
    throw new Error(`"${address}" is not an ssh address: a host of your ssh config, or user@host.`);
  const options = {
    // Nobody sits at a terminal here: ask nothing, and refuse hosts whose key is not known.
    BatchMode: "yes",
    ConnectTimeout: "15",
    ServerAliveInterval: "15",
    ServerAliveCountMax: "3",
    ControlMaster: sharing.role === "master" ? "yes" : "no",
    ControlPath: sharing.role === "alone" ? "none" : sharing.socket,
    ControlPersist: "no",
    ClearAllForwardings: "yes",
    PermitLocalCommand: "no",
    RemoteCommand: "none",
    LogLevel: "ERROR",
  };
  const words = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  // No terminal, no forwarded X, no forwarded agent: the host gets nothing that it does not need.
  const [first = "ssh", ...more] = program;
  return [first, ...more, "-T", "-x", "-a", ...words, "--", address, LOGIN_COMMAND];
}
