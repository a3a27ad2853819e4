/** `smoke --stack NAME`: tests a deployed stack with a tiny package. */

import type { Command } from 'commander';
import { profileOption, regionOption } from '../aws/account-options.ts';
import type { SmokeCommandOptions } from '../aws/smoke-stack.ts';
import { parseSeconds } from '../terminal/argument-parsers.ts';
import { ending } from '../terminal/run-command.ts';

const smokeLimits = {
  /** One way, there or back: S3 may need 5 minutes until it sends events. */
  secondsDefault: 360,
  secondsMax: 3_600,
} as const;

export function addCommand(program: Command): void {
  const { secondsDefault, secondsMax } = smokeLimits;
  program
    .command('smoke')
    .description('test a stack: upload a tiny package, wait until the served index has it, and remove it')
    .requiredOption('--stack <name>', 'the stack to test')
    .option('--url <url>', 'where clients read the bucket (default: from the stack)')
    .option('--timeout <seconds>', 'for each way, there and back', parseSeconds(1, secondsMax), secondsDefault)
    .addOption(profileOption())
    .addOption(regionOption())
    .action(
      ending(async (options: SmokeCommandOptions) => (await import('../aws/smoke-stack.ts')).smokeStack(options)),
    );
}
