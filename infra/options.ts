/** Flags of `deploy` → checked options. */

import { fileURLToPath } from 'node:url';
import { percentOf } from '../functions/index/hold-back.ts';
import { isArchitecturePrefix, rulesLimits } from '../functions/record/rules.ts';
import { BadOption } from './bad-option.ts';
import { deploymentLimits } from './limits.ts';
import { bucketEvents, keyFilters } from './notifications.ts';
import { type TrustFlags, trustSetting } from './trusted-keys.ts';

/** The flags of the command line (`--alarm-email` is `alarmEmail`). */
export interface IndexerFlags extends TrustFlags {
  /** The stack's name. Every name in the stack begins with it, so that an account can hold several stacks. */
  readonly stack?: string | undefined;
  /** The bucket's name. */
  readonly bucket?: string | undefined;
  /** The bucket exists, and the template does not contain it. */
  readonly existing?: boolean | undefined;
  /** Key prefixes to watch; without any, the whole bucket. */
  readonly prefix?: readonly string[] | undefined;
  /** Prefixes of MACHINE_ARCH that are accepted; without any, every architecture. */
  readonly arch?: readonly string[] | undefined;
  /** Percent of its records that any publication may drop, in digits. */
  readonly maxShrink?: string | undefined;
  /** Seconds that a change waits for others, in digits. */
  readonly debounce?: string | undefined;
  /** Index formats, separated by commas. */
  readonly formats?: string | undefined;
  /** Keep index.html, the package browser, beside every index (the default). */
  readonly page?: boolean | undefined;
  /** Serve through CloudFront (the default). */
  readonly cdn?: boolean | undefined;
  /** Let everyone read the bucket. */
  readonly publicBucket?: boolean | undefined;
  /** The ARN of the KMS key that encrypts the packages. */
  readonly kmsKey?: string | undefined;
  readonly alarmEmail?: string | undefined;
  /** Create a topic that gets a message for each publication. */
  readonly publishTopic?: boolean | undefined;
  /** Keep the tables when the stack is deleted. */
  readonly keepTables?: boolean | undefined;
  /** Where `npm run build` put the functions. */
  readonly bundles?: string | undefined;
  /** The bucket for the functions' code, instead of the one of `cdk bootstrap`. */
  readonly assetBucket?: string | undefined;
}

/** A bucket that the stack creates (its default name: STACK-ACCOUNT-REGION), or one that exists. */
type BucketChoice =
  | { readonly kind: 'new'; readonly name: string | undefined }
  | { readonly kind: 'existing'; readonly name: string };

type IndexFormat = 'gz' | 'zst';

export interface IndexerOptions {
  readonly stack: string;
  readonly bucket: BucketChoice;
  /** Key prefixes without a trailing `/`, none inside another. Empty: the whole bucket. */
  readonly prefixes: readonly string[];
  /** Prefixes of MACHINE_ARCH. Empty: any. */
  readonly architectures: readonly string[];
  /** Percent. Undefined: see functions/index/hold-back.ts. */
  readonly maxShrink: number | undefined;
  /** The keys by which signatures are verified, as the functions get them. */
  readonly trust: string | undefined;
  readonly debounceSeconds: number;
  readonly formats: readonly IndexFormat[];
  readonly page: boolean;
  readonly cdn: boolean;
  readonly publicBucket: boolean;
  /** Keep an alias for each package with `+` in its name. Needed where clients reach S3 without CloudFront, which encodes the `+`. */
  readonly plusAliases: boolean;
  readonly kmsKey: string | undefined;
  readonly alarmEmail: string | undefined;
  readonly publishTopic: boolean;
  readonly keepTables: boolean;
  /** Directory that holds extract/index.js, summarize/index.js and reindex/index.js. */
  readonly bundles: string;
  readonly assetBucket: string | undefined;
}

/** @throws {BadOption} for the first wrong flag. */
export function indexerOptions(flags: IndexerFlags): IndexerOptions {
  const bucket = bucketChoice(flags);
  const publicBucket = flags.publicBucket ?? false;
  const cdn = flags.cdn ?? true;
  if (publicBucket && bucket.kind === 'existing') {
    throw new BadOption(
      `--public-bucket with --existing: this stack does not replace the policy of ${bucket.name}. ` +
        'Allow everyone s3:GetObject in that policy, and omit --public-bucket.',
    );
  }
  return {
    stack: stackName(flags.stack ?? 'pkgsrc-indexer'),
    bucket,
    prefixes: prefixes(flags.prefix ?? [], bucket),
    architectures: architectures(flags.arch ?? []),
    maxShrink: maxShrink(flags.maxShrink),
    trust: trustSetting(flags),
    debounceSeconds: debounceSeconds(flags.debounce),
    formats: formats(flags.formats ?? 'gz,zst'),
    page: flags.page ?? true,
    cdn,
    publicBucket,
    plusAliases: !cdn || publicBucket,
    kmsKey: kmsKey(flags.kmsKey),
    alarmEmail: alarmEmail(flags.alarmEmail),
    publishTopic: flags.publishTopic ?? false,
    keepTables: flags.keepTables ?? false,
    bundles: flags.bundles ?? fileURLToPath(new URL('../build', import.meta.url)),
    assetBucket: flags.assetBucket === undefined ? undefined : bucketName('--asset-bucket', flags.assetBucket),
  };
}

/** Lower case, as in the default name of the bucket. */
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
 * S3 user guide, "General purpose bucket naming rules", as far as they can be checked without S3. A name that is too short passes: it is
 * good enough to see a plan, and `deploy` calls `isUsableBucketName` before it changes anything.
 */
function bucketName(flag: string, name: string): string {
  const isName = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/.test(name) && !name.includes('..');
  if (!isName || /^\d+\.\d+\.\d+\.\d+$/.test(name)) {
    throw new BadOption(`${flag} ${name}: expected 3 to 63 lower-case letters, digits, - or ., as S3 names buckets.`);
  }
  return name;
}

/** S3 demands at least three characters. */
export function isUsableBucketName({ name }: BucketChoice): boolean {
  return name === undefined || name.length >= 3;
}

/** Omits a prefix inside another one: S3 refuses rules that overlap. */
function prefixes(given: readonly string[], bucket: BucketChoice): readonly string[] {
  const trimmed = [...new Set(given.map(onePrefix))].toSorted();
  const outermost = trimmed.filter((inner) => !trimmed.some((outer) => inner.startsWith(`${outer}/`)));
  const { notificationRulesMax } = deploymentLimits;
  const rules = notificationRules(outermost, bucket);
  if (rules > notificationRulesMax) {
    throw new BadOption(
      `--prefix was given ${outermost.length} times, which needs ${rules} notification rules; a bucket can have ${notificationRulesMax}. ` +
        'Use a prefix that covers several, or omit --prefix to watch the whole bucket.',
    );
  }
  return outermost;
}

/** A rule in a template has one event (CloudFormation). One that `deploy` adds to an existing bucket has all of them. */
function notificationRules(prefixes: readonly string[], { kind }: BucketChoice): number {
  return keyFilters(prefixes).length * (kind === 'new' ? bucketEvents.length : 1);
}

/**
 * Only characters without a special meaning in a notification's filter, which is percent-encoded, and in the ARNs of a role, where
 * `*`, `?` and `$` would allow more than intended.
 */
function onePrefix(prefix: string): string {
  const trimmed = prefix.replace(/^\/+|\/+$/g, '');
  if (!/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(trimmed)) {
    throw new BadOption(
      `--prefix ${JSON.stringify(prefix)}: expected letters, digits, ., _ and - between single slashes, for example packages/All. ` +
        'Omit --prefix to watch the whole bucket.',
    );
  }
  return trimmed;
}

function architectures(given: readonly string[]): readonly string[] {
  const { architecturesMax: max } = rulesLimits;
  const wrong = given.find((prefix) => !isArchitecturePrefix(prefix));
  if (wrong !== undefined) {
    throw new BadOption(
      `--arch ${JSON.stringify(wrong)}: expected a MACHINE_ARCH or its beginning, for example x86_64.`,
    );
  }
  if (given.length > max) throw new BadOption(`--arch was given ${given.length} times; expected at most ${max}.`);
  return [...new Set(given)].toSorted();
}

function maxShrink(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const percent = percentOf(text);
  if (percent === undefined) throw new BadOption(`--max-shrink ${text}: expected a percentage from 0 to 100.`);
  return percent;
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
      `--formats ${text}: expected gz among them, the only format that every pkgin reads. Try gz,${text}.`,
    );
  }
  return found.toSorted();
}

/** An alias is not enough: a role's policy names the key itself. */
function kmsKey(arn: string | undefined): string | undefined {
  if (arn !== undefined && !/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/.test(arn)) {
    throw new BadOption(`--kms-key ${arn}: expected the ARN of a key, arn:aws:kms:REGION:ACCOUNT:key/ID.`);
  }
  return arn;
}

function alarmEmail(address: string | undefined): string | undefined {
  if (address !== undefined && !/^[^\s@]+@[^\s@]+$/.test(address)) {
    throw new BadOption(`--alarm-email ${address}: expected an address, name@host.`);
  }
  return address;
}
