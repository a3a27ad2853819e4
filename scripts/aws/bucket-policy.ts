/** Our statement in the policy of an existing bucket. */

import {
  DeleteBucketPolicyCommand,
  GetBucketPolicyCommand,
  PutBucketPolicyCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { CannotRun } from '../../functions/failures.ts';

/** The part of a statement that this reads. All other parts stay as they are. */
export interface Statement {
  readonly Sid?: string;
}

interface Policy {
  readonly Statement?: Statement | readonly Statement[];
}

/**
 * Adds the statement to the policy (undefined: none), or replaces the one with its Sid. All other statements stay as they are.
 * @returns undefined where the policy has the statement already
 */
export function withStatement(policy: string | undefined, statement: Statement): string | undefined {
  const parsed: Policy = policy === undefined ? ({ Version: '2012-10-17' } as Policy) : JSON.parse(policy);
  const statements = statementsOf(parsed);
  if (statements.some((one) => isSame(one, statement))) return undefined;
  const others = statements.filter(({ Sid: sid }) => sid !== statement.Sid);
  return JSON.stringify({ ...parsed, Statement: [...others, statement] });
}

/** Removes the statement with that Sid. `unchanged`: there was none; `empty`: no other statement is left. */
export function withoutStatement(
  policy: string | undefined,
  sid: string,
): { readonly policy: string } | 'unchanged' | 'empty' {
  if (policy === undefined) return 'unchanged';
  const parsed: Policy = JSON.parse(policy);
  const statements = statementsOf(parsed);
  const others = statements.filter((one) => one.Sid !== sid);
  if (others.length === statements.length) return 'unchanged';
  return others.length === 0 ? 'empty' : { policy: JSON.stringify({ ...parsed, Statement: others }) };
}

/** IAM also accepts a single statement that is not in a list. */
function statementsOf({ Statement: statement = [] }: Policy): readonly Statement[] {
  return Array.isArray(statement) ? statement : [statement as Statement];
}

/** The order of the properties does not matter. */
function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, inner]) => [name, sorted(inner)]);
}

/** @param json an output of the stack */
export function parseStatement(json: string): Statement & { readonly Sid: string } {
  const statement: Statement = JSON.parse(json);
  if (statement.Sid === undefined) throw new CannotRun(`expected a statement with a Sid, found ${json}: deploy again.`);
  return { ...statement, Sid: statement.Sid };
}

/** @returns whether the policy had to be changed */
export async function addStatement(s3: S3Client, bucket: string, statement: Statement): Promise<boolean> {
  const policy = withStatement(await readPolicy(s3, bucket), statement);
  if (policy === undefined) return false;
  await s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: policy }));
  return true;
}

/** @returns whether there was one; false for a bucket that is gone */
export async function removeStatement(s3: S3Client, bucket: string, sid: string): Promise<boolean> {
  const without = withoutStatement(await readPolicy(s3, bucket), sid);
  if (without === 'unchanged') return false;
  await (without === 'empty'
    ? s3.send(new DeleteBucketPolicyCommand({ Bucket: bucket }))
    : s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: without.policy })));
  return true;
}

async function readPolicy(s3: S3Client, bucket: string): Promise<string | undefined> {
  try {
    return (await s3.send(new GetBucketPolicyCommand({ Bucket: bucket }))).Policy;
  } catch (error) {
    const isNone = error instanceof S3ServiceException && ['NoSuchBucketPolicy', 'NoSuchBucket'].includes(error.name);
    if (isNone) return undefined;
    throw error;
  }
}
