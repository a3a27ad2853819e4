/** `s3://BUCKET[/PREFIX]`, and how to reach it. */

import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../../failures.ts';

export interface StoreOptions {
  /** URL of the store; AWS without it. */
  readonly endpoint?: string;
  readonly region?: string;
  /** Of ~/.aws. */
  readonly profile?: string;
  /** Both, or none: then they come from the environment or the profile. */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** The bucket in the path of each request, not in the host's name: by default with an endpoint. */
  readonly pathStyle?: boolean;
}

export interface StoreAddress extends StoreOptions {
  /** `s3://BUCKET/PREFIX`, without a slash at its end. */
  readonly name: string;
  readonly bucket: string;
  /** What precedes each key: `''`, or ending in `/`. */
  readonly prefix: string;
}

const scheme = 's3://';

export function isStoreName(place: string): boolean {
  return place.startsWith(scheme);
}

/** @throws {UsageError} */
export function parseStoreName(place: string, options: StoreOptions = {}): StoreAddress {
  const [bucket = '', ...parts] = place.slice(scheme.length).replace(/\/+$/, '').split('/');
  if (
    !isStoreName(place) ||
    !/^[\w.-]{1,255}$/.test(bucket) ||
    parts.some((part) => part === '' || part.startsWith('.'))
  )
    throw new UsageError(`expected s3://BUCKET or s3://BUCKET/PREFIX, found ${place}`);
  const endpoint = options.endpoint ?? (process.env.AWS_ENDPOINT_URL_S3 || process.env.AWS_ENDPOINT_URL || undefined);
  const prefix = parts.length === 0 ? '' : `${parts.join('/')}/`;
  return {
    ...reachOf(options),
    ...(endpoint === undefined ? {} : { endpoint: endpoint.replace(/\/+$/, '') }),
    name: [scheme + bucket, ...parts].join('/'),
    bucket,
    prefix,
  };
}

/** The options may have others among them. */
function reachOf({ region, profile, pathStyle, accessKeyId, secretAccessKey }: StoreOptions): StoreOptions {
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined))
    throw new UsageError('expected both --access-key-id and --secret-access-key, found one of them');
  return {
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    ...(pathStyle === undefined ? {} : { pathStyle }),
    ...(accessKeyId === undefined ? {} : { accessKeyId }),
    ...(secretAccessKey === undefined ? {} : { secretAccessKey }),
  };
}

/**
 * Where the table of a store is kept, unless `--state` says otherwise.
 * https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function stateDirectoryOf({ endpoint = '', bucket, prefix }: StoreAddress): string {
  const state = process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state');
  const digest = createHash('sha256').update([endpoint, bucket, prefix].join('\n')).digest('hex').slice(0, 12);
  return join(state, 'pkgsrc-indexer', `${`${bucket}-${prefix}`.replaceAll(/[^\w.-]+/g, '-')}${digest}`);
}
