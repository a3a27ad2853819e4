/** `npm run destroy`: our rules out of the bucket, then the stack. Packages, indexes and the bucket itself stay. */

import { DeleteStackCommand, type Stack } from '@aws-sdk/client-cloudformation';
import { Command } from 'commander';
import { SystemClock } from '../../functions/adapters/system-clock.ts';
import { CannotRun, type ExitCode, exitCodes } from '../../functions/failures.ts';
import { count } from '../../functions/wording.ts';
import { type AccountOptions, accountOptions } from '../aws/account-options.ts';
import { removeOurRules } from '../aws/bucket-notifications.ts';
import { parseStatement, removeStatement } from '../aws/bucket-policy.ts';
import { type Clients, clientsFor } from '../aws/clients.ts';
import { expectToBeThere, findStack, readOutputs } from '../aws/deployed-stack.ts';
import { follow, lookBefore } from '../aws/stack-events.ts';
import { confirm, expectSomebody } from '../terminal/confirm.ts';
import { ending, exitCodesHelp, runCommand } from '../terminal/run-command.ts';

interface DestroyOptions extends AccountOptions {
  readonly stack: string;
  readonly yes?: boolean;
}

async function destroy({ stack: name, yes, ...account }: DestroyOptions): Promise<ExitCode> {
  expectSomebody(yes);
  const clients = await clientsFor(account);
  const stack = expectToBeThere(await findStack(clients.cloudFormation, name), name, clients.region);
  const { Bucket: bucket } = readOutputs(stack);
  console.log(
    `${name} in ${clients.region}: its functions, queues, alarms and addresses go, and its tables unless it was deployed with --keep-tables.`,
  );
  if (bucket !== undefined) {
    console.log(
      `The bucket ${bucket} stays, with every package and index in it; nobody keeps the index right any more.`,
    );
  }
  if (!(await confirm(`Destroy ${name}?`, yes))) {
    console.log('Nothing was changed.');
    return exitCodes.done;
  }
  await leaveBucket(clients, stack, name);
  await deleteStack(clients, stack, name);
  if (bucket !== undefined) {
    console.log(
      `\nKept: the bucket ${bucket}. To have it indexed again: npm run deploy -- --bucket ${bucket} --existing`,
    );
  }
  return exitCodes.done;
}

/** First, so that S3 never sends to a queue that is gone: S3 tests all destinations whenever somebody changes one. */
async function leaveBucket({ s3 }: Clients, stack: Stack, name: string): Promise<void> {
  const { Bucket: bucket, QueueArn: queueArn, BucketPolicyStatement: statement } = readOutputs(stack);
  // A stack whose creation failed has told the bucket nothing.
  if (bucket === undefined) return;
  const rules = await removeOurRules(s3, bucket, { stack: name, queueArn });
  if (rules > 0) console.log(`${bucket}: removed ${count(rules, 'notification rule')} of ours`);
  if (statement !== undefined && (await removeStatement(s3, bucket, parseStatement(statement).Sid))) {
    console.log(`${bucket}: removed from its policy that CloudFront may read`);
  }
}

async function deleteStack({ cloudFormation }: Clients, stack: Stack, name: string): Promise<void> {
  const before = await lookBefore(cloudFormation, stack.StackId ?? name);
  await cloudFormation.send(new DeleteStackCommand({ StackName: name }));
  const { isDone, status, failures, kept } = await follow({ cloudFormation, clock: new SystemClock() }, before);
  if (!isDone) {
    const reasons = [
      `the stack ${name} could not be deleted (${status}); mend this, and destroy it again:`,
      ...failures,
    ];
    throw new CannotRun(reasons.join('\n  '));
  }
  for (const resource of kept) console.log(`Kept: ${resource}`);
}

const { profileOption, regionOption } = accountOptions();

const program = new Command('destroy')
  .description('Removes a stack. Never deletes a package, an index or a bucket.')
  .requiredOption('--stack <name>', 'the stack to remove')
  .addOption(profileOption)
  .addOption(regionOption)
  .option('--yes', 'do not ask')
  .exitOverride()
  .showHelpAfterError('(--help shows what there is)')
  .addHelpText('after', exitCodesHelp)
  .action(ending((options: DestroyOptions) => destroy(options)));

await runCommand(program);
