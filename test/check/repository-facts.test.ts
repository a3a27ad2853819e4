import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { countFindings, sumOf } from '../../functions/check/findings.ts';
import { checkRows, consistencyLimits, RepositoryFacts } from '../../functions/check/repository-facts.ts';
import type { IndexedRow, Row } from '../../functions/ports.ts';

function row(file: string, record: string | Buffer): IndexedRow {
  const facts = {
    repository: 'All',
    file,
    etag: 'e',
    size: 1,
    lastModified: new Date(0),
    indexedAt: new Date(0),
    rules: '',
  };
  return { ...facts, state: 'indexed', record: Buffer.from(record), warnings: [] };
}

async function* rowsOf(...rows: Row[]): AsyncGenerator<Row> {
  yield* rows;
}

async function reportOf(...rows: Row[]) {
  const report = await checkRows(rowsOf(...rows));
  assert.ok(report !== undefined);
  return report;
}

describe('the facts of rows', () => {
  test('are read from any line of the record', async () => {
    const report = await reportOf(
      row(
        'a-1.tgz',
        'PKGNAME=a-1\nDEPENDS=gone>=1\nCOMMENT=x\nDEPENDS=b>=1\nREQUIRES=/usr/pkg/lib/no.so\nPROVIDES=/usr/pkg/lib/a.so\nMACHINE_ARCH=x86_64\nPKGPATH=misc/a\n\n',
      ),
      row('b-1.tgz', 'PKGNAME=b-1\nPKGPATH=misc/b\nMACHINE_ARCH=i386\nDEPENDS=a>=1\n\n'),
      row('b-2.tgz', 'PKGNAME=b-2\nPKGPATH=misc/b\nMACHINE_ARCH=x86_64\n\n'),
      row('copy.tgz', 'PKGNAME=b-2\nPKGPATH=misc/b\nFILE_NAME=b-2.tgz\n\n'),
    );
    assert.deepEqual(report, {
      packages: 4,
      architecture: 'x86_64',
      foreignArchitectures: [{ architecture: 'i386', names: ['b-1'] }],
      dependencyCycles: [],
      missingDependencies: [{ pattern: 'gone>=1', problem: undefined, neededBy: ['a-1'] }],
      missingLibraries: [{ library: '/usr/pkg/lib/no.so', neededBy: ['a-1'] }],
      systemLibraries: 0,
      duplicateNames: [{ name: 'b-2', files: ['b-2.tgz', 'copy.tgz'] }],
      duplicatePaths: [{ path: 'misc/b', names: ['b-1', 'b-2'] }],
    });
    assert.equal(sumOf(countFindings(report)), 5);
  });

  test('are not read from a description', async () => {
    const report = await reportOf(row('a-1.tgz', 'PKGNAME=a-1\nDESCRIPTION=DEPENDS=gone>=1\nXDEPENDS=gone>=1\n\n'));
    assert.deepEqual(report.missingDependencies, []);
  });

  test('are not read from a rejected package', async () => {
    const { record, warnings, ...facts } = row('a-1.tgz', 'PKGNAME=a-1\nDEPENDS=gone>=1\n\n');
    const report = await reportOf({ ...facts, state: 'rejected', reason: { code: 'empty', message: '' } });
    assert.equal(report.packages, 0);
  });

  for (const encoding of ['utf8', 'latin1'] as const) {
    test(`are decoded from ${encoding}`, async () => {
      const record = Buffer.from('PKGNAME=größe-1\nDEPENDS=größe>=1\nDEPENDS=häßlich>=1\n\n', encoding);
      const report = await reportOf(row('a.tgz', record));
      assert.deepEqual(report.missingDependencies, [
        { pattern: 'häßlich>=1', problem: undefined, neededBy: ['größe-1'] },
      ]);
    });
  }
});

test('there is a report at the limit of kept characters, and none beyond it', async () => {
  const { factsTextCharacters, factsReferenceCharacters } = consistencyLimits;
  const texts = ['abc-1', 'x/abc', 'abc>=1', 'i386'];
  const characters = texts.join('').length + texts.length * factsTextCharacters + factsReferenceCharacters;
  for (const [charactersMax, packages] of [
    [characters, 1],
    [characters - 1, undefined],
  ] as const) {
    const facts = new RepositoryFacts(charactersMax);
    facts.add(row('abc-1.tgz', 'PKGNAME=abc-1\nPKGPATH=x/abc\nMACHINE_ARCH=i386\nDEPENDS=abc>=1\nDEPENDS=abc>=1\n\n'));
    assert.equal((await facts.check())?.packages, packages);
  }
});
