/** The program with its commands. Each has its options and its action in commands/. */

import { Command } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { acceptSettings } from './settings/settled-options.ts';
import { exitCodesHelp } from './terminal/exit-codes.ts';

/** In the order of the help. */
const commands = {
  serve: () => import('./commands/serve.ts'),
  watch: () => import('./commands/watch.ts'),
  index: () => import('./commands/index.ts'),
  record: () => import('./commands/record.ts'),
  status: () => import('./commands/status.ts'),
  check: () => import('./commands/check.ts'),
  explain: () => import('./commands/explain.ts'),
  deploy: () => import('./commands/deploy.ts'),
  destroy: () => import('./commands/destroy.ts'),
  reindex: () => import('./commands/reindex.ts'),
  redrive: () => import('./commands/redrive.ts'),
  smoke: () => import('./commands/smoke.ts'),
  completion: () => import('./commands/completion.ts'),
} as const;

const settingsHelp = `
Options can also be set in the environment (--port: PKGSRC_INDEXER_PORT) or in a file (--config FILE).`;

/** @param args of the command line: only the command that they name is loaded, since each takes time to load */
export async function loadProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('pkgsrc-indexer')
    .description('Keeps the pkg_summary of pkgsrc package repositories up to date.')
    .version(manifest.version, '--version', 'print the version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => console.log(text.trimEnd()),
      writeErr: (text) => console.error(text.trimEnd()),
    })
    .showHelpAfterError('(see --help)')
    .addHelpText('afterAll', `${settingsHelp}\n${exitCodesHelp}`);
  const loaded = await Promise.all(neededCommands(args).map((load) => load()));
  for (const { addCommand } of loaded) addCommand(program);
  for (const command of program.commands) acceptSettings(command);
  return program;
}

/** Help and completion need all of them; a configuration file may have options of all. */
function neededCommands(args: readonly string[]): readonly (typeof commands)[keyof typeof commands][] {
  const [name = ''] = args;
  const isConfigured = args.some((arg) => arg.startsWith('--config')) || 'PKGSRC_INDEXER_CONFIG' in process.env;
  const isOneEnough = Object.hasOwn(commands, name) && name !== 'completion' && !isConfigured;
  return isOneEnough ? [commands[name as keyof typeof commands]] : Object.values(commands);
}
