import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { indexFiles, packageSuffixes } from '../../functions/keys.ts';
import { rulesLimits } from '../../functions/record/rules.ts';
import { decodeTrust } from '../../functions/trust/trust-setting.ts';
import { BadOption } from '../../infra/bad-option.ts';
import { deploymentLimits } from '../../infra/limits.ts';
import { keyFilters } from '../../infra/notifications.ts';
import { type IndexerFlags, indexerOptions } from '../../infra/options.ts';

test('without flags: a new bucket, the whole of it, both formats, through CloudFront', () => {
  const { bundles, ...options } = indexerOptions({});
  assert.match(bundles, /build$/);
  assert.deepEqual(options, {
    stack: 'pkgsrc-indexer',
    bucket: { kind: 'new', name: undefined },
    prefixes: [],
    architectures: [],
    maxShrink: undefined,
    trust: undefined,
    debounceSeconds: 10,
    formats: ['gz', 'zst'],
    page: true,
    cdn: true,
    publicBucket: false,
    plusAliases: false,
    kmsKey: undefined,
    alarmEmail: undefined,
    publishTopic: false,
    keepTables: false,
    assetBucket: undefined,
  });
});

function letters(number: number): string[] {
  return [...'abcdefghijklmnopqrstuvwxyz'].slice(0, number);
}

const ring = (file: string) => fileURLToPath(new URL(`../fixtures/trust/${file}`, import.meta.url));

const refused: readonly (readonly [flags: IndexerFlags, message: RegExp])[] = [
  [{ stack: 'Upper' }, /--stack Upper: expected a letter and then letters/],
  [{ stack: '1st' }, /--stack/],
  [{ stack: '' }, /--stack/],
  [{ stack: 'x'.repeat(deploymentLimits.stackNameCharactersMax + 1) }, /32 at most/],
  [{ bucket: 'No_Bucket' }, /--bucket No_Bucket: expected 3 to 63/],
  [{ bucket: '-x' }, /--bucket/],
  [{ bucket: 'a..b' }, /--bucket/],
  [{ bucket: '192.168.0.1' }, /--bucket/],
  [{ bucket: `a${'b'.repeat(63)}` }, /--bucket/],
  [{ assetBucket: 'X' }, /--asset-bucket/],
  [{ existing: true }, /--bucket NAME --existing/],
  [{ bucket: 'packages', existing: true, publicBucket: true }, /does not replace the policy of packages/],
  [{ prefix: [''] }, /--prefix "": .*Omit --prefix/],
  [{ prefix: ['a//b'] }, /single slashes/],
  [{ prefix: ['a*'] }, /--prefix/],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what IAM would take for a variable
  [{ prefix: ['${aws:username}'] }, /--prefix/],
  [{ prefix: ['gtk2+'] }, /--prefix/],
  [{ prefix: letters(7) }, /--prefix was given 7 times, which needs 105 notification rules; a bucket can have 100/],
  [{ prefix: letters(21), bucket: 'packages', existing: true }, /21 times, which needs 105 notification rules/],
  [{ maxShrink: '101' }, /--max-shrink 101: expected a percentage from 0 to 100/],
  [{ maxShrink: '' }, /--max-shrink : expected/],
  [{ arch: [''] }, /--arch "": expected a MACHINE_ARCH/],
  [{ arch: ['x86_64', 'x86 64'] }, /--arch "x86 64"/],
  [{ arch: letters(rulesLimits.architecturesMax + 1) }, /--arch was given 17 times; expected at most 16/],
  [{ requireSignature: true }, /--require-signature, --allow-sha1 and --deep need keys/],
  [{ trust: ['absent.ring'] }, /--trust absent.ring: cannot read these keys/],
  [{ trust: [ring('hello-1.0.tgz')] }, /--trust .*hello-1.0.tgz: expected .*, found/],
  [
    { trust: Array(6).fill(ring('gnupg2.ring')) },
    /--trust: expected keys that fit into 3000 characters.*export-minimal/,
  ],
  [{ trust: Array(17).fill(ring('gnupg1.ring')) }, /expected at most 16 files/],
  [{ debounce: '-1' }, /--debounce -1: expected whole seconds from 0 to 300/],
  [{ debounce: '301' }, /--debounce/],
  [{ debounce: '1.5' }, /--debounce/],
  [{ debounce: '' }, /--debounce/],
  [{ formats: 'gz,bz2' }, /--formats gz,bz2: expected gz or gz,zst/],
  [{ formats: '' }, /--formats/],
  [{ formats: 'zst' }, /Try gz,zst/],
  [{ kmsKey: 'alias/packages' }, /--kms-key alias\/packages: expected the ARN of a key/],
  [{ kmsKey: 'arn:aws:kms:eu-central-1:123456789012:alias/packages' }, /--kms-key/],
  [{ alarmEmail: 'nobody' }, /--alarm-email nobody: expected an address/],
];
for (const [flags, message] of refused) {
  test(`refused: ${JSON.stringify(flags)}`, () => {
    assert.throws(
      () => indexerOptions(flags),
      (error) => error instanceof BadOption && message.test(error.message),
    );
  });
}

const taken: readonly (readonly [flags: IndexerFlags, option: Partial<ReturnType<typeof indexerOptions>>])[] = [
  [{ stack: 'x'.repeat(deploymentLimits.stackNameCharactersMax) }, { stack: 'x'.repeat(32) }],
  [{ bucket: 'pkg.example.org' }, { bucket: { kind: 'new', name: 'pkg.example.org' } }],
  [{ bucket: 'packages', existing: true }, { bucket: { kind: 'existing', name: 'packages' } }],
  [{ maxShrink: '12.5%' }, { maxShrink: 12.5 }],
  [{ arch: ['x86_64', 'aarch64', 'x86_64'] }, { architectures: ['aarch64', 'x86_64'] }],
  [{ arch: letters(rulesLimits.architecturesMax) }, { architectures: letters(rulesLimits.architecturesMax) }],
  [{ debounce: '0' }, { debounceSeconds: 0 }],
  [{ debounce: '300' }, { debounceSeconds: 300 }],
  [{ formats: 'zst,gz' }, { formats: ['gz', 'zst'] }],
  [{ formats: 'gz' }, { formats: ['gz'] }],
  [{ prefix: ['/packages/All/'] }, { prefixes: ['packages/All'] }],
  [{ prefix: letters(6) }, { prefixes: letters(6) }],
  [{ prefix: letters(20), bucket: 'packages', existing: true }, { prefixes: letters(20) }],
  [{ prefix: ['a/b', 'a', 'ab', 'a'] }, { prefixes: ['a', 'ab'] }],
  ...[
    'arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    'arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab',
  ].map((kmsKey) => [{ kmsKey }, { kmsKey }] as const),
  [{ cdn: false }, { plusAliases: true }],
  [{ publicBucket: true }, { plusAliases: true }],
];
for (const [flags, expected] of taken) {
  test(`taken: ${JSON.stringify(flags)} as ${JSON.stringify(expected)}`, () => {
    assert.partialDeepStrictEqual(indexerOptions(flags), expected);
  });
}

test('of any prefixes, no two filters overlap, and every key under a prefix passes exactly one', () => {
  const part = fc.constantFrom('a', 'b', 'ab', 'All');
  const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  fc.assert(
    fc.property(fc.array(path, { maxLength: 4 }), fc.array(part, { maxLength: 4 }), (prefix, directories) => {
      const { prefixes } = indexerOptions({ prefix });
      for (const suffix of packageSuffixes) {
        const key = [...directories, `x-1.0${suffix}`].join('/');
        const passed = keyFilters(prefixes).filter(
          (filter) => key.startsWith(filter.prefix ?? '') && key.endsWith(filter.suffix),
        );
        const wanted = prefix.length === 0 || prefix.some((one) => key.startsWith(`${one}/`));
        assert.equal(passed.length, wanted ? 1 : 0);
      }
    }),
  );
});

test('no index passes a filter: publishing wakes nobody', () => {
  for (const { suffix } of keyFilters([])) {
    for (const index of indexFiles) assert.ok(!index.endsWith(suffix), `${index} ends in ${suffix}`);
  }
});

test('the keys of --trust reach the functions', () => {
  const { trust } = indexerOptions({ trust: [ring('gnupg2-four.ring'), ring('root.pem')], requireSignature: true });
  const { keys, certificates, isRequired, isDeep } = decodeTrust(trust ?? '');
  assert.deepEqual([keys.length, certificates.length, isRequired, isDeep], [1, 1, true, false]);
});
