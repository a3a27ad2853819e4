import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { packageLimits } from '../../functions/package/limits.ts';
import { readPackage } from '../../functions/package/read-package.ts';
import { type Entry, entriesOf, makeArchive, paxRecord } from '../package-maker.ts';
import { assertMalformed, ByteSource, recordOf } from './byte-source.ts';

const files = [
  'sparse-pax-0.0.tgz',
  'sparse-pax-0.1.tgz',
  'sparse-pax-1.0.tgz',
  'sparse-gnu.tgz',
  'sparse-libarchive.tgz',
];

const [contents, comment, description] = entriesOf({}) as [Entry, Entry, Entry];

/** +DESC with these records in its pax header, and this in the archive. */
function withSparse(records: Readonly<Record<string, string>>, body: string | Uint8Array): Buffer {
  const header = Object.entries(records).map(([keyword, value]) => paxRecord(`GNU.sparse.${keyword}`, value));
  const extension = { name: 'PaxHeader', type: 'x', body: header.join('') };
  return makeArchive([contents, comment, extension, { name: 'GNUSparseFile.0/+DESC', body }]);
}

async function descriptionOf(archive: Uint8Array): Promise<string> {
  return Buffer.from((await readPackage(new ByteSource(archive))).description).toString('latin1');
}

const version1 = { major: '1', minor: '0', name: '+DESC' };

function map(text: string): string {
  return text.padEnd(512, '\0');
}

describe('metadata with holes', () => {
  for (const file of files) {
    it(`is read as by pkg_info, where a NUL ends it: ${file}`, async () => {
      const bytes = readFileSync(join(import.meta.dirname, '../fixtures/compressed', file));
      const record = Buffer.from(await recordOf(bytes, file)).toString('latin1');
      const expected = [
        'PKGNAME=sparse-1.0',
        'DEPENDS=x>=1',
        'COMMENT=A package with holes',
        'OPSYS=NetBSD',
        `FILE_NAME=${file}`,
        `FILE_SIZE=${bytes.length}`,
        'DESCRIPTION=first line',
        '\n',
      ];
      assert.equal(record, expected.join('\n'));
    });
  }

  it('has its data where the map says', async () => {
    const holes = { ...version1, realsize: '12' };
    assert.equal(await descriptionOf(withSparse(holes, `${map('2\n0\n3\n3\n4\n')}abcdefg`)), 'abcdefg');
    assert.equal(await descriptionOf(withSparse({ ...holes, realsize: '3' }, `${map('1\n0\n3\n')}abc`)), 'abc');
    assert.equal(await descriptionOf(withSparse({ ...holes, realsize: '0' }, map('0\n'))), '');
    assert.equal(await descriptionOf(withSparse({ name: '+DESC', size: '3', map: '0,3' }, 'abc')), 'abc');
    assert.equal(await descriptionOf(withSparse({ name: '+DESC', size: '3', map: '1,2' }, 'bc')), '');
  });

  const damaged: readonly (readonly [what: string, records: Readonly<Record<string, string>>, body: string])[] = [
    ['no size', version1, map('0\n')],
    ['a size that is no number', { ...version1, realsize: '-1' }, map('0\n')],
    ['no map', { ...version1, realsize: '9' }, ''],
    ['a map without an end', { ...version1, realsize: '9' }, '1'.repeat(600)],
    ['a map of letters', { ...version1, realsize: '9' }, map('1\na\nb\n')],
    ['a map of too many pieces', { ...version1, realsize: '9' }, map('999999999999\n')],
    ['data beyond the size', { ...version1, realsize: '2' }, `${map('1\n0\n3\n')}abc`],
    ['less data than the map says', { ...version1, realsize: '9' }, `${map('1\n0\n5\n')}abc`],
    ['pieces out of order', { ...version1, realsize: '9' }, `${map('2\n4\n2\n0\n2\n')}abcd`],
    ['an odd map', { name: '+DESC', size: '9', map: '0,3,5' }, 'abc'],
    ['an empty map', { name: '+DESC', size: '9', map: '' }, ''],
  ];
  for (const [what, records, body] of damaged) {
    it(`is refused with ${what}`, async () => {
      await assertMalformed(descriptionOf(withSparse(records, body)), 'corrupt-archive', /a map of a file with holes/);
    });
  }

  it('is limited like other metadata, however little is stored', async () => {
    const { textFileBytesMax } = packageLimits;
    const ofSize = (size: number) => withSparse({ ...version1, realsize: `${size}` }, `${map('1\n0\n3\n')}abc`);
    assert.equal(await descriptionOf(ofSize(textFileBytesMax)), 'abc');
    await assertMalformed(descriptionOf(ofSize(textFileBytesMax + 1)), 'too-large', /\+DESC of at most/);
  });

  it('may be damaged in a file of the payload, which is not read', async () => {
    const extension = { name: 'x', type: 'x', body: paxRecord('GNU.sparse.name', 'bin/x') };
    await recordOf(makeArchive([contents, comment, description, extension, { name: 'y' }]));
    await recordOf(makeArchive([contents, comment, description, { name: 'bin/x', type: 'S', header: { 483: 'zzz' } }]));
  });
});
