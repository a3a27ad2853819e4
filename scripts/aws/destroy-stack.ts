/** Destroys a stack: first removes our rules from the bucket, then the stack. Packages, indexes and the bucket stay. */

import { DeleteStackCommand, type Stack } from '@aws-sdk/client-cloudformation';
import { SystemClock } from '../../functions/adapters/system-clock.ts';
import { CannotRun } from '../../functions/failures.ts';
import { count } from '../../functions/wording.ts';
import { confirm, expectTerminal } from '../terminal/confirm.ts';
import { type ExitCode, exitCodes } from '../terminal/exit-codes.ts';
import { ownCommand } from '../terminal/own-command.ts';
import type { AccountOptions } from './account-options.ts';
import { removeNotFoundPage } from './bucket-adoption.ts';
import { removeOurRules } from './bucket-notifications.ts';
import { parseStatement, removeStatement } from './bucket-policy.ts';
import { type Clients, clientsFor } from './clients.ts';
import { expectToBeThere, findStack, readOutputs } from './deployed-stack.ts';
import { follow, lookBefore } from './stack-events.ts';

export interface DestroyOptions extends AccountOptions {
  readonly stack: string;
  readonly yes?: boolean;
}

export async function destroyStack({ stack: name, yes, ...account }: DestroyOptions): Promise<ExitCode> {
  expectTerminal(yes);
  const clients = await clientsFor(account);
  const stack = expectToBeThere(await findStack(clients.cloudFormation, name), name, clients.region);
  const { Bucket: bucket } = readOutputs(stack);
  console.log(
    `This removes the functions, queues, alarms and URLs of ${name} in ${clients.region}, and its tables unless it was deployed with --keep-tables.`,
  );
  if (bucket !== undefined) {
    console.log(`The bucket ${bucket} stays, with all packages and indexes. Its indexes will no longer be updated.`);
  }
  if (!(await confirm(`Destroy ${name}?`, yes))) {
    console.log('Nothing was changed.');
    return exitCodes.done;
  }
  await leaveBucket(clients, stack, name);
  await deleteStack(clients, stack, name);
  if (bucket !== undefined) {
    console.log(
      `\nKept: the bucket ${bucket}. To index it again: ${ownCommand(`deploy --bucket ${bucket} --existing`)}`,
    );
  }
  return exitCodes.done;
}

/** This comes first: S3 tests every destination when one changes, so a rule must not name a queue that is gone. */
async function leaveBucket({ s3 }: Clients, stack: Stack, name: string): Promise<void> {
  const outputs = readOutputs(stack);
  const { Bucket: bucket, QueueArn: queueArn, BucketPolicyStatement: statement, NotFoundKey: notFoundKey } = outputs;
  // A stack whose creation failed has added no rules.
  if (bucket === undefined) return;
  const rules = await removeOurRules(s3, bucket, { stack: name, queueArn });
  if (rules > 0) console.log(`${bucket}: removed ${count(rules, 'notification rule')}`);
  if (statement !== undefined && (await removeStatement(s3, bucket, parseStatement(statement).Sid))) {
    console.log(`${bucket}: removed the statement for CloudFront from its policy`);
  }
  if (notFoundKey !== undefined) await removeNotFoundPage(s3, bucket, notFoundKey);
}

async function deleteStack({ cloudFormation }: Clients, stack: Stack, name: string): Promise<void> {
  const before = await lookBefore(cloudFormation, stack.StackId ?? name);
  await cloudFormation.send(new DeleteStackCommand({ StackName: name }));
  const { isDone, status, failures, kept } = await follow({ cloudFormation, clock: new SystemClock() }, before);
  if (!isDone) {
    const reasons = [
      `the stack ${name} could not be deleted (${status}). Fix this, and destroy it again:`,
      ...failures,
    ];
    throw new CannotRun(reasons.join('\n  '));
  }
  for (const resource of kept) console.log(`Kept: ${resource}`);
}
