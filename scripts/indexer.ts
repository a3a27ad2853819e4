#!/usr/bin/env node
/** The command line: what the commands are called and take. What they do is in the file of the same name. */

import { Command, CommanderError } from 'commander';
import { CannotRun, exitCodes } from './exit.ts';
import { record } from './record.ts';

const program = new Command('indexer')
  .description('Keeps the pkg_summary of pkgsrc package repositories right.')
  .exitOverride()
  .showHelpAfterError('(--help shows what there is)');

program
  .command('record')
  .description('print the record of each package, as pkg_info -X would')
  .argument('<file...>', 'packages')
  .action(async (files: string[]) => {
    process.exitCode = await record(files);
  });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  else if (error instanceof CannotRun) {
    console.error(`indexer: ${error.message}`);
    process.exitCode = exitCodes.couldNotRun;
  } else throw error;
}
