/** What ssh says, in words that tell what to do. */

interface Explanation {
  when: RegExp;
  say(address: string): string;
}

const EXPLANATIONS: readonly Explanation[] = [
  {
    when: /REMOTE HOST IDENTIFICATION HAS CHANGED|host key .* has changed/i,
    say: (address) =>
      `The host key of ${address} is not the one that was known. Either the machine was made anew, or somebody is in between. If you know that it was made anew, remove the old key (ssh-keygen -R HOST), connect once in a terminal (ssh ${address}), and compare the new key with the one your provider shows.`,
  },
  {
    when: /Host key verification failed|No .* host key is known/i,
    say: (address) =>
      `The host key of ${address} is not known yet. Connect once in a terminal (ssh ${address}) and accept the key after comparing it with the one your provider shows. Clf never accepts an unknown key by itself.`,
  },
  {
    when: /Permission denied|Too many authentication failures|no mutual signature/i,
    say: (address) =>
      `${address} does not let you in with a key. Clf cannot type a password: load your key into the agent (ssh-add), or name it in your ssh config (IdentityFile), and see that "ssh -o BatchMode=yes ${address} true" works.`,
  },
  {
    when: /Could not resolve hostname|Name or service not known|nodename nor servname/i,
    say: (address) =>
      `${address} cannot be found. Is it spelled as in your ssh config, and are you on the right network?`,
  },
  {
    when: /Connection refused/i,
    say: (address) =>
      `${address} refuses the connection: the machine is there, its ssh server is not. It may still be starting; else look at the port.`,
  },
  {
    when: /timed out|No route to host|Network is unreachable|Connection closed by UNKNOWN|Host is down/i,
    say: (address) =>
      `${address} does not answer. Is the instance running, has it a new address since it was stopped, and does its firewall let you in (TCP port 22, from your address)?`,
  },
  {
    when: /Bad owner or permissions|Bad configuration option|terminating, .* bad configuration|keyword .* extra arguments/i,
    say: () => "Your ssh config cannot be used:",
  },
  {
    when: /stdio forwarding failed|kex_exchange_identification|Connection closed|Connection reset|Broken pipe/i,
    say: (address) => `The connection to ${address} was closed before or while it was used:`,
  },
];

/** A sentence or two about why ssh could not connect. What ssh itself said is added, bounded, when the words do not hold all of it. */
export function explain(address: string, said: string): string {
  const found = EXPLANATIONS.find(({ when }) => when.test(said));
  const own = lastWords(said);
  if (!found) return own === "" ? `The connection to ${address} has ended.` : `${address} cannot be reached: ${own}`;
  const words = found.say(address);
  return words.endsWith(":") ? `${words} ${own}` : words;
}

/** The last lines that say something, without control characters. */
export function lastWords(text: string, limit = 300): string {
  const lines = text
    .slice(-4000)
    .replaceAll(/(?!\n)\p{Cc}/gu, " ")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^@+/.test(line));
  return lines.slice(-2).join(" ").slice(-limit);
}
