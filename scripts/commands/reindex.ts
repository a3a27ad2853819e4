/** `reindex --stack NAME`: a reindex of a stack now, in addition to the daily one. */

import type { Command } from 'commander';
import { profileOption, regionOption } from '../aws/account-options.ts';
import type { ReindexOptions } from '../aws/reindex-stack.ts';
import { ending } from '../terminal/run-command.ts';

export function addCommand(program: Command): void {
  program
    .command('reindex')
    .description('compare the bucket of a stack with its table, and process every difference')
    .requiredOption('--stack <name>', 'the stack to reindex')
    .option('--prefix <prefix>', 'only keys that begin with this prefix (default: all that the stack watches)')
    .option('--force', 'read every package again, even if unchanged')
    .option('--adopt', 'publish what is held back because it drops many records')
    .option('--wait', 'wait until all packages have been read')
    .addOption(profileOption())
    .addOption(regionOption())
    .action(ending(async (options: ReindexOptions) => (await import('../aws/reindex-stack.ts')).reindexStack(options)));
}
