/** Where below the prefixes of a deployment the repositories are, for its last words. */

import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { isIndexKey, isPackageKey } from '../../functions/keys.ts';

const unknownDirectory = 'DIRECTORY-OF-YOUR-PACKAGES';

/** A prefix is a repository, or has repositories below it. One request for each prefix, not a listing of the bucket. */
export async function repositoryPaths(
  s3: S3Client,
  bucket: string,
  prefixes: readonly string[],
): Promise<readonly string[]> {
  if (prefixes.length === 0) return [unknownDirectory];
  return Promise.all(
    prefixes.map(async (prefix) =>
      (await isRepository(s3, bucket, prefix)) ? prefix : `${prefix}/${unknownDirectory}`,
    ),
  );
}

async function isRepository(s3: S3Client, bucket: string, prefix: string): Promise<boolean> {
  // pkgsrc's own name for a directory of packages, which may still be empty.
  if (/(^|\/)All$/.test(prefix)) return true;
  const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}/`, Delimiter: '/' });
  const { Contents: objects = [] } = await s3.send(command);
  return objects.some(({ Key: key = '' }) => isPackageKey(key) || isIndexKey(key));
}
