/** `redrive --stack NAME`: another attempt for everything in the dead-letter queues. */

import type { Command } from 'commander';
import { profileOption, regionOption } from '../aws/account-options.ts';
import type { RedriveOptions } from '../aws/redrive-stack.ts';
import { ending } from '../terminal/run-command.ts';

export function addCommand(program: Command): void {
  program
    .command('redrive')
    .description('retry the hints and changes in the dead-letter queues of a stack')
    .requiredOption('--stack <name>', 'the stack')
    .addOption(profileOption())
    .addOption(regionOption())
    .action(ending(async (options: RedriveOptions) => (await import('../aws/redrive-stack.ts')).redriveStack(options)));
}
