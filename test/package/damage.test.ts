import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { MalformedPackage } from '../../functions/package/malformed-package.ts';
import { corpusPackage } from '../corpus.ts';
import { compress, makePackage, type PackageParts } from '../package-maker.ts';
import { isThorough, runs } from '../thoroughness.ts';
import { recordOf } from './byte-source.ts';

/** Reading each of these packages takes milliseconds, however damaged it is. */
const deadlineMilliseconds = 5_000;

const parts: PackageParts = { buildInfo: 'OPSYS=NetBSD\n', headers: 'pax', payload: { 'bin/made': 900 } };

const packages: readonly (readonly [what: string, bytes: Buffer])[] = [
  ['gzip', makePackage(parts)],
  ['two gzip members', inTwo('gzip')],
  ['zstd', makePackage({ ...parts, compression: 'zstd' })],
  ['two zstd frames', inTwo('zstd')],
  ['three bzip2 streams', fixture('made.streams.bz2')],
  ['three xz streams', fixture('made.streams.xz')],
  ['no compression', makePackage({ ...parts, payload: { [`${'long/'.repeat(30)}name`]: '' }, compression: 'none' })],
  ['signed', makePackage({ ...parts, signature: 'gpg' })],
  ['signed by pkg_admin', corpusPackage('signed-x509-full-1.2.3nb4.tgz').bytes()],
  ['without a payload', makePackage({ payload: {} })],
];

function inTwo(compression: 'gzip' | 'zstd'): Buffer {
  const archive = makePackage({ ...parts, compression: 'none' });
  return Buffer.concat(
    [archive.subarray(0, 1_300), archive.subarray(1_300)].map((part) => compress(part, compression)),
  );
}

function fixture(file: string): Buffer {
  return readFileSync(join(import.meta.dirname, '../fixtures/compressed', file));
}

/** The record without FILE_SIZE, or the code of the error. Any other error fails the test. */
async function outcomeOf(bytes: Uint8Array): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not read within ${deadlineMilliseconds} ms`)), deadlineMilliseconds);
  });
  try {
    const record = await Promise.race([recordOf(bytes), deadline]);
    return Buffer.from(record)
      .toString('latin1')
      .replace(/^FILE_SIZE=.*\n/m, '');
  } catch (error) {
    if (error instanceof MalformedPackage) return `refused: ${error.code}`;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

describe('a damaged package', () => {
  const uncaught: unknown[] = [];
  const note = (error: unknown) => uncaught.push(error);
  before(() => process.on('uncaughtException', note).on('unhandledRejection', note));
  after(() => process.off('uncaughtException', note).off('unhandledRejection', note));

  for (const [what, bytes] of packages) {
    it(`cut anywhere is refused, or has its record: ${what}`, async () => {
      const whole = await outcomeOf(bytes);
      assert.match(whole, /^PKGNAME=/);
      const outcomes = new Set<string>();
      // A block of bzip2 takes a millisecond to decode.
      const step = (what.includes('bzip2') ? 5 : 1) * (isThorough ? 1 : 17);
      for (let end = 0; end < bytes.length; end += step) outcomes.add(await outcomeOf(bytes.subarray(0, end)));
      await setImmediate();
      assert.deepEqual(uncaught, []);
      const allowed = ['empty', 'truncated', 'not-a-package', 'missing-metadata', 'corrupt-compression'];
      for (const code of allowed) outcomes.delete(`refused: ${code}`);
      outcomes.delete(whole);
      assert.deepEqual([...outcomes], []);
    });

    it(`with bytes changed is refused, or has some record: ${what}`, async () => {
      const change = fc.record({ at: fc.nat(bytes.length - 1), xor: fc.integer({ min: 1, max: 255 }) });
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
          const changed = Buffer.from(bytes);
          for (const { at, xor } of changes) changed[at] = (changed[at] ?? 0) ^ xor;
          assert.match(await outcomeOf(changed), /^(PKGNAME=|CONFLICTS=|DEPENDS=|refused: )/);
        }),
        { numRuns: runs(150) },
      );
      await setImmediate();
      assert.deepEqual(uncaught, []);
    });
  }

  it('of random bytes is refused', async () => {
    const magics = ['', '\x1f\x8b\x08', 'BZh9', '\xfd7zXZ\0', '\x28\xb5\x2f\xfd', '!<arch>\n'];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...magics), fc.uint8Array({ maxLength: 2_000 }), async (magic, bytes) => {
        assert.match(await outcomeOf(Buffer.concat([Buffer.from(magic, 'latin1'), bytes])), /^refused: /);
      }),
      { numRuns: runs(500) },
    );
  });
});
