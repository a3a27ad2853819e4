/** `smoke --stack NAME`: tests a deployed stack with a tiny package. */

import type { Command } from 'commander';
import { profileOption, regionOption } from '../aws/account-options.ts';
import { commandLimits } from '../aws/limits.ts';
import type { SmokeCommandOptions } from '../aws/smoke-stack.ts';
import { parseSeconds } from '../terminal/argument-parsers.ts';
import { ending } from '../terminal/run-command.ts';

export function addCommand(program: Command): void {
  const { smokeSecondsDefault, smokeSecondsMax } = commandLimits;
  program
    .command('smoke')
    .description('test a stack: upload a tiny package, wait until the served index has it, and remove it')
    .requiredOption('--stack <name>', 'the stack to test')
    .option('--url <url>', 'where clients read the bucket (default: from the stack)')
    .option(
      '--timeout <seconds>',
      'for each way, there and back',
      parseSeconds(1, smokeSecondsMax),
      smokeSecondsDefault,
    )
    .addOption(profileOption())
    .addOption(regionOption())
    .action(
      ending(async (options: SmokeCommandOptions) => (await import('../aws/smoke-stack.ts')).smokeStack(options)),
    );
}
