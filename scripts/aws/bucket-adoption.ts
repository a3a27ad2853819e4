/** A bucket and a stack: whether they can come together, and what no template can say of a bucket that was there before. */

import { ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { HeadBucketCommand, S3ServiceException } from '@aws-sdk/client-s3';
import { CannotRun } from '../../functions/failures.ts';
import type { Clock } from '../../functions/ports.ts';
import type { IndexerOptions } from '../../infra/options.ts';
import { expectMerge, readNotifications, writeOurRules } from './bucket-notifications.ts';
import { addStatement, parseStatement, removeStatement } from './bucket-policy.ts';
import { type Clients, endpointOf } from './clients.ts';
import type { Outputs } from './deployed-stack.ts';
import { mergeRules, ourRules, type RuleOwner } from './notification-rules.ts';

export interface Adoption {
  readonly options: IndexerOptions;
  readonly clients: Clients;
  readonly account: string;
  /** The outputs of the stack as it was found; undefined: it is to be made. */
  readonly old: (Partial<Outputs> & { readonly name: string }) | undefined;
}

/** @throws {CannotRun} for whatever would otherwise fail half-way. */
export async function checkBucket({ options, clients, account, old }: Adoption): Promise<void> {
  const { stack, bucket, prefixes } = options;
  const name = bucket.name ?? `${stack}-${account}-${clients.region}`;
  if (old?.Bucket !== undefined && old.Bucket !== name) {
    throw new CannotRun(
      `the stack ${stack} keeps the bucket ${old.Bucket}: give --bucket ${old.Bucket}, or another --stack for ${name}.`,
    );
  }
  const found = await lookForBucket(clients, name);
  if (bucket.kind === 'existing') {
    if (found === 'absent')
      throw new CannotRun(`there is no bucket called ${name}: leave --existing out, and it is made.`);
    if (found === 'forbidden')
      throw new CannotRun(`the bucket ${name} may not be looked at (s3:ListBucket), or is another account's.`);
    // Before anything is made: a rule in the way is the commonest reason to stop.
    const owner: RuleOwner = { stack, queueArn: old?.QueueArn };
    expectMerge(name, mergeRules(await readNotifications(clients.s3, name), owner, ourRules(owner, prefixes)));
    return;
  }
  if (found === 'absent' || (await ownsBucket(clients, old))) return;
  throw new CannotRun(
    found === 'forbidden'
      ? `the bucket name ${name} is taken by another account: choose another --bucket.`
      : `the bucket ${name} is there already: add --existing, and its packages and index stay as they are. (If a deployment that failed left it behind, empty: remove it.)`,
  );
}

/** A queue takes notifications only from buckets of its own region (S3 user guide). */
async function lookForBucket({ s3, region }: Clients, bucket: string): Promise<'there' | 'absent' | 'forbidden'> {
  try {
    const { BucketRegion: found = region } = await s3.send(new HeadBucketCommand({ Bucket: bucket }));
    if (found !== region && endpointOf('S3') === undefined) throw elsewhere(bucket, found);
    return 'there';
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error;
    const status = error.$metadata.httpStatusCode;
    if (status === 301) throw elsewhere(bucket, error.$response?.headers['x-amz-bucket-region'] ?? 'another region');
    if (status === 404) return 'absent';
    if (status === 403) return 'forbidden';
    throw error;
  }
}

function elsewhere(bucket: string, region: string): CannotRun {
  return new CannotRun(
    `the bucket ${bucket} is in ${region}, and its events go no further: deploy there, --region ${region}.`,
  );
}

async function ownsBucket({ cloudFormation }: Clients, old: Adoption['old']): Promise<boolean> {
  if (old === undefined) return false;
  // A stack of ours has 40 resources at most, and a page has 100.
  const { StackResourceSummaries: resources = [] } = await cloudFormation.send(
    new ListStackResourcesCommand({ StackName: old.name }),
  );
  return resources.some(({ ResourceType: type }) => type === 'AWS::S3::Bucket');
}

/**
 * The rules and the statement of an existing bucket; a new one has them from the template.
 * @returns whether anything had to be changed.
 */
export async function connectBucket(
  { options, clients, old }: Adoption,
  outputs: Outputs,
  clock: Clock,
): Promise<boolean> {
  const { bucket, stack, prefixes } = options;
  const { s3 } = clients;
  if (bucket.kind === 'new') return false;
  const owner: RuleOwner = { stack, queueArn: outputs.QueueArn };
  const rules = await writeOurRules({ s3, clock }, outputs.Bucket, owner, ourRules(owner, prefixes));
  if (rules === 'written') console.log(`${outputs.Bucket}: wrote our notification rules beside those that were there`);
  const isPolicyChanged = await connectPolicy(clients, old?.BucketPolicyStatement, outputs);
  return rules === 'written' || isPolicyChanged;
}

async function connectPolicy({ s3 }: Clients, old: string | undefined, outputs: Outputs): Promise<boolean> {
  const { Bucket: bucket, BucketPolicyStatement: statement } = outputs;
  if (statement !== undefined) {
    const isAdded = await addStatement(s3, bucket, parseStatement(statement));
    if (isAdded) console.log(`${bucket}: added to its policy that CloudFront may read`);
    return isAdded;
  }
  if (old === undefined) return false;
  const isRemoved = await removeStatement(s3, bucket, parseStatement(old).Sid);
  if (isRemoved) console.log(`${bucket}: removed from its policy that CloudFront may read`);
  return isRemoved;
}
