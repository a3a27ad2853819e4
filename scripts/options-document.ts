/** Writes docs/options.md, from the options that the commands have: `npm run options`. */

import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Command, Option } from 'commander';
import { loadProgram } from './program.ts';
import { environmentName, settingName } from './settings/setting.ts';
import { RepeatableOption } from './terminal/argument-parsers.ts';
import { exitCodesHelp } from './terminal/exit-codes.ts';

export const optionsDocument = fileURLToPath(new URL('../docs/options.md', import.meta.url));

/** Everything that comes before the tables. */
const introduction = `# Options

<!-- Made by \`npm run options\` from the commands in scripts/commands/; a test compares it with them. -->

An option is taken from the command line, else from the environment, else from the configuration file, else from its default.

**Environment.** \`--port\` is \`PKGSRC_INDEXER_PORT\`, and so on. A switch is \`true\`, \`1\` or \`yes\`, or \`false\`, \`0\` or \`no\`; the variable of
\`--no-page\` is \`PKGSRC_INDEXER_PAGE=false\`. Prefer it to the command line for tokens: other users can see a process's arguments.

**Configuration file.** \`--config FILE\`, in [TOML](https://toml.io). A key is the option without its dashes; an option that may be given several
times is a list (in the environment, it has one value). Options of other commands are ignored, so that one file serves all; an unknown key is an error. Paths are relative to the file.
\`serve\`, \`watch\` and \`index\` without a directory work on every \`[[directories]]\` of the file, in one process; what stands in there is
for that directory only. None of them may be inside another one, and each has its own \`state\`. A token in it is as secret as the file: \`chmod 600\`.

    upload-token = "…"
    page = false

    [[directories]]
    path = "/srv/netbsd"
    port = 8080

    [[directories]]
    path = "/srv/smartos"
    state = "/var/db/smartos-index"
    port = 8081

    [[directories]]
    path = "s3://packages/netbsd"
    endpoint = "https://s3.example.org"
    access-key-id = "…"
    secret-access-key = "…"
    port = 8082
`;

export async function describeOptions(): Promise<string> {
  const program = await loadProgram([]);
  const sections = program.commands.filter((command) => command.options.length > 0).map(describeCommand);
  return `${[introduction, ...sections, exitCodesSection()].join('\n')}`;
}

function describeCommand(command: Command): string {
  const options = command.options.filter(({ hidden }) => !hidden);
  return `## ${command.name()}

\`${command.name()} ${command.usage()}\`: ${command.description()}.

| option | key in the file | environment | default | what it does |
| --- | --- | --- | --- | --- |
${options.map(describeOption).join('\n')}
`;
}

function describeOption(option: Option): string {
  const { flags, description, defaultValue, defaultValueDescription, negate } = option;
  const name = settingName(option);
  const key = option instanceof RepeatableOption ? `${name} = […]` : negate ? `${name} = false` : name;
  const standard = defaultValueDescription ?? (defaultValue === undefined || negate ? '' : String(defaultValue));
  const cells = [
    `\`${flags}\``,
    name === 'config' ? '' : `\`${key}\``,
    `\`${environmentName(option)}\``,
    standard,
    description.replaceAll('|', '\\|'),
  ];
  return `| ${cells.join(' | ')} |`;
}

function exitCodesSection(): string {
  const rows = [...exitCodesHelp.matchAll(/^ {2}(\d) {2}(.*)$/gm)].map(
    ([, code, meaning]) => `| ${code} | ${meaning} |`,
  );
  return `## Exit codes

| code | meaning |
| --- | --- |
${rows.join('\n')}
`;
}

if (import.meta.main) await writeFile(optionsDocument, await describeOptions());
