/**
 * The SDK's clients for a command. `--profile` and `--region` override what the SDK reads from its own environment variables and
 * profiles.
 */

import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { createClient, createS3Client } from '../../functions/adapters/aws/aws-clients.ts';
import { CannotRun } from '../../functions/failures.ts';
import type { AccountOptions } from './account-options.ts';

const clientLimits = {
  /** One attempt of a request to AWS: the code of the functions, 2 MB, over a slow line. */
  requestMillisecondsMax: 60_000,
  /** An invocation lasts at most 15 minutes; one more for the request itself. */
  invocationMillisecondsMax: 960_000,
} as const;

export interface Clients {
  readonly cloudFormation: CloudFormationClient;
  readonly dynamoDb: DynamoDBClient;
  readonly lambda: LambdaClient;
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly sts: STSClient;
  readonly region: string;
}

/** @throws {CannotRun} if there is no region */
export async function clientsFor({ profile, region }: AccountOptions): Promise<Clients> {
  const config = { ...(profile === undefined ? {} : { profile }), ...(region === undefined ? {} : { region }) };
  const { requestMillisecondsMax, invocationMillisecondsMax } = clientLimits;
  const sts = createClient(STSClient, config, requestMillisecondsMax);
  return {
    cloudFormation: createClient(CloudFormationClient, config, requestMillisecondsMax),
    dynamoDb: createClient(DynamoDBClient, config, requestMillisecondsMax),
    // A reindex answers when it is done; a second attempt would start another one.
    lambda: createClient(LambdaClient, { ...config, maxAttempts: 1 }, invocationMillisecondsMax),
    s3: createS3Client({ isCompatibleStore: endpointOf('S3') !== undefined }, config, requestMillisecondsMax),
    // A queue's URL names a host that only the emulator's own machine may know: the endpoint overrides it.
    sqs: createClient(
      SQSClient,
      { ...config, useQueueUrlAsEndpoint: endpointOf('SQS') === undefined },
      requestMillisecondsMax,
    ),
    sts,
    region: await regionOf(sts),
  };
}

/** The endpoint of an emulator or another store, if the environment names one. */
export function endpointOf(service: string): string | undefined {
  return process.env[`AWS_ENDPOINT_URL_${service}`] || process.env.AWS_ENDPOINT_URL || undefined;
}

/** The URL of the buckets in a region, without a trailing `/`. China has a domain of its own. */
export function s3Url(region: string): string {
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return endpointOf('S3')?.replace(/\/+$/, '') ?? `https://s3.${region}.${domain}`;
}

async function regionOf(sts: STSClient): Promise<string> {
  try {
    return await sts.config.region();
  } catch (error) {
    if (!(error instanceof Error && /region is missing/i.test(error.message))) throw error;
    throw new CannotRun('expected a region, found none: use --region (for example eu-central-1), or set AWS_REGION.');
  }
}

export interface Identity {
  readonly account: string;
  readonly arn: string;
}

/** The owner of the credentials. Throws the SDK's error if there are none, or they are wrong. */
export async function identify({ sts }: Clients): Promise<Identity> {
  const { Account: account, Arn: arn } = await sts.send(new GetCallerIdentityCommand());
  if (account === undefined || arn === undefined)
    throw new CannotRun('expected AWS to return the owner of the credentials, found none');
  return { account, arn };
}
