/** What every RecordTable promises. Run over each adapter; an adapter that passes can stand for any other. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import type { IndexedRow, RecordTable, RejectedRow, Repository, Row, RowTag } from '../../functions/ports.ts';
import { recordLimits } from '../../functions/record/limits.ts';

export interface OpenedRecordTable {
  readonly table: RecordTable;
  /** What the change stream has told so far, oldest first; absent where it can only be seen elsewhere (DynamoDB Streams). */
  readonly changes?: readonly Repository[];
  close(): Promise<void>;
}

export interface RecordTableTraits {
  /** Whether `changes` is there to be looked at. */
  readonly changeStream: 'at hand' | 'elsewhere';
}

const repository = 'packages/SmartOS/2018Q1/x86_64/All';

export function indexedRow(file: string, more: Partial<IndexedRow> = {}): IndexedRow {
  return {
    repository,
    file,
    etag: `"${file}"`,
    size: 12_345,
    lastModified: new Date('2026-02-03T04:05:06Z'),
    indexedAt: new Date('2026-02-03T04:05:07.089Z'),
    rules: '1 x86_64',
    state: 'indexed',
    record: Buffer.from(`PKGNAME=${file}\n\n`),
    warnings: [],
    ...more,
  };
}

export function rejectedRow(file: string, more: Partial<RejectedRow> = {}): RejectedRow {
  const { record: _, warnings: __, ...facts } = indexedRow(file);
  return { ...facts, state: 'rejected', reason: { code: 'not-a-package', message: 'Latin-1 or not: é ☃' }, ...more };
}

/** A row as plain values, so that it does not matter which kind of byte array a table gives. */
function plain(row: Row | undefined): unknown {
  return row?.record === undefined ? row : { ...row, record: Buffer.from(row.record).toString('latin1') };
}

export function recordTableContract(
  name: string,
  open: () => Promise<OpenedRecordTable>,
  { changeStream }: RecordTableTraits,
): void {
  describe(`${name} keeps the promises of RecordTable`, () => {
    let opened: OpenedRecordTable;
    let table: RecordTable;

    beforeEach(async () => {
      opened = await open();
      table = opened.table;
    });
    afterEach(() => opened.close());

    async function filesOf(repository: Repository): Promise<string[]> {
      const files: string[] = [];
      for await (const { file } of table.rows(repository)) files.push(file);
      return files;
    }
    async function repositories(): Promise<Repository[]> {
      const found: Repository[] = [];
      for await (const repository of table.repositories()) found.push(repository);
      assert.equal(new Set(found).size, found.length, 'a repository was told twice');
      return found.sort();
    }

    it('has nothing at first', async () => {
      assert.equal(await table.row(repository, 'a-1.0.tgz'), undefined);
      assert.deepEqual(await filesOf(repository), []);
      assert.deepEqual(await repositories(), []);
    });

    describe('gives back a row as it was put', () => {
      const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);
      const rows: Record<string, Row> = {
        indexed: indexedRow('a-1.0.tgz'),
        'with warnings': indexedRow('a-1.0.tgz', { warnings: ['name-mismatch', 'not-installable'] }),
        'with Latin-1 in the record': indexedRow('a-1.0.tgz', { record: Buffer.from('COMMENT=f\xfcr\n\n', 'latin1') }),
        'with every byte in the record': indexedRow('a-1.0.tgz', { record: everyByte }),
        rejected: rejectedRow('a-1.0.tgz'),
        'rejected with its record': rejectedRow('a-1.0.tgz', { record: everyByte }),
        'of other rules': indexedRow('a-1.0.tgz', { rules: '2 aarch64 x86_64' }),
        'of an older version, without rules': rejectedRow('a-1.0.tgz', { rules: '' }),
        'rejected with a reason of 1,000 characters': rejectedRow('a-1.0.tgz', {
          reason: { code: 'truncated', message: '\u00e9'.repeat(recordLimits.reasonCharactersMax) },
        }),
        'signed by a known key': indexedRow('a-1.0.tgz', {
          signature: { state: 'good', keyId: '0123456789ABCDEF', fingerprint: 'AB', name: 'Ü <u@x>', findings: [] },
        }),
        'with a signature of an unknown key': rejectedRow('a-1.0.tgz', {
          signature: { state: 'problem', code: 'untrusted-key', message: 'expected a signature by a trusted key' },
        }),
        'of an empty object': rejectedRow('a-1.0.tgz', { size: 0 }),
        'of an object of 6 GB': indexedRow('a-1.0.tgz', { size: 6 * 1024 ** 3 }),
        'in the root of the bucket': indexedRow('a-1.0.tgz', { repository: '' }),
        'of an odd name': indexedRow("gtk2+-2.24~1 %2B&'\u00fc\u{1f4e6}.tgz", { repository: 'a b/c+d/\u00fc' }),
      };
      for (const [name, row] of Object.entries(rows)) {
        it(name, async () => {
          await table.putRow(row);
          assert.deepEqual(plain(await table.row(row.repository, row.file)), plain(row));
          const listed: unknown[] = [];
          for await (const found of table.rows(row.repository)) listed.push(plain(found));
          assert.deepEqual(listed, [plain(row)]);
          assert.deepEqual(await repositories(), [row.repository]);
        });
      }

      it('with a record of the largest size', async () => {
        const record = Buffer.alloc(recordLimits.recordBytesMax, 'CATEGORIES=\xe9\n', 'latin1');
        await table.putRow(indexedRow('large-1.0.tgz', { record }));
        const row = await table.row(repository, 'large-1.0.tgz');
        assert.ok(row?.state === 'indexed');
        assert.ok(record.equals(row.record));
      });
    });

    it('gives the tags of all rows in order, or of those behind a file', async () => {
      for (const name of ['b', 'é', 'a', 'B']) await table.putRow(indexedRow(name, { rules: `2 ${name}` }));
      await table.putRow(rejectedRow('a+', { rules: '' }));
      await table.putRow(indexedRow('x', { repository: 'other' }));
      await table.requestSummary(repository);
      const tagsOf = async (after?: string) => {
        const tags: RowTag[] = [];
        for await (const tag of table.rowTags(repository, after)) tags.push({ ...tag });
        return tags;
      };
      const all = [
        { file: 'B', etag: '"B"', rules: '2 B' },
        { file: 'a', etag: '"a"', rules: '2 a' },
        { file: 'a+', etag: '"a+"', rules: '' },
        { file: 'b', etag: '"b"', rules: '2 b' },
        { file: 'é', etag: '"é"', rules: '2 é' },
      ];
      assert.deepEqual(await tagsOf(), all);
      assert.deepEqual(await tagsOf('a'), all.slice(2));
      assert.deepEqual(await tagsOf('aa'), all.slice(3));
      assert.deepEqual(await tagsOf('é'), []);
    });

    it('replaces a row, also by one of the other state', async () => {
      const rows = [
        indexedRow('a'),
        rejectedRow('a', { etag: '"1"', record: Buffer.from('PKGNAME=a\n\n') }),
        rejectedRow('a', { etag: '"2"' }),
        rejectedRow('a', { etag: '"3"' }),
        indexedRow('a', { etag: '"4"' }),
      ];
      for (const row of rows) {
        await table.putRow(row);
        assert.deepEqual(plain(await table.row(repository, 'a')), plain(row));
        assert.deepEqual(await filesOf(repository), ['a']);
      }
    });

    it('deletes a row, of that repository only, and is content where there is none', async () => {
      await table.putRow(indexedRow('a'));
      await table.putRow(indexedRow('b'));
      await table.putRow(indexedRow('a', { repository: 'other' }));
      await table.deleteRow(repository, 'a');
      await table.deleteRow(repository, 'a');
      await table.deleteRow('none', 'a');
      assert.equal(await table.row(repository, 'a'), undefined);
      assert.deepEqual(await filesOf(repository), ['b']);
      assert.deepEqual(await filesOf('other'), ['a']);
    });

    it('keeps repositories apart, also where one name begins with the other', async () => {
      for (const name of ['', 'All', 'All2', 'All/x', 'all']) {
        await table.putRow(indexedRow(`in-${name}`.replaceAll('/', '-'), { repository: name }));
      }
      assert.deepEqual(await filesOf('All'), ['in-All']);
      assert.deepEqual(await filesOf(''), ['in-']);
      assert.deepEqual(await repositories(), ['', 'All', 'All/x', 'All2', 'all']);
    });

    it('gives rows in the order of the bytes of their names', async () => {
      const ordered = ['+', '+a', '-', '0', '10', '9', 'A', 'Z', '_', 'a', 'a+', 'a-1', 'a.', 'aa', '~', '\u00fc'];
      const beyondTheBasicPlane = ['\uff5e', '\u{1f4e6}'];
      for (const file of [...ordered, ...beyondTheBasicPlane].reverse()) await table.putRow(indexedRow(file));
      assert.deepEqual(await filesOf(repository), [...ordered, ...beyondTheBasicPlane]);
    });

    it('gives rows of any names in the order of their bytes', async () => {
      const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 });
      const samples = fc.sample(fc.uniqueArray(name, { minLength: 1, maxLength: 12 }), 10);
      for (const [index, files] of samples.entries()) {
        const repository = `sample-${index}`;
        for (const file of files) await table.putRow(indexedRow(file, { repository }));
        const expected = [...files].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        assert.deepEqual(await filesOf(repository), expected);
      }
    });

    it('gives 1,500 rows, each once', async () => {
      const files = Array.from({ length: 1500 }, (_, index) => `package-${String(index).padStart(4, '0')}.tgz`);
      for (let start = 0; start < files.length; start += 50) {
        await Promise.all(files.slice(start, start + 50).map((file) => table.putRow(indexedRow(file))));
      }
      assert.deepEqual(await filesOf(repository), files);
    });

    it('gives rows while others write: every row that stays, once and in order', async () => {
      const files = Array.from({ length: 300 }, (_, index) => `package-${String(index).padStart(4, '0')}`);
      for (const file of files) await table.putRow(indexedRow(file));
      const seen: string[] = [];
      for await (const { file } of table.rows(repository)) {
        seen.push(file);
        if (seen.length % 50 !== 0) continue;
        await table.putRow(indexedRow(`${file}-added`));
        await table.putRow(indexedRow(file, { etag: '"replaced"' }));
        await table.deleteRow(repository, 'package-0299');
      }
      const expected = files.slice(0, -1);
      assert.deepEqual(
        seen.filter((file) => expected.includes(file)),
        expected,
      );
      assert.deepEqual(seen, [...seen].sort());
    });

    it('can be read by two at once', async () => {
      for (const file of ['a', 'b', 'c']) await table.putRow(indexedRow(file));
      assert.deepEqual(await Promise.all([filesOf(repository), filesOf(repository)]), [
        ['a', 'b', 'c'],
        ['a', 'b', 'c'],
      ]);
    });

    describe('run numbers', () => {
      it('count from 1, for each repository', async () => {
        assert.equal(await table.lastRun(repository), 0);
        assert.equal(await table.takeRun(repository), 1);
        assert.equal(await table.takeRun(repository), 2);
        assert.equal(await table.takeRun(''), 1);
        assert.equal(await table.lastRun(repository), 2);
        assert.equal(await table.lastRun('none'), 0);
      });

      it('are taken once each, by however many at once', async () => {
        const runs = await Promise.all(Array.from({ length: 50 }, () => table.takeRun(repository)));
        assert.deepEqual(
          runs.sort((a, b) => a - b),
          Array.from({ length: 50 }, (_, index) => index + 1),
        );
        assert.equal(await table.lastRun(repository), 50);
      });

      it('make a repository known that has no row', async () => {
        await table.takeRun(repository);
        assert.deepEqual(await repositories(), [repository]);
      });

      it('go on after the last row is gone, and the repository stays known', async () => {
        await table.putRow(indexedRow('a'));
        await table.takeRun(repository);
        await table.deleteRow(repository, 'a');
        assert.deepEqual(await repositories(), [repository]);
        assert.equal(await table.takeRun(repository), 2);
      });
    });

    it('remembers which repositories are adopted, whatever else happens to them', async () => {
      assert.equal((await table.state(repository)).isAdopted, false);
      await table.takeRun(repository);
      assert.equal((await table.state(repository)).isAdopted, false);
      await table.markAdopted(repository);
      await table.markAdopted(repository);
      assert.equal((await table.state(repository)).isAdopted, true);
      assert.equal((await table.state('other')).isAdopted, false);
      assert.equal(await table.takeRun(repository), 2);
      await table.putRow(indexedRow('a'));
      await table.deleteRow(repository, 'a');
      assert.equal((await table.state(repository)).isAdopted, true);
    });

    it('forgets that a repository is adopted, and gives it a later run number when it comes back', async () => {
      for (const name of [repository, repository, 'other']) await table.takeRun(name);
      await table.markAdopted(repository);
      await table.markAdopted('other');
      await table.forget(repository);
      await table.forget(repository);
      assert.equal((await table.state(repository)).isAdopted, false);
      assert.equal((await table.state('other')).isAdopted, true);
      await table.markAdopted(repository);
      assert.equal((await table.state(repository)).isAdopted, true);
      assert.ok((await table.takeRun(repository)) > 2);
      await table.forget(repository);
      assert.ok((await table.takeRun(repository)) > 3);
    });

    it('remembers what is held back, until it is not', async () => {
      assert.deepEqual(await table.state(repository), { isAdopted: false, heldBack: undefined });
      const heldBack = {
        reason: 'foreign-index',
        from: 20_002,
        to: 3_880,
        files: ['a-1.0.tgz', 'é-1.0.tgz'],
        index: '"e"',
        since: new Date('2026-02-03T04:05:07.089Z'),
      } as const;
      await table.setHeldBack(repository, heldBack);
      assert.deepEqual(await table.state(repository), { isAdopted: false, heldBack });
      await table.markAdopted(repository);
      await table.takeRun(repository);
      assert.deepEqual(await table.state(repository), { isAdopted: true, heldBack });
      await table.setHeldBack(repository, { ...heldBack, to: 0, files: [] });
      assert.deepEqual((await table.state(repository)).heldBack, { ...heldBack, to: 0, files: [] });
      assert.equal((await table.state('other')).heldBack, undefined);
      await table.setHeldBack(repository, undefined);
      await table.setHeldBack(repository, undefined);
      assert.deepEqual(await table.state(repository), { isAdopted: true, heldBack: undefined });
      assert.equal(await table.lastRun(repository), 1);
      await table.setHeldBack(repository, heldBack);
      await table.forget(repository);
      assert.deepEqual(await table.state(repository), { isAdopted: false, heldBack: undefined });
    });

    it('marks a repository adopted that has had no run', async () => {
      await table.markAdopted('new');
      assert.equal((await table.state('new')).isAdopted, true);
      assert.equal(await table.lastRun('new'), 0);
      assert.equal(await table.takeRun('new'), 1);
    });

    it('a summary that was asked for changes no row', async () => {
      await table.putRow(indexedRow('a'));
      await table.requestSummary(repository);
      await table.requestSummary('without-rows');
      assert.deepEqual(await filesOf(repository), ['a']);
      assert.deepEqual(await filesOf('without-rows'), []);
    });

    if (changeStream === 'at hand') {
      it('its change stream tells of every change, and of nothing else', async () => {
        await table.putRow(indexedRow('a'));
        await table.putRow(indexedRow('a', { etag: '"2"' }));
        await table.putRow(rejectedRow('b', { repository: 'other' }));
        await table.deleteRow('other', 'b');
        await table.deleteRow('other', 'b');
        await table.takeRun(repository);
        await table.markAdopted(repository);
        await filesOf(repository);
        await table.requestSummary('third');
        assert.deepEqual(opened.changes, [repository, repository, 'other', 'other', 'third']);
      });
    }
  });
}
