/** The code of the functions, in a bucket for CloudFormation: a zip for each function, named after the hash of its content. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { type Zippable, zipSync } from 'fflate';
import { statusOf } from '../../functions/adapters/aws/s3-objects.ts';
import { CannotRun } from '../../functions/failures.ts';

/**
 * For all stacks of an account and region; the first deployment creates it. The CDK and CloudFormation replace the placeholders;
 * `bucketNameFor` does for the SDK.
 */
// biome-ignore lint/suspicious/noTemplateCurlyInString: placeholders of CloudFormation
export const defaultCodeBucket = 'pkgsrc-indexer-code-${AWS::AccountId}-${AWS::Region}';

export interface CodePlace {
  readonly bucket: string;
  readonly account: string;
  readonly region: string;
}

export function bucketNameFor(name: string, { account, region }: Omit<CodePlace, 'bucket'>): string {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: placeholders of CloudFormation
  return name.replace('${AWS::AccountId}', account).replace('${AWS::Region}', region);
}

export interface CodeAsset {
  /** What to upload; a directory becomes a zip. */
  readonly path: string;
  readonly packaging: 'zip' | 'file';
  readonly objectKey: string;
}

/** The assets that the CDK wrote beside the template: the code of the functions, and the template itself. */
export async function readAssets(directory: string, stack: string): Promise<readonly CodeAsset[]> {
  const manifest: {
    readonly files: Record<
      string,
      {
        readonly source: { readonly path: string; readonly packaging: 'zip' | 'file' };
        readonly destinations: Record<string, { readonly objectKey: string }>;
      }
    >;
  } = JSON.parse(await readFile(join(directory, `${stack}.assets.json`), 'utf8'));
  return Object.values(manifest.files).flatMap(({ source, destinations }) =>
    Object.values(destinations).map(({ objectKey }) => ({
      path: join(directory, source.path),
      packaging: source.packaging,
      objectKey,
    })),
  );
}

/**
 * Creates the bucket if it is missing. By default, S3 blocks public access to a new bucket, and encrypts its objects.
 * @throws {CannotRun} if the bucket belongs to another account, whose code would then run as our functions
 */
export async function makeCodeBucket(s3: S3Client, { bucket, account, region }: CodePlace): Promise<'made' | 'there'> {
  try {
    await s3.send(new HeadBucketCommand({ Bucket: bucket, ExpectedBucketOwner: account }));
    return 'there';
  } catch (error) {
    const status = statusOf(error);
    if (status === 403) {
      throw new CannotRun(
        `the bucket ${bucket} for the code of the functions belongs to another account, or access is denied: use one of yours with --asset-bucket.`,
      );
    }
    if (status === 301)
      throw new CannotRun(
        `the bucket ${bucket} for the code of the functions is not in ${region}: use one that is with --asset-bucket.`,
      );
    if (status !== 404) throw error;
  }
  // S3 refuses us-east-1 as a location.
  const place =
    region === 'us-east-1'
      ? {}
      : { CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint } };
  await s3.send(new CreateBucketCommand({ Bucket: bucket, ...place }));
  return 'made';
}

/** Uploads the asset unless it is there: its key is a hash of its content. @returns whether it was uploaded */
export async function putCode(s3: S3Client, { bucket, account }: CodePlace, asset: CodeAsset): Promise<boolean> {
  const place = { Bucket: bucket, Key: asset.objectKey, ExpectedBucketOwner: account };
  try {
    await s3.send(new HeadObjectCommand(place));
    return false;
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
  const body = asset.packaging === 'zip' ? await zipDirectory(asset.path) : await readFile(asset.path);
  await s3.send(new PutObjectCommand({ ...place, Body: body }));
  return true;
}

/** Equal directories give equal bytes: one time for all files, in the order of their names. */
export async function zipDirectory(directory: string): Promise<Uint8Array> {
  const files: Zippable = {};
  for (const name of (await readdir(directory)).toSorted()) {
    // Unix permissions: without them, Lambda's user could not read the files.
    files[name] = [await readFile(join(directory, name)), { os: 3, attrs: 0o644 << 16 }];
  }
  return zipSync(files, { mtime: new Date(1980, 0, 1), level: 9 });
}
