/**
 * What a deployment can be told, in one place: flags as typed on a command line → checked options.
 *
 * infra/app.ts and the deploying script read the same flags, so a template that was looked at is the one that is deployed.
 */

import { fileURLToPath } from 'node:url';
import { packageSuffixes } from '../functions/keys.ts';
import { deploymentLimits } from './limits.ts';
import { bucketEvents } from './notifications.ts';

/** The flags, under the names that they have on the command line (`--alarm-email` is `alarmEmail`). */
export interface IndexerFlags {
  /** The stack's name; everything in it is named after it, so several stacks share an account. */
  readonly stack?: string | undefined;
  /** The bucket's name. */
  readonly bucket?: string | undefined;
  /** The bucket exists already; the template then leaves it alone. */
  readonly existing?: boolean | undefined;
  /** Key prefixes to watch; none: the whole bucket. */
  readonly prefix?: readonly string[] | undefined;
  /** Seconds that a change waits for others, as digits. */
  readonly debounce?: string | undefined;
  /** Index formats, separated by commas. */
  readonly formats?: string | undefined;
  /** Keep a package browser, index.html, beside every index (the default). */
  readonly page?: boolean | undefined;
  /** Serve through CloudFront (the default). */
  readonly cdn?: boolean | undefined;
  /** Let everyone read the bucket itself. */
  readonly publicBucket?: boolean | undefined;
  readonly alarmEmail?: string | undefined;
  /** Keep the tables when the stack is deleted. */
  readonly keepTables?: boolean | undefined;
  /** Where `npm run build` put the functions. */
  readonly bundles?: string | undefined;
  /** The bucket for the functions' code, instead of the one that `cdk bootstrap` makes. */
  readonly assetBucket?: string | undefined;
}

/** A bucket that the stack makes (without a name: called after stack, account and region), or one that it only reads and writes. */
type BucketChoice =
  | { readonly kind: 'new'; readonly name: string | undefined }
  | { readonly kind: 'existing'; readonly name: string };

type IndexFormat = 'gz' | 'zst';

export interface IndexerOptions {
  readonly stack: string;
  readonly bucket: BucketChoice;
  /** Key prefixes without a trailing `/`, none inside another; empty: the whole bucket. */
  readonly prefixes: readonly string[];
  readonly debounceSeconds: number;
  readonly formats: readonly IndexFormat[];
  readonly page: boolean;
  readonly cdn: boolean;
  readonly publicBucket: boolean;
  /** Keep an alias for each package with `+` in its name: wherever clients reach S3 without CloudFront, which rewrites them. */
  readonly plusAliases: boolean;
  readonly alarmEmail: string | undefined;
  readonly keepTables: boolean;
  /** Directory that holds extract/index.js, summarize/index.js and reindex/index.js. */
  readonly bundles: string;
  readonly assetBucket: string | undefined;
}

/** A flag that cannot be obeyed: the message says which, what was found, and what to write instead. */
export class BadOption extends Error {
  override readonly name = 'BadOption';
}

/** @throws {BadOption} for the first flag that is wrong. */
export function indexerOptions(flags: IndexerFlags): IndexerOptions {
  const bucket = bucketChoice(flags);
  const publicBucket = flags.publicBucket ?? false;
  const cdn = flags.cdn ?? true;
  if (publicBucket && bucket.kind === 'existing') {
    throw new BadOption(
      `--public-bucket with --existing: the policy of ${bucket.name} is yours, and this stack never replaces it. ` +
        'Allow s3:GetObject to everyone there yourself, and leave --public-bucket out.',
    );
  }
  return {
    stack: stackName(flags.stack ?? 'pkgsrc-indexer'),
    bucket,
    prefixes: prefixes(flags.prefix ?? []),
    debounceSeconds: debounceSeconds(flags.debounce),
    formats: formats(flags.formats ?? 'gz,zst'),
    page: flags.page ?? true,
    cdn,
    publicBucket,
    plusAliases: !cdn || publicBucket,
    alarmEmail: alarmEmail(flags.alarmEmail),
    keepTables: flags.keepTables ?? false,
    bundles: flags.bundles ?? fileURLToPath(new URL('../build', import.meta.url)),
    assetBucket: flags.assetBucket === undefined ? undefined : bucketName('--asset-bucket', flags.assetBucket),
  };
}

/** Lower case, because the default bucket is named after the stack. */
function stackName(name: string): string {
  const { stackNameCharactersMax: max } = deploymentLimits;
  if (!/^[a-z][a-z0-9-]*$/.test(name) || name.length > max) {
    throw new BadOption(
      `--stack ${name}: expected a letter and then letters, digits or -, all lower case, ${max} at most.`,
    );
  }
  return name;
}

function bucketChoice({ bucket, existing }: IndexerFlags): BucketChoice {
  if (bucket === undefined) {
    if (existing) throw new BadOption('--existing: expected the name of the bucket too: --bucket NAME --existing.');
    return { kind: 'new', name: undefined };
  }
  return { kind: existing ? 'existing' : 'new', name: bucketName('--bucket', bucket) };
}

/**
 * S3 user guide, "General purpose bucket naming rules", as far as they can be told without asking S3. One that is too short is let
 * through: it serves to look at a plan, and `isUsableBucketName` is asked before anything is made.
 */
function bucketName(flag: string, name: string): string {
  const isName = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/.test(name) && !name.includes('..');
  if (!isName || /^\d+\.\d+\.\d+\.\d+$/.test(name)) {
    throw new BadOption(`${flag} ${name}: expected 3 to 63 lower-case letters, digits, - or ., as S3 names buckets.`);
  }
  return name;
}

/** S3 wants three characters at least. */
export function isUsableBucketName({ name }: BucketChoice): boolean {
  return name === undefined || name.length >= 3;
}

/** A prefix inside another is left out: the other covers it, and S3 refuses rules that overlap. */
function prefixes(given: readonly string[]): readonly string[] {
  const trimmed = [...new Set(given.map(onePrefix))].toSorted();
  const outermost = trimmed.filter((inner) => !trimmed.some((outer) => inner.startsWith(`${outer}/`)));
  const rules = outermost.length * packageSuffixes.length * bucketEvents.length;
  if (rules > deploymentLimits.notificationRulesMax) {
    throw new BadOption(
      `--prefix was given ${outermost.length} times: each costs ${packageSuffixes.length * bucketEvents.length} notification rules, ` +
        `and a bucket holds ${deploymentLimits.notificationRulesMax}. Give a prefix that covers several, or none for the whole bucket.`,
    );
  }
  return outermost;
}

/**
 * Only characters that mean themselves everywhere a prefix goes: in a notification's filter, which is percent-encoded, and in
 * the ARNs of the functions' roles, where `*`, `?` and `$` would allow more than was meant.
 */
function onePrefix(prefix: string): string {
  const trimmed = prefix.replace(/^\/+|\/+$/g, '');
  if (!/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(trimmed)) {
    throw new BadOption(
      `--prefix ${JSON.stringify(prefix)}: expected letters, digits, ., _ and - between single slashes, for example packages/All. ` +
        'Leave --prefix out to watch the whole bucket.',
    );
  }
  return trimmed;
}

function debounceSeconds(text: string | undefined): number {
  const { debounceSecondsMax: max, debounceSecondsDefault } = deploymentLimits;
  if (text === undefined) return debounceSecondsDefault;
  const seconds = Number(text);
  if (!/^\d+$/.test(text) || seconds > max) {
    throw new BadOption(`--debounce ${text}: expected whole seconds from 0 to ${max}.`);
  }
  return seconds;
}

function formats(text: string): readonly IndexFormat[] {
  const found = [...new Set(text.split(','))];
  if (!found.every((format) => format === 'gz' || format === 'zst')) {
    throw new BadOption(`--formats ${text}: expected gz or gz,zst.`);
  }
  if (!found.includes('gz')) {
    throw new BadOption(
      `--formats ${text}: gz must be among them, the one format that every pkgin reads. Try gz,${text}.`,
    );
  }
  return found.toSorted();
}

function alarmEmail(address: string | undefined): string | undefined {
  if (address !== undefined && !/^[^\s@]+@[^\s@]+$/.test(address)) {
    throw new BadOption(`--alarm-email ${address}: expected an address, name@host.`);
  }
  return address;
}
