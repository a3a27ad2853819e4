/** `watch DIR`: `serve` without HTTP, for a directory that a web server or rsync hands out. */

import type { Command } from 'commander';
import { followAll } from '../follow-directories.ts';
import { parsePath } from '../terminal/argument-parsers.ts';
import { addWatchingOptions } from '../terminal/directory-options.ts';
import { endingForAll } from '../terminal/run-command.ts';

export function addCommand(program: Command): void {
  const command = program
    .command('watch')
    .description('index a directory and watch it for changes, like serve without HTTP')
    .argument('[dir]', 'directory with repositories at any depth', parsePath);
  addWatchingOptions(command).action(endingForAll(followAll));
}
