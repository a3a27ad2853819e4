#!/usr/bin/env node
/** The command line. Each command has its options and its action in commands/. */

import './compile-cache.ts';
import { Command } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { exitCodesHelp } from './terminal/exit-codes.ts';
import { runCommand } from './terminal/run-command.ts';

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

const program = new Command('pkgsrc-indexer')
  .description('Keeps the pkg_summary of pkgsrc package repositories up to date.')
  .version(manifest.version, '--version', 'print the version')
  .exitOverride()
  .showHelpAfterError('(see --help)')
  .addHelpText('afterAll', exitCodesHelp);

for (const { addCommand } of await Promise.all(neededCommands(process.argv[2]).map((load) => load())))
  addCommand(program);

await runCommand(program);

/** Only the command that runs is loaded, since each takes time to load. Help and completion need all of them. */
function neededCommands(name = ''): readonly (typeof commands)[keyof typeof commands][] {
  const isOneEnough = Object.hasOwn(commands, name) && name !== 'completion';
  return isOneEnough ? [commands[name as keyof typeof commands]] : Object.values(commands);
}
