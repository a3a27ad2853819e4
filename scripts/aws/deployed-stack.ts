/** An existing stack: its outputs, and the environment of its functions. */

import {
  type CloudFormationClient,
  CloudFormationServiceException,
  DescribeStacksCommand,
  type Stack,
} from '@aws-sdk/client-cloudformation';
import { GetFunctionConfigurationCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { CannotRun } from '../../functions/failures.ts';
import type { Clients } from './clients.ts';

/** The outputs of every stack (infra/). */
const outputNames = [
  'Bucket',
  'RecordsTable',
  'RepositoriesTable',
  'ReindexFunction',
  'QueueUrl',
  'QueueArn',
  'DeadHintsUrl',
  'DeadChangesUrl',
  'RepositoryUrl',
] as const;

export type Outputs = Readonly<Record<(typeof outputNames)[number], string>> & {
  /** If the stack serves an existing bucket through CloudFront: a statement for that bucket's policy, in JSON. */
  readonly BucketPolicyStatement?: string;
  /** If the stack serves through CloudFront: the key of its answer for missing keys (infra/not-found-page.ts). */
  readonly NotFoundKey?: string;
  /** If the stack serves a bucket with a KMS key through CloudFront: a statement for that key's policy, in JSON. */
  readonly KeyPolicyStatement?: string;
  /** The topic for publications. */
  readonly PublicationsTopicArn?: string;
};

export interface DeployedStack {
  readonly name: string;
  readonly id: string;
  readonly outputs: Outputs;
}

/** Undefined if there is none, or only a change set that was never executed. */
export async function findStack(cloudFormation: CloudFormationClient, name: string): Promise<Stack | undefined> {
  try {
    const { Stacks: [stack] = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName: name }));
    const isThere = stack !== undefined && stack.StackStatus !== 'DELETE_COMPLETE';
    return isThere && stack.StackStatus !== 'REVIEW_IN_PROGRESS' ? stack : undefined;
  } catch (error) {
    if (isNoSuchStack(error)) return undefined;
    throw error;
  }
}

/** CloudFormation has no specific error for it. */
export function isNoSuchStack(error: unknown): boolean {
  return error instanceof CloudFormationServiceException && /does not exist/i.test(error.message);
}

/** @throws {CannotRun} if there is no such stack, or it is not one of ours */
export async function expectStack({ cloudFormation, region }: Clients, name: string): Promise<DeployedStack> {
  const stack = expectToBeThere(await findStack(cloudFormation, name), name, region);
  return { name, id: stack.StackId ?? name, outputs: outputsOf(stack) };
}

/** @throws {CannotRun} if the stack is undefined */
export function expectToBeThere(stack: Stack | undefined, name: string, region: string): Stack {
  if (stack !== undefined) return stack;
  throw new CannotRun(
    `there is no stack called ${name} in ${region}. check --stack, --region and --profile, or create one with npm run deploy.`,
  );
}

/** @throws {CannotRun} naming the outputs that are missing */
function outputsOf(stack: Stack): Outputs {
  const found = readOutputs(stack);
  const missing = outputNames.filter((name) => found[name] === undefined);
  if (missing.length === 0) return found as unknown as Outputs;
  throw new CannotRun(
    `the stack ${stack.StackName} (${stack.StackStatus}) has no output ${missing.join(', ')}: ` +
      'it is not one of ours, or its deployment failed. Deploy it again.',
  );
}

/** The outputs that exist: a stack whose creation failed has none. */
export function readOutputs(stack: Stack): Partial<Outputs> {
  return Object.fromEntries((stack.Outputs ?? []).map(({ OutputKey: name, OutputValue: value }) => [name, value]));
}

/** The key prefixes that the stack watches, each with its trailing `/`; empty: the whole bucket. */
export async function watchedPrefixes(
  lambda: LambdaClient,
  { ReindexFunction: name }: Outputs,
): Promise<readonly string[]> {
  const { Environment: environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
  const prefixes: readonly string[] = JSON.parse(environment?.Variables?.PREFIXES || '[]');
  return prefixes.map((prefix) => `${prefix}/`);
}
