import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verdictOf } from '../../scripts/audit.ts';

describe('the verdict of an audit', () => {
  it('is clean where the registry knows of nothing', () => {
    const report = { auditReportVersion: 2, vulnerabilities: {}, metadata: { dependencies: { total: 318 } } };
    const verdict = verdictOf(JSON.stringify(report));
    assert.deepEqual(verdict, { outcome: 'clean', lines: ['no known vulnerability in 318 packages'] });
  });

  it('names each vulnerable package, and why', () => {
    const url = 'https://github.com/advisories/GHSA-xxxx';
    const report = {
      auditReportVersion: 2,
      vulnerabilities: {
        inner: { name: 'inner', severity: 'low', range: '<1.2.3', via: [{ title: 'Reads too much', url }] },
        outer: { name: 'outer', severity: 'high', range: '*', via: ['inner'] },
      },
    };
    const { outcome, lines } = verdictOf(JSON.stringify(report));
    assert.equal(outcome, 'vulnerable');
    assert.deepEqual(lines, ['inner <1.2.3: low', `  Reads too much ${url}`, 'outer *: high', '  by inner']);
  });

  for (const [name, output, said] of [
    ['refuses to be asked', JSON.stringify({ message: '405 Method Not Allowed', statusCode: 405 }), /: 405 Method Not/],
    ['has another format', JSON.stringify({ auditReportVersion: 3, vulnerabilities: {} }), /expected the report/],
    ['says nothing', '', /expected the report of npm audit, found ""/],
  ] as const)
    it(`is none where the registry ${name}`, () => {
      const { outcome, lines } = verdictOf(output);
      assert.equal(outcome, 'not asked');
      assert.match(lines.join('\n'), said);
    });
});
