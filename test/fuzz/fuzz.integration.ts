/** Thousands of cases, and packages truncated anywhere. For more cases: npm run fuzz -- --cases N. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { makePackage } from '../package-maker.ts';
import { fuzz } from './fuzz.ts';
import { checkPackage } from './package-target.ts';
import { canMeasure } from './peak-memory.ts';

/** Five times the limit of `npm run fuzz`, because other tests run at the same time. */
const millisecondsMax = 10_000;

const fixtures = [
  'corpus/full-1.2.3nb4.tgz',
  'corpus/scripts-1.0.tgz',
  'corpus/tar-gnu-1.0.tgz',
  'corpus/tar-pax-1.0.tgz',
  'corpus/shlibs-1.0.tgz',
  'corpus/manydeps-1.0.tgz',
  'corpus/signed-gpg-full-1.2.3nb4.tgz',
  'corpus/signed-x509-full-1.2.3nb4.tgz',
  'corpus/comp-tar-1.0.tar',
  'compressed/made.streams.xz',
  'compressed/made.streams.bz2',
];

const packages: readonly (readonly [what: string, bytes: Uint8Array])[] = [
  ...fixtures.map((file) => [file, readFileSync(join(import.meta.dirname, '../fixtures', file))] as const),
  ['two zstd frames', twoFrames(makePackage({ compression: 'none', headers: 'pax', payload: { 'bin/x': 700 } }))],
];

function twoFrames(archive: Uint8Array): Uint8Array {
  const parts = [archive.subarray(0, 1_300), archive.subarray(1_300)];
  return Buffer.concat(parts.map((part) => zstdCompressSync(part)));
}

describe('fuzzing', () => {
  it('finds nothing in 5,000 cases', async (context) => {
    const { findings, outcomes } = await fuzz({ seed: 2, cases: 5_000, millisecondsMax });
    assert.deepEqual(findings, []);
    context.diagnostic(`${outcomes.size} outcomes`);
  });

  it('notices what takes too much memory', { skip: !canMeasure && 'this system does not tell' }, async () => {
    const module = new URL('./planted-targets.ts', import.meta.url).href;
    const { findings } = await fuzz({ seed: 1, cases: 1, target: 'memory', module, millisecondsMax });
    assert.match(findings[0]?.message ?? '', /^it takes \d+\.?\d* MiB of memory$/);
  });

  for (const [what, bytes] of packages) {
    // xz, bzip2 and plain tar take milliseconds each; test/package/damage.test.ts cuts them at every byte.
    const step = /\.(xz|bz2|tar)$/.test(what) ? 5 : 1;
    it(`${what}, cut anywhere, is read or refused, either way of reading alike`, async (context) => {
      const outcomes = new Set<string>();
      for (let end = 0; end <= bytes.length; end += step)
        outcomes.add(await checkPackage(bytes.subarray(0, end), 'made-1.0.tgz'));
      context.diagnostic(`${bytes.length} cuts: ${[...outcomes].join(', ')}`);
      assert.ok(outcomes.has('accepted') && outcomes.has('truncated'));
    });
  }
});
