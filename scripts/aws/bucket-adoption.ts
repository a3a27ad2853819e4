/** What a deployment does with its bucket: checks it first, and adds what a template cannot. */

import { ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import {
  DeleteObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { statusOf } from '../../functions/adapters/aws/s3-objects.ts';
import { CannotRun } from '../../functions/failures.ts';
import type { Clock, ObjectKey } from '../../functions/ports.ts';
import { notFoundText } from '../../infra/not-found-page.ts';
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
  /** The outputs of the existing stack; undefined: it will be created. */
  readonly old: (Partial<Outputs> & { readonly name: string }) | undefined;
}

/** @throws {CannotRun} for problems that would otherwise stop the deployment half-way. */
export async function checkBucket({ options, clients, account, old }: Adoption): Promise<void> {
  const { stack, bucket, prefixes } = options;
  const name = bucket.name ?? `${stack}-${account}-${clients.region}`;
  if (old?.Bucket !== undefined && old.Bucket !== name) {
    throw new CannotRun(
      `the stack ${stack} has the bucket ${old.Bucket}: use --bucket ${old.Bucket}, or another --stack for ${name}.`,
    );
  }
  const found = await findBucket(clients, name);
  if (bucket.kind === 'existing') {
    if (found === 'absent') throw new CannotRun(`there is no bucket called ${name}: omit --existing to create it.`);
    if (found === 'forbidden')
      throw new CannotRun(`access to the bucket ${name} is denied (s3:ListBucket), or it belongs to another account.`);
    // A conflicting rule is the most common problem.
    const owner: RuleOwner = { stack, queueArn: old?.QueueArn };
    expectMerge(name, mergeRules(await readNotifications(clients.s3, name), owner, ourRules(owner, prefixes)));
    return;
  }
  if (found === 'absent' || (await ownsBucket(clients, old))) return;
  throw new CannotRun(
    found === 'forbidden'
      ? `another account has a bucket called ${name}: choose another --bucket.`
      : `the bucket ${name} exists: add --existing to keep its packages and indexes. (If a failed deployment left it behind, and it is empty, delete it.)`,
  );
}

/** A queue accepts notifications only from buckets of its own region (S3 user guide). */
async function findBucket({ s3, region }: Clients, bucket: string): Promise<'there' | 'absent' | 'forbidden'> {
  try {
    const { BucketRegion: found = region } = await s3.send(new HeadBucketCommand({ Bucket: bucket }));
    if (found !== region && endpointOf('S3') === undefined) throw otherRegion(bucket, found);
    return 'there';
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error;
    const status = error.$metadata.httpStatusCode;
    if (status === 301) throw otherRegion(bucket, error.$response?.headers['x-amz-bucket-region'] ?? 'another region');
    if (status === 404) return 'absent';
    if (status === 403) return 'forbidden';
    throw error;
  }
}

function otherRegion(bucket: string, region: string): CannotRun {
  return new CannotRun(`the bucket ${bucket} is in ${region}, and so must be its queue: use --region ${region}.`);
}

async function ownsBucket({ cloudFormation }: Clients, old: Adoption['old']): Promise<boolean> {
  if (old === undefined) return false;
  // Our stacks have at most 40 resources, and a page has 100.
  const { StackResourceSummaries: resources = [] } = await cloudFormation.send(
    new ListStackResourcesCommand({ StackName: old.name }),
  );
  return resources.some(({ ResourceType: type }) => type === 'AWS::S3::Bucket');
}

/**
 * Adds to the bucket what the template cannot: the rules and the statement of an existing bucket, and CloudFront's answer for missing
 * keys. Removes the answer where there is no CloudFront any more.
 * @returns whether anything had to be changed, apart from that answer.
 */
export async function connectBucket(
  { options, clients, old }: Adoption,
  outputs: Outputs,
  clock: Clock,
): Promise<boolean> {
  const { bucket, stack, prefixes } = options;
  const { s3 } = clients;
  const { NotFoundKey: notFoundKey } = outputs;
  if (old?.NotFoundKey !== undefined && old.NotFoundKey !== notFoundKey)
    await removeNotFoundPage(s3, outputs.Bucket, old.NotFoundKey);
  if (notFoundKey !== undefined) await putNotFoundPage(s3, outputs.Bucket, notFoundKey);
  if (bucket.kind === 'new') return false;
  const owner: RuleOwner = { stack, queueArn: outputs.QueueArn };
  const rules = await writeOurRules({ s3, clock }, outputs.Bucket, owner, ourRules(owner, prefixes));
  if (rules === 'written') console.log(`${outputs.Bucket}: added our notification rules`);
  const isPolicyChanged = await connectPolicy(clients, old?.BucketPolicyStatement, outputs);
  return rules === 'written' || isPolicyChanged;
}

async function connectPolicy({ s3 }: Clients, old: string | undefined, outputs: Outputs): Promise<boolean> {
  const { Bucket: bucket, BucketPolicyStatement: statement } = outputs;
  if (statement !== undefined) {
    const isAdded = await addStatement(s3, bucket, parseStatement(statement));
    if (isAdded) console.log(`${bucket}: added a statement for CloudFront to its policy`);
    return isAdded;
  }
  if (old === undefined) return false;
  const isRemoved = await removeStatement(s3, bucket, parseStatement(old).Sid);
  if (isRemoved) console.log(`${bucket}: removed the statement for CloudFront from its policy`);
  return isRemoved;
}

async function putNotFoundPage(s3: S3Client, bucket: string, key: ObjectKey): Promise<void> {
  const object = { Bucket: bucket, Key: key };
  try {
    const { ContentLength: bytes } = await s3.send(new HeadObjectCommand(object));
    if (bytes === Buffer.byteLength(notFoundText)) return;
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
  const headers = { ContentType: 'text/plain; charset=utf-8', CacheControl: 'no-cache' };
  await s3.send(new PutObjectCommand({ ...object, ...headers, Body: notFoundText }));
}

/** A bucket that is gone has none. */
export async function removeNotFoundPage(s3: S3Client, bucket: string, key: ObjectKey): Promise<void> {
  try {
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
}
