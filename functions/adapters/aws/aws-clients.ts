/**
 * Clients of the SDK that give up in time and keep credentials out of their errors. Every client is made here.
 *
 * The SDK reads region, credentials and endpoints from its own environment variables. It repeats a request that timed out: three
 * attempts in all.
 */

import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { type AwsClient, withholdingCredentials } from './withheld-credentials.ts';

/** One attempt of one request. Without limits, a service that accepts a request and never answers would block it forever. */
export const clientLimits = {
  /** TCP and TLS, within one region: a few milliseconds. */
  connectionMillisecondsMax: 3_000,
  /** Until the answer begins, and between two parts of it. The slowest (1 MB of rows, a put of a large index) take a second. */
  requestMillisecondsMax: 15_000,
} as const;

/** @param make the client's class. A configuration without `requestHandler` gets our limits. */
export function createClient<Config extends object, Client extends AwsClient>(
  make: new (config: Config) => Client,
  config: NoInfer<Config>,
  requestMillisecondsMax: number = clientLimits.requestMillisecondsMax,
): Client {
  const requestHandler = {
    connectionTimeout: clientLimits.connectionMillisecondsMax,
    requestTimeout: requestMillisecondsMax,
    // Without it the SDK logs a warning, and waits on.
    throwOnRequestTimeout: true,
    socketTimeout: requestMillisecondsMax,
  };
  return withholdingCredentials(new make({ requestHandler, ...config }));
}

export interface S3Settings {
  /** A store like S3 (Ceph, MinIO, an emulator): buckets are named in the path, and checksums are sent only where S3 demands them. */
  readonly isCompatibleStore: boolean;
}

export function createS3Client(
  { isCompatibleStore }: S3Settings,
  config: S3ClientConfig = {},
  requestMillisecondsMax?: number,
): S3Client {
  const compatible: S3ClientConfig = {
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  };
  return createClient(S3Client, { ...(isCompatibleStore ? compatible : {}), ...config }, requestMillisecondsMax);
}
