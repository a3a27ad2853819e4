/**
 * Every call that each step makes, and on what: its role allows these and no others. test/infra/permissions.test.ts holds the table;
 * test/pipeline.integration.ts holds the calls that are made against it, both ways.
 */

import { type IndexFormatName, indexFormats } from '../functions/index/index-formats.ts';
import { indexFiles, packageSuffixes } from '../functions/keys.ts';
import { pageFile } from '../functions/page/page.ts';
import type { Permission } from './step.ts';

/** What the calls are made on: ARNs, and what narrows the bucket's keys. */
export interface ConcurrencyLimit {
  readonly bucketArn: string;
  readonly prefixes: readonly string[];
  readonly plusAliases: boolean;
  readonly formats: readonly IndexFormatName[];
  readonly page: boolean;
  readonly hintsArn: string;
  readonly deadChangesArn: string;
  readonly recordsArn: string;
  readonly changesArn: string;
  readonly repositoriesArn: string;
  readonly reindexArn: string;
}

export function extractPermissions(places: ConcurrencyLimit): readonly Permission[] {
  const { bucketArn, recordsArn, repositoriesArn, hintsArn, plusAliases } = places;
  return [
    {
      name: 'TakeHints',
      actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
      resources: [hintsArn],
    },
    {
      name: 'ReadPackages',
      actions: ['s3:GetObject'],
      resources: packageArns(places, '*'),
      wildcard: 'Any package may be the one that changed: every key with a suffix of packages, under the prefixes.',
    },
    tellAbsentFromForbidden(bucketArn),
    ...(plusAliases
      ? [
          {
            // An alias has a blank where its package has a +: without one in its key, no package can be written or deleted by a step.
            name: 'KeepAliases',
            actions: ['s3:PutObject', 's3:DeleteObject'],
            resources: packageArns(places, '* *'),
            wildcard: 'Any package may have a + in its name; only keys with a blank and a suffix of packages.',
          },
        ]
      : []),
    {
      // UpdateItem: the reserved row that asks for a summary, where a first publication may wait for a package that is gone.
      name: 'KeepRows',
      actions: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem', 'dynamodb:UpdateItem'],
      resources: [recordsArn],
    },
    // A repository's first row is preceded by its entry. GetItem: whether it is whole.
    { name: 'EnterRepositories', actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'], resources: [repositoriesArn] },
  ];
}

export function summarizePermissions(places: ConcurrencyLimit): readonly Permission[] {
  const wanted = indexFormats.filter(({ name }) => places.formats.includes(name)).map(({ file }) => file);
  const unwanted = indexFiles.filter((file) => !wanted.includes(file));
  const wildcard =
    'Any directory under the prefixes may be a repository; only the names of an index, and of its page, in it.';
  return [
    {
      // The four of the DynamoDB guide's example for Lambda; its pollers use them in the function's name.
      name: 'TakeChanges',
      actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'],
      resources: [places.changesArn],
    },
    { name: 'GiveUpChanges', actions: ['sqs:SendMessage'], resources: [places.deadChangesArn] },
    // UpdateItem: the reserved row that asks for a summary of all rows, where the index is none to make changes in.
    {
      name: 'ReadRows',
      actions: ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
      resources: [places.recordsArn],
    },
    { name: 'CountRuns', actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'], resources: [places.repositoriesArn] },
    // A put with If-Match takes GetObject, too. Whatever the suffix, and whatever stands before the name: all names, each for a prefix's own
    // repository and for those below, would not fit into a policy of 10,240 characters.
    { name: 'LookAtIndexes', actions: ['s3:GetObject'], resources: endingArns(places, 'pkg_summary.*'), wildcard },
    { name: 'ReplaceIndexes', actions: ['s3:PutObject'], resources: indexArns(places, wanted), wildcard },
    { name: 'RemoveIndexes', actions: ['s3:DeleteObject'], resources: indexArns(places, unwanted), wildcard },
    ...(places.page
      ? [
          {
            name: 'KeepPages',
            actions: ['s3:GetObject', 's3:PutObject'],
            resources: endingArns(places, pageFile),
            wildcard,
          },
        ]
      : []),
    tellAbsentFromForbidden(places.bucketArn),
  ];
}

export function reindexPermissions(places: ConcurrencyLimit): readonly Permission[] {
  return [
    tellAbsentFromForbidden(places.bucketArn),
    {
      // Only its metadata tells an alias from a package. Aliases may be left over from a deployment that kept them.
      name: 'FindAliases',
      actions: ['s3:GetObject'],
      resources: packageArns(places, '* *'),
      wildcard: 'Any package may have a + in its name; only keys with a blank and a suffix of packages.',
    },
    // UpdateItem: the reserved row that has the change stream report a repository although none of its packages changed.
    { name: 'CompareRows', actions: ['dynamodb:Query', 'dynamodb:UpdateItem'], resources: [places.recordsArn] },
    { name: 'ListRepositories', actions: ['dynamodb:Scan'], resources: [places.repositoriesArn] },
    { name: 'SendHints', actions: ['sqs:SendMessage'], resources: [places.hintsArn] },
    { name: 'ContinueItself', actions: ['lambda:InvokeFunction'], resources: [places.reindexArn] },
  ];
}

/**
 * Without it S3 answers 403 for a key that is not there (S3 API, HeadObject), and every deleted package would look like a fault.
 * It is also what LIST takes. No condition on the prefix: a HEAD has none, and would fail it.
 */
function tellAbsentFromForbidden(bucketArn: string): Permission {
  return { name: 'ListPackages', actions: ['s3:ListBucket'], resources: [bucketArn] };
}

/** Keys that end in a package's suffix, under the prefixes; `name` is what stands before the suffix. */
function packageArns({ bucketArn, prefixes }: ConcurrencyLimit, name: string): readonly string[] {
  return starts(bucketArn, prefixes).flatMap((start) => packageSuffixes.map((suffix) => `${start}/${name}${suffix}`));
}

/** Those indexes of each prefix's own repository, and of every repository below. */
function indexArns({ bucketArn, prefixes }: ConcurrencyLimit, files: readonly string[]): readonly string[] {
  return starts(bucketArn, prefixes).flatMap((start) =>
    files.flatMap((file) => [`${start}/${file}`, `${start}/*/${file}`]),
  );
}

/** Keys under the prefixes that end so. */
function endingArns({ bucketArn, prefixes }: ConcurrencyLimit, end: string): readonly string[] {
  return starts(bucketArn, prefixes).map((start) => `${start}/*${end}`);
}

function starts(bucketArn: string, prefixes: readonly string[]): readonly string[] {
  return prefixes.length === 0 ? [bucketArn] : prefixes.map((prefix) => `${bucketArn}/${prefix}`);
}
