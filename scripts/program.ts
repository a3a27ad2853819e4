/** The program with its commands. Each has its options and its action in commands/. */

import { Command } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { exitCodesHelp } from './terminal/exit-codes.ts';

/** In the order of the help. */
const commands = {
  serve: () => import('./commands/serve.ts'),
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

/** @param name the command that will run: only that one is loaded, since each takes time to load */
export async function loadProgram(name: string | undefined): Promise<Command> {
  const program = new Command('pkgsrc-indexer')
    .description('Keeps the pkg_summary of pkgsrc package repositories up to date.')
    .version(manifest.version, '--version', 'print the version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => console.log(text.trimEnd()),
      writeErr: (text) => console.error(text.trimEnd()),
    })
    .showHelpAfterError('(see --help)')
    .addHelpText('afterAll', exitCodesHelp);
  const loaded = await Promise.all(neededCommands(name).map((load) => load()));
  for (const { addCommand } of loaded) addCommand(program);
  return program;
}

/** Help and completion need all of them. */
function neededCommands(name = ''): readonly (typeof commands)[keyof typeof commands][] {
  const isOneEnough = Object.hasOwn(commands, name) && name !== 'completion';
  return isOneEnough ? [commands[name as keyof typeof commands]] : Object.values(commands);
}
