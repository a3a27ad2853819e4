/** `deploy`: creates a stack on AWS, or changes one. */

import { type Command, Option } from 'commander';
import { profileOption, regionOption } from '../aws/account-options.ts';
import type { DeployOptions } from '../aws/deploy-stack.ts';
import { RepeatableOption } from '../terminal/argument-parsers.ts';
import { ending } from '../terminal/run-command.ts';
import { addTrustOptions } from '../terminal/trust-options.ts';

export function addCommand(program: Command): void {
  const command = program
    .command('deploy')
    .description('deploy the indexer to AWS, or change a deployed stack')
    .option('--bucket <name>', 'the bucket with the packages (default: STACK-ACCOUNT-REGION)')
    .option('--existing', 'the bucket exists; keep its packages, indexes, rules and policy')
    .addOption(
      new RepeatableOption('--prefix <prefix>', 'watch only keys below this prefix; repeatable (default: all keys)'),
    )
    .addOption(
      new RepeatableOption(
        '--arch <prefix>',
        'reject packages whose MACHINE_ARCH does not begin with this; repeatable (default: accept any)',
      ),
    );
  addTrustOptions(command)
    .option(
      '--max-shrink <percent>',
      'hold back any publication that drops more of the records (default: 10, only where the rules changed or the index is not ours)',
    )
    .option('--debounce <seconds>', 'how long to collect changes before publishing, 0 to 300 (default: 10)')
    .addOption(formatsOption())
    .option('--no-page', 'do not write index.html, the package browser, beside each index')
    .option('--no-cdn', 'without CloudFront: clients read from the bucket')
    .option('--public-bucket', 'let everyone read the new bucket')
    .option('--kms-key <arn>', 'the KMS key that encrypts the packages, if it is one of yours')
    .option('--alarm-email <address>', 'send alarms to this address')
    .option('--publish-topic', 'create an SNS topic that gets a message for each publication')
    .option('--keep-tables', 'keep the tables when the stack is destroyed')
    .option('--stack <name>', 'name of the stack (default: pkgsrc-indexer)')
    .addOption(profileOption())
    .addOption(regionOption())
    .option(
      '--asset-bucket <name>',
      'the bucket for the code of the functions (default: one for all stacks of the account and region)',
    )
    .option('--bundles <dir>', 'use the functions in this directory instead of building them')
    .option('--dry-run', 'print the plan and write the template; needs no credentials and no network')
    .option('--yes', 'do not ask for confirmation')
    .action(ending(async (options: DeployOptions) => (await import('../aws/deploy-stack.ts')).deployStack(options)));
}

/** infra/options.ts parses it; the choices are for completion. */
function formatsOption(): Option {
  return new Option('--formats <list>', 'index formats to publish (default: gz,zst)')
    .choices(['gz', 'gz,zst'])
    .argParser((list) => list);
}
