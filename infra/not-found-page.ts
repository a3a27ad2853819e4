/**
 * What CloudFront answers for a missing key, with status 404. S3 answers 403 there, since CloudFront may not list the bucket; and
 * CloudFront can only replace that answer by an object of the bucket. `deploy` puts this one (a template cannot), `destroy` removes it.
 */

import type { ObjectKey } from '../functions/ports.ts';

export const notFoundText = 'Not found: there is no such package, index or directory here.\n';

/** CloudFront may read under the prefixes only. */
export function notFoundKey([prefix]: readonly string[]): ObjectKey {
  const file = 'pkgsrc-indexer-404.txt';
  return prefix === undefined ? file : `${prefix}/${file}`;
}
