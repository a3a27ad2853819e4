import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  ArchitectureCounter,
  type ArchitectureCounts,
  architectureLimits,
  decodeCounts,
  encodeCounts,
} from '../../functions/index/architecture-counts.ts';

const recordOf = (...lines: string[]) => Buffer.from(`${lines.join('\n')}\n\n`, 'latin1');

function countsOf(...records: readonly Buffer[]): ArchitectureCounts {
  const counter = new ArchitectureCounter();
  for (const record of records) counter.add(record);
  return counter.counts;
}

describe('the counts of architectures', () => {
  const cases: readonly (readonly [what: string, records: readonly Buffer[], text: string])[] = [
    ['no record', [], 'none'],
    ['a record without the line', [recordOf('PKGNAME=a')], 'none'],
    [
      'two, by name',
      [recordOf('PKGNAME=a', 'MACHINE_ARCH=x86_64'), recordOf('MACHINE_ARCH=i386'), recordOf('MACHINE_ARCH=x86_64')],
      'i386:1,x86_64:2',
    ],
    ['every line of a record', [recordOf('MACHINE_ARCH=a', 'X=y', 'MACHINE_ARCH=b')], 'a:1,b:1'],
    ['no other line', [recordOf('COMMENT=MACHINE_ARCH=a', 'XMACHINE_ARCH=b', 'MACHINE_ARCHS=c')], 'none'],
    ['an empty value', [recordOf('MACHINE_ARCH=')], ':1'],
    ['odd values', [recordOf('MACHINE_ARCH=a,b:c'), recordOf('MACHINE_ARCH=\xe9 %')], 'a%2Cb%3Ac:1,%C3%A9%20%25:1'],
    ['a last line that does not end', [Buffer.from('X=y\nMACHINE_ARCH=a')], 'a:1'],
  ];
  for (const [what, records, text] of cases)
    it(`of ${what}: ${text}`, () => {
      const counts = countsOf(...records);
      assert.equal(encodeCounts(counts), text);
      assert.deepEqual(decodeCounts(text), counts);
    });

  it('change with the records, as if all were counted again', () => {
    const records = fc.array(fc.constantFrom('a', 'b', 'a,b').map((value) => recordOf(`MACHINE_ARCH=${value}`)));
    fc.assert(
      fc.property(records, records, records, (kept, left, entered) => {
        const counter = new ArchitectureCounter(decodeCounts(encodeCounts(countsOf(...kept, ...left))));
        for (const record of entered) counter.add(record);
        for (const record of left) counter.remove(record);
        assert.equal(encodeCounts(counter.counts), encodeCounts(countsOf(...kept, ...entered)));
      }),
    );
  });

  it('are given up beyond what metadata hold, and stay so', () => {
    // `a…a:1`
    const longest = 'a'.repeat(architectureLimits.textCharactersMax - 2);
    assert.equal(encodeCounts(countsOf(recordOf(`MACHINE_ARCH=${longest}`))), `${longest}:1`);
    assert.equal(countsOf(recordOf(`MACHINE_ARCH=${longest}a`)), 'too-many');
    const counter = new ArchitectureCounter(decodeCounts('too-many'));
    counter.add(recordOf('MACHINE_ARCH=a'));
    assert.equal(encodeCounts(counter.counts), 'too-many');
  });

  it('are not read from a text of another kind', () => {
    for (const text of [undefined, '', 'x86_64', 'x86_64:', 'x86_64:0', 'x86_64:-1', 'a:1,', 'a b:1', '%E9:1', '%:1'])
      assert.equal(decodeCounts(text), undefined, text);
  });
});
