/** The functions' code in the bucket from which CloudFormation takes it: one zip a function, named after what is in it. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { type Zippable, zipSync } from 'fflate';
import { CannotRun } from '../../functions/failures.ts';

/**
 * For all stacks of an account and region, and made by the first deployment. CDK and CloudFormation replace the placeholders;
 * `bucketNameFor` does where the SDK is asked.
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
  /** What is put: a directory becomes a zip. */
  readonly path: string;
  readonly packaging: 'zip' | 'file';
  readonly objectKey: string;
}

/** What CDK wrote beside the template: the functions' code, and the template itself. */
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
 * Makes the bucket where it is missing. S3 closes a new bucket to the public and encrypts what is in it.
 * @throws {CannotRun} where the name belongs to another account: what lies there would run as our functions.
 */
export async function makeCodeBucket(s3: S3Client, { bucket, account, region }: CodePlace): Promise<'made' | 'there'> {
  try {
    await s3.send(new HeadBucketCommand({ Bucket: bucket, ExpectedBucketOwner: account }));
    return 'there';
  } catch (error) {
    const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
    if (status === 403) {
      throw new CannotRun(
        `the bucket ${bucket} for the functions' code belongs to another account, or may not be looked at: give one of yours with --asset-bucket.`,
      );
    }
    if (status === 301)
      throw new CannotRun(
        `the bucket ${bucket} for the functions' code is not in ${region}: give one that is with --asset-bucket.`,
      );
    if (status !== 404) throw error;
  }
  // us-east-1 is the one region that must not be named.
  const place =
    region === 'us-east-1'
      ? {}
      : { CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint } };
  await s3.send(new CreateBucketCommand({ Bucket: bucket, ...place }));
  return 'made';
}

/** Puts what is not there yet: the key is a hash of the content. @returns whether it had to be. */
export async function putCode(s3: S3Client, { bucket, account }: CodePlace, asset: CodeAsset): Promise<boolean> {
  const place = { Bucket: bucket, Key: asset.objectKey, ExpectedBucketOwner: account };
  try {
    await s3.send(new HeadObjectCommand(place));
    return false;
  } catch (error) {
    if (!(error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404)) throw error;
  }
  const body = asset.packaging === 'zip' ? await zipDirectory(asset.path) : await readFile(asset.path);
  await s3.send(new PutObjectCommand({ ...place, Body: body }));
  return true;
}

/** The same bytes whenever it is asked for: no times but one, the files by name. */
export async function zipDirectory(directory: string): Promise<Uint8Array> {
  const files: Zippable = {};
  for (const name of (await readdir(directory)).toSorted()) {
    // Unix, readable by everyone: without that Lambda unpacks files that its own user cannot read.
    files[name] = [await readFile(join(directory, name)), { os: 3, attrs: 0o644 << 16 }];
  }
  return zipSync(files, { mtime: new Date(1980, 0, 1), level: 9 });
}
