import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { remedies } from '../../functions/record/hazards.ts';
import { recordLimits } from '../../functions/record/limits.ts';
import {
  defaultRules,
  fingerprintOf,
  isArchitecturePrefix,
  judge,
  judgeAgain,
  rejected,
  rulesLimits,
  rulesVersion,
} from '../../functions/record/rules.ts';
import { indexedRow, rejectedRow } from '../adapters/record-table.contract.ts';
import { runs } from '../thoroughness.ts';

/** Of a package with a line MACHINE_ARCH for each value. */
function recordWith(...values: string[]): Buffer {
  const lines = ['PKGNAME=x-1.0', ...values.map((value) => `MACHINE_ARCH=${value}`), 'COMMENT=c', 'FILE_SIZE=7'];
  return Buffer.from(`${lines.join('\n')}\n\n`, 'latin1');
}

function codeOf(record: Uint8Array, architectures: readonly string[]): string | undefined {
  const judgement = judge(record, 'x-1.0.tgz', { architectures });
  return judgement.state === 'rejected' ? judgement.reason.code : undefined;
}

describe('the rules reject a record', () => {
  const foreign = 'foreign-architecture';
  const cases: readonly [prefixes: string[], values: string[], code: string | undefined][] = [
    [[], ['x86_64'], undefined],
    [[], ['anything'], undefined],
    [['x86_64'], ['x86_64'], undefined],
    [['x86_64'], ['x86_64v3'], undefined],
    [['x86_64'], [], undefined],
    [['x86_64'], ['aarch64'], foreign],
    [['x86_64'], ['x86'], foreign],
    [['x86_64'], ['X86_64'], foreign],
    [['x86_64'], [' x86_64'], foreign],
    [['x86_64v2'], ['x86_64'], foreign],
    [['x86_64'], ['x86_64', 'aarch64'], foreign],
    [['x86_64'], ['aarch64', 'x86_64'], foreign],
    [['x86_64', 'aarch64'], ['aarch64'], undefined],
    [['x86_64', 'aarch64'], ['x86_64', 'aarch64eb'], undefined],
    [['x86_64', 'aarch64'], ['sparc64'], foreign],
    [['x86_64'], [''], 'empty-architecture'],
    [[], [''], 'empty-architecture'],
  ];
  for (const [prefixes, values, code] of cases)
    it(`of ${JSON.stringify(values)} under ${JSON.stringify(prefixes)}: ${code ?? 'no'}`, () => {
      assert.equal(codeOf(recordWith(...values), prefixes), code);
    });

  it('and say what was expected and found', () => {
    const judgement = judge(recordWith('vax'), 'x-1.0.tgz', { architectures: ['x86_64', 'i386'] });
    assert.ok(judgement.state === 'rejected');
    assert.equal(judgement.reason.message, 'expected a MACHINE_ARCH that begins with one of x86_64, i386, found "vax"');
    assert.match(remedies['foreign-architecture'], /--arch/);
  });

  it('and keep it, unless it is too large for the table', () => {
    const ofLength = (length: number) => {
      const lines = Buffer.alloc(length, 'DESCRIPTION=\n', 'latin1');
      lines.write('PKGNAME=.x\n');
      return lines.fill('\n', length - 2);
    };
    for (const [length, isKept] of [
      [recordLimits.recordBytesMax, true],
      [recordLimits.recordBytesMax + 1, false],
    ] as const) {
      const judgement = judge(ofLength(length), 'x-1.0.tgz', defaultRules);
      assert.equal(judgement.state, 'rejected');
      assert.equal(judgement.record?.length, isKept ? length : undefined);
    }
  });
});

describe('a row is judged again', () => {
  const [own, foreign] = [recordWith('x86_64'), recordWith('aarch64')];
  const rules = { architectures: ['x86_64'] };
  const facts = { rules: fingerprintOf(rules) };
  const judgement = judge(foreign, 'a', rules);
  assert.ok(judgement.state === 'rejected');

  it('and accepted, rejected, or accepted after all, from its record', () => {
    const accepted = { warnings: ['name-mismatch'], ...facts };
    assert.deepEqual(
      judgeAgain(indexedRow('a', { record: own }), rules),
      indexedRow('a', { record: own, ...accepted }),
    );
    assert.deepEqual(
      judgeAgain(indexedRow('a', { record: foreign }), rules),
      rejectedRow('a', { ...judgement, ...facts }),
    );
    assert.deepEqual(
      judgeAgain(rejectedRow('a', { record: own }), rules),
      indexedRow('a', { record: own, ...accepted }),
    );
  });

  it('only by its package, if it has no record', () => {
    assert.equal(judgeAgain(rejectedRow('a'), rules), undefined);
  });
});

describe('the fingerprint of rules', () => {
  it('differs for other architectures, and not for another order of the same', () => {
    const of = (...architectures: string[]) => fingerprintOf({ architectures });
    assert.equal(of(), fingerprintOf(defaultRules));
    assert.equal(new Set([of(), of('x86_64'), of('x86'), of('aarch64'), of('aarch64', 'x86_64')]).size, 5);
    assert.equal(of('x86_64', 'aarch64'), of('aarch64', 'x86_64', 'aarch64'));
    assert.equal(of('x86_64', 'x86_64v3'), of('x86_64'));
    assert.notEqual(of('a', 'b'), of('ab'));
  });

  it('is equal exactly where the same values are accepted', () => {
    const prefix = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 3 });
    const rules = fc.array(prefix, { minLength: 1, maxLength: 4 });
    const values = fc.sample(fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 4, maxLength: 4 }), 200);
    fc.assert(
      fc.property(rules, rules, (some, others) => {
        const isEqual = fingerprintOf({ architectures: some }) === fingerprintOf({ architectures: others });
        const accepted = (architectures: string[]) =>
          values.filter((value) => codeOf(recordWith(value), architectures) === undefined);
        if (isEqual) assert.deepEqual(accepted(some), accepted(others));
        const isAccepted = (value: string, architectures: string[]) =>
          codeOf(recordWith(value), architectures) === undefined;
        const differ =
          some.some((value) => !isAccepted(value, others)) || others.some((value) => !isAccepted(value, some));
        assert.equal(isEqual, !differ);
      }),
      { numRuns: runs(100) },
    );
  });

  it('has a version, which a new code must raise: rows that are there do not have it', () => {
    const codes = Object.keys(remedies).length;
    assert.deepEqual({ rulesVersion, codes }, { rulesVersion: 1, codes: 21 });
  });
});

describe('a prefix of MACHINE_ARCH', () => {
  const longest = 'a'.repeat(rulesLimits.architectureCharactersMax);
  for (const good of ['x86_64', 'aarch64', 'earmv7hf', 'i386', 'powerpc64le', 'x', longest])
    it(`can be ${good}`, () => assert.ok(isArchitecturePrefix(good)));
  for (const bad of ['', ' ', 'x86 64', 'x86,64', '"x"', '_x', '-x', 'é', 'x\n', `${longest}a`])
    it(`cannot be ${JSON.stringify(bad)}`, () => assert.ok(!isArchitecturePrefix(bad)));
});

it('the reason of a package that could not be read is cut to what a row holds', () => {
  const judgement = rejected({ code: 'truncated', message: 'x'.repeat(recordLimits.reasonCharactersMax + 1) });
  assert.ok(judgement.state === 'rejected');
  assert.equal(judgement.reason.message.length, recordLimits.reasonCharactersMax);
});
