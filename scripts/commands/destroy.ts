/** `destroy --stack NAME`: removes a stack from AWS. */

import type { Command } from 'commander';
import { profileOption, regionOption } from '../aws/account-options.ts';
import type { DestroyOptions } from '../aws/destroy-stack.ts';
import { ending } from '../terminal/run-command.ts';

export function addCommand(program: Command): void {
  program
    .command('destroy')
    .description('remove a stack from AWS; packages, indexes and buckets stay')
    .requiredOption('--stack <name>', 'the stack to remove')
    .addOption(profileOption())
    .addOption(regionOption())
    .option('--yes', 'do not ask for confirmation')
    .action(ending(async (options: DestroyOptions) => (await import('../aws/destroy-stack.ts')).destroyStack(options)));
}
