import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Row, SignatureCheck } from '../../functions/ports.ts';
import { remedies } from '../../functions/record/hazards.ts';
import { recordLimits } from '../../functions/record/limits.ts';
import {
  defaultRules,
  fingerprintOf,
  isArchitecturePrefix,
  judge,
  judgeAgain,
  type Rules,
  rejected,
  rulesLimits,
  rulesVersion,
} from '../../functions/record/rules.ts';
import { signatureRemedies } from '../../functions/trust/signature-finding.ts';
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
    // Those of signatures come with the fingerprint of the keys.
    const codes = Object.keys(remedies).length - Object.keys(signatureRemedies).length;
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

describe('a signature', () => {
  const trust = { keys: [], certificates: [], allowsSha1: false, isDeep: false, fingerprint: '0123456789abcdef' };
  const verifying: Rules = { architectures: [], trust: { ...trust, isRequired: false } };
  const requiring: Rules = { architectures: [], trust: { ...trust, isRequired: true } };
  const record = recordWith();
  const good: SignatureCheck = {
    state: 'good',
    keyId: '0123456789ABCDEF',
    fingerprint: 'AB',
    name: 'One',
    findings: ['signature-layout'],
  };
  const bad: SignatureCheck = { state: 'problem', code: 'untrusted-key', message: 'expected another key' };
  for (const [what, rules, signature, expected] of [
    ['that is good: findings are warnings', requiring, good, 'indexed signature-layout'],
    ['that is bad: a warning where none is required', verifying, bad, 'indexed untrusted-key'],
    ['that is bad: a reason where one is required', requiring, bad, 'rejected untrusted-key'],
    ['that nobody looked at', defaultRules, undefined, 'indexed '],
  ] as const)
    it(what, () => {
      const judgement = judge(record, 'x-1.0.tgz', rules, signature);
      const codes = judgement.state === 'indexed' ? judgement.warnings.join() : judgement.reason.code;
      assert.equal(`${judgement.state} ${codes}`, expected);
      assert.deepEqual(judgement.signature, signature);
    });

  const row = (rules: Rules): Row => ({
    repository: 'All',
    file: 'x-1.0.tgz',
    etag: '"1"',
    size: 1,
    lastModified: new Date(0),
    indexedAt: new Date(0),
    rules: fingerprintOf(rules),
    ...judge(record, 'x-1.0.tgz', rules, good),
  });
  it('by other keys needs the package', () => {
    const others: Rules = { architectures: [], trust: { ...trust, isRequired: true, fingerprint: 'other' } };
    assert.equal(judgeAgain(row(requiring), others), undefined);
    assert.equal(judgeAgain(row(defaultRules), requiring), undefined);
  });
  it('stays where only other rules change, and is forgotten where signatures are not verified any more', () => {
    assert.deepEqual(judgeAgain(row(requiring), { ...requiring, architectures: ['x86_64'] })?.signature, good);
    assert.equal(judgeAgain(row(requiring), defaultRules)?.signature, undefined);
  });
});
