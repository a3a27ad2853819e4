/**
 * Every call that each step makes, and on what: its role allows exactly these. test/infra/permissions.test.ts lists them;
 * test/pipeline.integration.ts compares the roles with the calls of a whole run.
 */

import { Aws } from 'aws-cdk-lib';
import { type IndexFormatName, indexFormats } from '../functions/index/index-formats.ts';
import { indexFiles, operatorDirectory, packageSuffixes } from '../functions/keys.ts';
import { pageFile } from '../functions/page/page.ts';
import type { Permission } from './step.ts';

/** The ARNs of what the steps use, and what narrows the keys of the bucket. */
export interface PermissionPlaces {
  readonly bucketArn: string;
  readonly prefixes: readonly string[];
  readonly plusAliases: boolean;
  readonly formats: readonly IndexFormatName[];
  readonly page: boolean;
  /** The key that encrypts the bucket, if it is one of the owner's. */
  readonly kmsKey: string | undefined;
  readonly hintsArn: string;
  readonly deadChangesArn: string;
  readonly recordsArn: string;
  readonly changesArn: string;
  readonly repositoriesArn: string;
  readonly reindexArn: string;
  /** The topic for publications, if there is one. */
  readonly topicArn: string | undefined;
}

export function extractPermissions(places: PermissionPlaces): readonly Permission[] {
  const { recordsArn, repositoriesArn, hintsArn, plusAliases } = places;
  return [
    {
      name: 'TakeHints',
      actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
      resources: [hintsArn],
    },
    inBucket({
      name: 'ReadPackages',
      actions: ['s3:GetObject'],
      resources: packageArns(places, '*'),
      wildcard: 'Any package may be the one that changed: every key with a suffix of packages, under the prefixes.',
    }),
    listPackages(places),
    // An alias has a blank where its package has a +. So no step can write or delete a package without a blank in its key.
    ...(plusAliases ? [inBucket(aliases(places, 'KeepAliases', ['s3:PutObject', 's3:DeleteObject']))] : []),
    ...useKey(places, plusAliases ? ['kms:Decrypt', 'kms:GenerateDataKey'] : ['kms:Decrypt']),
    {
      // UpdateItem: the reserved row that requests a summary, if a first publication waits for a package that is gone.
      name: 'KeepRows',
      actions: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem', 'dynamodb:UpdateItem'],
      resources: [recordsArn],
    },
    // UpdateItem: the entry of a repository, before its first row. GetItem: whether it is adopted.
    { name: 'EnterRepositories', actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'], resources: [repositoriesArn] },
  ];
}

export function summarizePermissions(places: PermissionPlaces): readonly Permission[] {
  const wanted = indexFormats.filter(({ name }) => places.formats.includes(name)).map(({ file }) => file);
  const unwanted = indexFiles.filter((file) => !wanted.includes(file));
  const wildcard = 'Any directory under the prefixes may be a repository; only the names of indexes, and of the page.';
  // Not once for each prefix, and not in a statement of their own: the policy would be too large.
  const confirmations = `${places.bucketArn}/*${operatorDirectory}/*`;
  return [
    {
      // The four actions of the example in the DynamoDB guide. Lambda's pollers use them in the function's name.
      name: 'TakeChanges',
      actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'],
      resources: [places.changesArn],
    },
    { name: 'GiveUpChanges', actions: ['sqs:SendMessage'], resources: [places.deadChangesArn] },
    // A publication that failed is requested again.
    { name: 'Retry', actions: ['sqs:SendMessage'], resources: [places.hintsArn] },
    // UpdateItem: the reserved row that requests a summary of all rows, if an index cannot be updated in part.
    {
      name: 'Rows',
      actions: ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
      resources: [places.recordsArn],
    },
    { name: 'Runs', actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'], resources: [places.repositoriesArn] },
    // A put with If-Match needs GetObject, too. All names, each for a prefix's own repository and for those below it, would make the
    // policy too large: hence any name that ends so.
    inBucket({
      name: 'ReadIndexes',
      actions: ['s3:GetObject'],
      resources: [...endingArns(places, 'pkg_summary*'), confirmations],
      wildcard,
    }),
    inBucket({ name: 'PutIndexes', actions: ['s3:PutObject'], resources: indexArns(places, wanted), wildcard }),
    // A confirmation is removed once it is used.
    inBucket({
      name: 'DeleteIndexes',
      actions: ['s3:DeleteObject'],
      resources: [...indexArns(places, unwanted), confirmations],
      wildcard,
    }),
    ...(places.page
      ? [
          inBucket({
            name: 'KeepPages',
            actions: ['s3:GetObject', 's3:PutObject'],
            resources: endingArns(places, pageFile),
            wildcard,
          }),
        ]
      : []),
    listPackages(places),
    ...(places.topicArn === undefined
      ? []
      : [{ name: 'NotifyOfPublications', actions: ['sns:Publish'], resources: [places.topicArn] }]),
    ...useKey(places, ['kms:Decrypt', 'kms:GenerateDataKey']),
  ];
}

export function reindexPermissions(places: PermissionPlaces): readonly Permission[] {
  return [
    listPackages(places),
    // Only its metadata tells an alias from a package. An earlier deployment may have left aliases behind.
    inBucket(aliases(places, 'FindAliases', ['s3:GetObject'])),
    // UpdateItem: the reserved row that requests a summary.
    { name: 'CompareRows', actions: ['dynamodb:Query', 'dynamodb:UpdateItem'], resources: [places.recordsArn] },
    { name: 'ListRepositories', actions: ['dynamodb:Scan'], resources: [places.repositoriesArn] },
    { name: 'SendHints', actions: ['sqs:SendMessage'], resources: [places.hintsArn] },
    { name: 'ContinueItself', actions: ['lambda:InvokeFunction'], resources: [places.reindexArn] },
  ];
}

/** The ARN of a bucket has no account. Should the bucket be deleted, its name may go to another account: never write there. */
function inBucket(permission: Permission): Permission {
  return { ...permission, conditions: { StringEquals: { 'aws:ResourceAccount': Aws.ACCOUNT_ID } } };
}

/**
 * For LIST; and without it S3 answers 403 instead of 404 for a missing key (S3 API, HeadObject), as if every deleted package were
 * forbidden. No condition on the prefix: a HEAD has none.
 */
function listPackages({ bucketArn }: PermissionPlaces): Permission {
  return inBucket({ name: 'ListKeys', actions: ['s3:ListBucket'], resources: [bucketArn] });
}

function aliases(places: PermissionPlaces, name: string, actions: readonly string[]): Permission {
  return {
    name,
    actions,
    resources: packageArns(places, '* *'),
    wildcard: 'Any package may have a + in its name; only keys with a blank and a suffix of packages.',
  };
}

/** S3 uses the key on behalf of the principal that reads or writes the object. */
function useKey({ kmsKey }: PermissionPlaces, actions: readonly string[]): readonly Permission[] {
  if (kmsKey === undefined) return [];
  const conditions = { StringEquals: { 'kms:ViaService': `s3.${Aws.REGION}.${Aws.URL_SUFFIX}` } };
  return [{ name: 'UseKey', actions, resources: [kmsKey], conditions }];
}

/** Keys that end in a package's suffix, under the prefixes; `name` is what stands before the suffix. */
function packageArns({ bucketArn, prefixes }: PermissionPlaces, name: string): readonly string[] {
  return starts(bucketArn, prefixes).flatMap((start) => packageSuffixes.map((suffix) => `${start}/${name}${suffix}`));
}

/** These files in the repository of each prefix, and in every repository below. */
function indexArns({ bucketArn, prefixes }: PermissionPlaces, files: readonly string[]): readonly string[] {
  return starts(bucketArn, prefixes).flatMap((start) =>
    files.flatMap((file) => [`${start}/${file}`, `${start}/*/${file}`]),
  );
}

/** Keys under the prefixes with that end. */
function endingArns({ bucketArn, prefixes }: PermissionPlaces, end: string): readonly string[] {
  return starts(bucketArn, prefixes).map((start) => `${start}/*${end}`);
}

function starts(bucketArn: string, prefixes: readonly string[]): readonly string[] {
  return prefixes.length === 0 ? [bucketArn] : prefixes.map((prefix) => `${bucketArn}/${prefix}`);
}
