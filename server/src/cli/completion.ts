/** Shell completion, made from the commands themselves. */
import type { Command } from "commander";

interface Known {
  name: string;
  description: string;
  options: { flags: string[]; description: string }[];
}

function commandsOf(clf: Command): Known[] {
  return clf.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    options: command.options.map(({ short, long, description }) => ({
      flags: [short, long].filter((flag): flag is string => typeof flag === "string"),
      description,
    })),
  }));
}

const single = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The script to be sourced; null for a shell that is not known. */
export function completionScript(clf: Command, shell: string): string | null {
  const commands = commandsOf(clf);
  const names = commands.map(({ name }) => name).join(" ");
  switch (shell) {
    case "bash": {
      const cases = commands
        .map(({ name, options }) => `    ${name}) words="${options.flatMap(({ flags }) => flags).join(" ")}" ;;`)
        .join("\n");
      return `# clf completion: eval "$(clf completion bash)"
_clf() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${names}" -- "$current")); return; fi
  case "\${COMP_WORDS[1]}" in
${cases}
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    *) COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}
complete -o filenames -F _clf clf
`;
    }
    case "zsh": {
      const described = commands.map(({ name, description }) => single(`${name}:${description}`)).join(" ");
      const cases = commands
        .map(
          ({ name, options }) =>
            `    ${name}) _arguments ${options.map(({ flags, description }) => single(`${flags.at(-1)}[${description.replace(/[[\]:]/g, " ")}]`)).join(" ")} '*:file:_files' ;;`,
        )
        .join("\n");
      return `#compdef clf
# clf completion: eval "$(clf completion zsh)"
_clf() {
  local -a commands; commands=(${described})
  if (( CURRENT == 2 )); then _describe 'command' commands; return; fi
  case "$words[2]" in
${cases}
  esac
}
compdef _clf clf
`;
    }
    case "fish": {
      const lines = commands.flatMap(({ name, description, options }) => [
        `complete -c clf -n __fish_use_subcommand -a ${name} -d ${single(description)}`,
        ...options.map(({ flags, description: about }) => {
          const short = flags.find((flag) => /^-[^-]/.test(flag));
          const long = flags.find((flag) => flag.startsWith("--"));
          return `complete -c clf -n '__fish_seen_subcommand_from ${name}'${short ? ` -s ${short.slice(1)}` : ""}${long ? ` -l ${long.slice(2)}` : ""} -d ${single(about)}`;
        }),
      ]);
      return `# clf completion: clf completion fish | source\n${lines.join("\n")}\n`;
    }
    default:
      return null;
  }
}
