/** `completion SHELL`: a completion script, generated from the program's commands and options. */

import { Argument, type Command, type Option } from 'commander';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

export function addCommand(program: Command): void {
  program
    .command('completion')
    .description('print a completion script for your shell; its first line says how to use it')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .action((shell: Shell) => console.log(completionScript(program, shell)));
}

interface CompletedCommand {
  readonly name: string;
  readonly description: string;
  readonly options: readonly CompletedOption[];
  /** The values of its first argument, or files. Undefined: it takes none. */
  readonly argument: readonly string[] | 'file' | undefined;
}

interface CompletedOption {
  /** With its dashes: `--json`. */
  readonly flag: string;
  readonly description: string;
  readonly takesValue: boolean;
  /** Its possible values. None: a file, or a value that no shell can know. */
  readonly choices: readonly string[];
}

export function completionScript(program: Command, shell: Shell): string {
  return scripts[shell](program.name(), commandsOf(program));
}

function commandsOf(program: Command): CompletedCommand[] {
  const help = program.createHelp();
  return help.visibleCommands(program).map((command) => {
    const [argument] = command.registeredArguments;
    const choices = command.name() === 'help' ? program.commands.map((each) => each.name()) : argument?.argChoices;
    return {
      name: command.name(),
      description: command.description(),
      options: help.visibleOptions(command).map(completedOption),
      argument: choices ?? (argument === undefined ? undefined : 'file'),
    };
  });
}

function completedOption({ long, short, description, required, optional, argChoices = [] }: Option): CompletedOption {
  return { flag: long ?? short ?? '', description, takesValue: required || optional, choices: argChoices };
}

const scripts: Readonly<Record<Shell, (program: string, commands: readonly CompletedCommand[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** Without a match, bash completes file names, which is right for every value that is a path. */
function bashScript(program: string, commands: readonly CompletedCommand[]): string {
  const choices = commands.flatMap(({ name, options }) =>
    options
      .filter((option) => option.choices.length > 0)
      .map((option) => `    '${name} ${option.flag}') words='${option.choices.join(' ')}' ;;`),
  );
  const values = commands.flatMap(({ name, options }) =>
    options
      .filter((option) => option.takesValue && option.choices.length === 0)
      .map((option) => `'${name} ${option.flag}'`),
  );
  const cases = commands.map(({ name, options, argument }) => {
    const words = [...(Array.isArray(argument) ? argument : []), ...options.map(({ flag }) => flag)];
    return `    '${name} '*) words='${words.join(' ')}' ;;`;
  });
  return `# bash completion: eval "$(${program} completion bash)"
_pkgsrc_indexer() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command='' words=''
  [ "$COMP_CWORD" -gt 1 ] && command=\${COMP_WORDS[1]}
  case "$command $previous" in
    ' '*) words='${commands.map(({ name }) => name).join(' ')}' ;;
${[...choices, ...(values.length === 0 ? [] : [`    ${values.join('|')}) ;;`]), ...cases].join('\n')}
  esac
  # Bash completes file names itself; offer options only after a dash.
  COMPREPLY=()
  case "$current $words" in
    ' -'*) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
  esac
}
complete -o bashdefault -o default -F _pkgsrc_indexer ${program}`;
}

function zshScript(program: string, commands: readonly CompletedCommand[]): string {
  const described = commands.map(
    ({ name, description }) => `    ${quotedForZsh(`${name}:${description.replaceAll(':', '\\:')}`)}`,
  );
  const cases = commands.map(({ name, options, argument }) => {
    const specifications = options.map(({ flag, description, takesValue, choices }) => {
      const value = choices.length > 0 ? `:value:(${choices.join(' ')})` : ':value:_files';
      return quotedForZsh(`${flag}[${description.replaceAll(/[[\]:]/g, '\\$&')}]${takesValue ? value : ''}`);
    });
    const positional = Array.isArray(argument) ? `:argument:(${argument.join(' ')})` : '*:file:_files';
    const all = argument === undefined ? specifications : [...specifications, quotedForZsh(positional)];
    return `    ${name}) _arguments ${all.join(' ')} ;;`;
  });
  return `#compdef ${program}
# zsh completion: eval "$(${program} completion zsh)", or as a file _${program} in a directory of $fpath
_pkgsrc_indexer() {
  local -a commands=(
${described.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  shift words
  (( CURRENT -= 1 ))
  case $words[1] in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = _${program} ]; then _pkgsrc_indexer "$@"; else compdef _pkgsrc_indexer ${program}; fi`;
}

function quotedForZsh(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishScript(program: string, commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ name, description, options, argument }) => {
    const isSeen = `-n '__fish_seen_subcommand_from ${name}'`;
    const described = (text: string) => `-d '${text.replaceAll(/[\\']/g, '\\$&')}'`;
    return [
      `complete -c ${program} -n __fish_use_subcommand -f -a ${name} ${described(description)}`,
      ...options.map(({ flag, description: what, takesValue, choices }) => {
        const value = choices.length > 0 ? ` -x -a '${choices.join(' ')}'` : ' -r';
        return `complete -c ${program} ${isSeen} -l ${flag.slice(2)}${takesValue ? value : ''} ${described(what)}`;
      }),
      ...(Array.isArray(argument) ? [`complete -c ${program} ${isSeen} -f -a '${argument.join(' ')}'`] : []),
      ...(argument === undefined ? [`complete -c ${program} ${isSeen} -f`] : []),
    ];
  });
  return [`# fish completion: ${program} completion fish | source`, ...lines].join('\n');
}
