/** Clients of the SDK, as the stores that speak AWS's protocols need them. Region, credentials and endpoints: the SDK's own variables. */

import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { withholdingCredentials } from './withheld-credentials.ts';

export interface S3Settings {
  /** Not AWS but a store like it (Ceph, MinIO, an emulator): buckets are named in the path, and checksums only where S3 demands them. */
  readonly isCompatibleStore: boolean;
}

export function createS3Client({ isCompatibleStore }: S3Settings, config: S3ClientConfig = {}): S3Client {
  if (!isCompatibleStore) return withholdingCredentials(new S3Client(config));
  return withholdingCredentials(
    new S3Client({
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...config,
    }),
  );
}
