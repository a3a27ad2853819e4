import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type IndexFormatName, indexFormatNames, indexFormats } from '../../functions/index/index-formats.ts';
import { buildSummary, changeSummary, type Summary, splitIndex } from '../../functions/index/summary.ts';
import { compareByBytes } from '../../functions/keys.ts';
import type { IndexedRow, RejectedRow, Row } from '../../functions/ports.ts';
import { readIndex } from '../pkgin-reader.ts';
import { runs } from '../thoroughness.ts';
import { each, indexOf, summaryOf, summaryOptions, textOf } from './summary-text.ts';

const facts = {
  repository: 'All',
  etag: 'e',
  size: 7,
  lastModified: new Date('2026-01-01T00:00:00Z'),
  indexedAt: new Date('2026-01-02T00:00:00Z'),
  rules: '',
};

function indexed(file: string, name: string, more: Partial<IndexedRow> = {}): IndexedRow {
  const record = Buffer.from(`PKGNAME=${name}\nCOMMENT=\xe9\nFILE_NAME=`, 'latin1');
  const rest = Buffer.from(`${file}\nFILE_SIZE=7\n\n`);
  return { ...facts, file, state: 'indexed', record: Buffer.concat([record, rest]), warnings: [], ...more };
}

function rejected(file: string): RejectedRow {
  return { ...facts, file, state: 'rejected', reason: { code: 'truncated', message: 'expected more, found the end' } };
}

/** What is published of it. */
function published(summary: Summary, blockBytes: number): Map<IndexFormatName, Uint8Array> {
  return new Map(indexFormatNames.map((format) => [format, indexOf(format, summary, blockBytes)]));
}

describe('a summary', () => {
  it('is the records, one behind the other, in the order of the rows, byte for byte', async () => {
    const rows = [indexed('a.tgz', 'z-1.0'), indexed('b.tgz', 'a-1.0'), indexed('c.tgz', 'm-1.0')];
    const summary = await summaryOf(rows);
    assert.deepEqual(textOf(summary), Buffer.concat(rows.map(({ record }) => record)));
    assert.equal(summary.records, 3);
  });

  it('of nothing is one line feed', async () => {
    for (const rows of [[], [rejected('a.tgz')]]) {
      const summary = await summaryOf(rows);
      assert.equal(textOf(summary).toString(), '\n');
      assert.equal(summary.records, 0);
    }
  });

  it('leaves the rejected ones out, and counts them', async () => {
    const good = indexed('b.tgz', 'b-1.0');
    const summary = await summaryOf([rejected('a.tgz'), good, rejected('c.tgz')]);
    assert.deepEqual(textOf(summary), good.record);
    assert.deepEqual([summary.records, summary.counted?.rejected], [1, 2]);
  });

  it('counts the warnings, and every file that shares its PKGNAME', async () => {
    const warned = indexed('a.tgz', 'a-1.0', { warnings: ['name-mismatch', 'not-installable'] });
    assert.equal((await summaryOf([warned, indexed('b.tgz', 'b-1.0')])).counted?.warnings, 2);
    assert.equal((await summaryOf([warned, indexed('b.tgz', 'a-1.0')])).counted?.warnings, 4);
  });

  it('knows the uploads behind the rows that are new since a time', async () => {
    const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
    const rows = [1, 2, 3].map((second) =>
      indexed(`${second}.tgz`, `x-${second}`, { indexedAt: at(second), lastModified: at(10 * second) }),
    );
    const { uploads } = await summaryOf([...rows, { ...rejected('r.tgz'), indexedAt: at(9) }], { since: at(2) });
    assert.deepEqual(uploads, [at(20), at(30)]);
  });

  it('is a function of the records alone', async () => {
    const later = { indexedAt: new Date(), lastModified: new Date(), etag: 'other', size: 8, repository: 'Other' };
    const one = await summaryOf([indexed('a.tgz', 'a-1.0'), indexed('b.tgz', 'b-1.0')]);
    const two = await summaryOf([
      indexed('a.tgz', 'a-1.0', later),
      rejected('aa.tgz'),
      indexed('b.tgz', 'b-1.0', later),
    ]);
    assert.deepEqual(two.blocks, one.blocks);
    assert.equal(two.digest, one.digest);
    assert.notEqual((await summaryOf([indexed('a.tgz', 'a-1.1')])).digest, one.digest);
  });

  it('is made in those formats that are asked for', async () => {
    const { blocks } = await summaryOf([indexed('a.tgz', 'a-1.0')], { formats: ['zst'] });
    assert.deepEqual([...(blocks[0]?.pieces.keys() ?? [])], ['zst']);
  });

  it('takes over the pieces of blocks that are known, of whatever row they come', async () => {
    const rows = [indexed('a.tgz', 'a-1.0'), indexed('b.tgz', 'b-1.0'), indexed('c.tgz', 'c-1.0')];
    const options = { ...summaryOptions, blockBytes: 1 };
    const known = await buildSummary(each(rows), [], options);
    const changed = await buildSummary(each([indexed('a.tgz', 'a-2.0'), ...rows.slice(1)]), known.blocks, options);
    const isTakenOver = changed.blocks.map(
      ({ pieces }, index) => pieces.get('gz') === known.blocks[index]?.pieces.get('gz'),
    );
    assert.deepEqual(isTakenOver, [false, true, true]);
  });
});

describe('an index that was taken apart', () => {
  const rows = ['a', 'b', 'c'].map((name) => indexed(`${name}.tgz`, `${name}-1.0`));
  const blockBytes = 1;

  it('has the blocks of the summary that it holds', async () => {
    const summary = await summaryOf(rows, { blockBytes });
    assert.deepEqual(splitIndex(published(summary, blockBytes), summary.digest, blockBytes), summary.blocks);
  });

  it('has no blocks where it holds another summary than was said', async () => {
    const summary = await summaryOf(rows, { blockBytes });
    const { digest } = await summaryOf(rows.slice(1), { blockBytes });
    assert.equal(splitIndex(published(summary, blockBytes), digest, blockBytes), undefined);
  });

  it('has no blocks without gz', async () => {
    const summary = await summaryOf(rows, { blockBytes });
    const zst = new Map([['zst', indexOf('zst', summary, blockBytes)] as const]);
    assert.equal(splitIndex(zst, summary.digest, blockBytes), undefined);
  });

  it('has those of gz where zst is absent, or has other blocks', async () => {
    const summary = await summaryOf(rows, { blockBytes });
    const gz = ['gz', indexOf('gz', summary, blockBytes)] as const;
    const other = ['zst', indexOf('zst', await summaryOf(rows.slice(1), { blockBytes }), blockBytes)] as const;
    for (const indexes of [new Map([gz]), new Map<IndexFormatName, Uint8Array>([gz, other])]) {
      const blocks = splitIndex(indexes, summary.digest, blockBytes) ?? [];
      assert.deepEqual(
        blocks.map(({ pieces }) => [...pieces.keys()]),
        rows.map(() => ['gz']),
      );
    }
  });
});

describe('a summary that was changed', () => {
  const blockBytes = 300;
  const options = { ...summaryOptions, blockBytes };

  /** Rows by file; `read` notes what is asked for. */
  function tableOf(rows: Iterable<Row>) {
    const table = new Map([...rows].map((row) => [row.file, row]));
    const asked: string[] = [];
    const read = async (files: readonly string[]) => {
      asked.push(...files);
      return new Map(files.map((file) => [file, table.get(file)]));
    };
    const sorted = () => [...table.values()].sort((a, b) => compareByBytes(a.file, b.file));
    return { table, asked, read, sorted };
  }

  /** All files, as they are known from those of before and those that changed. */
  function filesAfter(before: Summary, { files }: Summary): string[] {
    assert.ok(files.known === 'changed');
    const { presence } = files;
    const kept = filesOf(before).filter((file) => !presence.has(file));
    const present = [...presence].flatMap(([file, is]) => (is === 'present' ? [file] : []));
    return [...kept, ...present].sort(compareByBytes);
  }

  const filesOf = (summary: Summary) =>
    [
      ...textOf(summary)
        .toString()
        .matchAll(/^FILE_NAME=(.*)$/gm),
    ].map(([, file = '']) => file);

  it('is the one that all rows give, byte for byte, whatever changed', async () => {
    const anyFile = fc.oneof(
      fc.nat(99).map((number) => `p${number}-1.0.tgz`),
      fc.constantFrom('A.tgz', 'é-1.tgz', '\u{1f600}.tgz', '\uffff.tgz', 'p5-', 'zz.tgz'),
    );
    const anyRow = fc
      .record({ file: anyFile, length: fc.nat(500), isRejected: fc.nat(5).map((number) => number === 0) })
      .map(({ file, length, isRejected }) => (isRejected ? rejected(file) : indexed(file, `x-${'1'.repeat(length)}`)));
    const anyRows = fc.uniqueArray(anyRow, { selector: ({ file }) => file, maxLength: 60 });
    const anyRound = fc.record({
      put: fc.uniqueArray(anyRow, { selector: ({ file }) => file, maxLength: 8 }),
      deleted: fc.oneof({ weight: 9, arbitrary: fc.array(fc.nat(), { maxLength: 8 }) }, fc.constant('all' as const)),
      /** Told to have changed, and did not. */
      untouched: fc.array(anyFile, { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(
        anyRows,
        fc.array(anyRound, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(1, 100, 300, 2_000, 400_000),
        async (rows, rounds, blockBytes) => {
          const { table, read, sorted } = tableOf(rows);
          const options = { ...summaryOptions, blockBytes };
          let before = await buildSummary(each(sorted()), [], options);
          for (const { put, deleted, untouched } of rounds) {
            const files = [...table.keys()];
            const gone = deleted === 'all' ? files : deleted.flatMap((number) => files[number % files.length] ?? []);
            for (const file of gone) table.delete(file);
            for (const row of put) table.set(row.file, row);
            const blocks = splitIndex(published(before, blockBytes), before.digest, blockBytes) ?? assert.fail();
            const base = { blocks, fileSum: before.fileSum, architectures: before.architectures };
            const changes = new Set([...gone, ...put.map(({ file }) => file), ...untouched]);
            const changed = await changeSummary(base, changes, read, options);
            const rebuilt = await buildSummary(each(sorted()), [], options);
            assert.ok(changed);
            assert.equal(changed.digest, rebuilt.digest);
            assert.equal(changed.records, rebuilt.records);
            assert.equal(changed.fileSum, rebuilt.fileSum);
            assert.deepEqual(changed.architectures, rebuilt.architectures);
            assert.ok(rebuilt.files.known === 'all');
            assert.deepEqual(filesAfter(before, changed), [...rebuilt.files.files]);
            assert.deepEqual(published(changed, blockBytes), published(rebuilt, blockBytes));
            before = changed;
          }
          const records = sorted().flatMap((row) => (row.state === 'indexed' ? [row.record] : []));
          const text = records.length === 0 ? Buffer.from('\n') : Buffer.concat(records);
          for (const format of indexFormatNames)
            assert.deepEqual(Buffer.from(readIndex(indexOf(format, before, blockBytes), format).summary), text);
        },
      ),
      { numRuns: runs(150) },
    );
  });

  it('reads the rows of the files that changed, each once, and no others', async () => {
    const rows = Array.from({ length: 300 }, (_, number) => indexed(`p${number}.tgz`, `p-${number}`));
    const { table, asked, read, sorted } = tableOf(rows);
    const base = await buildSummary(each(sorted()), [], options);
    const { blocks } = base;
    table.delete('p7.tgz');
    const changes = new Set(['p7.tgz', 'p100.tgz', 'p2.tgz', 'new.tgz', ...blocks.map(({ block }) => block.firstFile)]);
    await changeSummary(base, changes, read, options);
    assert.deepEqual(asked.toSorted(), [...changes].toSorted());
  });

  it('compresses no block but those that change', async () => {
    const rows = Array.from({ length: 300 }, (_, number) => indexed(`p${number}.tgz`, `p-${number}`));
    const { table, read, sorted } = tableOf(rows);
    const base = await buildSummary(each(sorted()), [], options);
    const { blocks } = base;
    assert.ok(blocks.length > 20);
    const middle = blocks.find(({ block }) => block.records > 2)?.block.firstFile ?? '';
    const file = sorted()[sorted().findIndex((row) => row.file === middle) + 1]?.file ?? '';
    table.set(file, indexed(file, 'changed-1.0'));
    const pieces = new Set(blocks.map(({ pieces }) => pieces.get('gz')));
    const changed = await changeSummary(base, new Set([file]), read, options);
    const made = changed?.blocks.filter((block) => !pieces.has(block.pieces.get('gz')));
    assert.ok(made !== undefined && made.length >= 1 && made.length <= 2, `${made?.length}`);
  });

  it('knows the uploads among the rows that were read, and does not know what it did not count', async () => {
    const { table, read, sorted } = tableOf([indexed('a.tgz', 'a-1'), indexed('b.tgz', 'b-1')]);
    const base = await buildSummary(each(sorted()), [], options);
    table.set('a.tgz', indexed('a.tgz', 'a-2', { indexedAt: new Date(9), lastModified: new Date(8) }));
    const changed = await changeSummary(base, new Set(['a.tgz']), read, { ...options, since: new Date(9) });
    assert.deepEqual([changed?.uploads, changed?.counted], [[new Date(8)], undefined]);
    const old = await changeSummary(base, new Set(['a.tgz']), read, { ...options, since: new Date(10) });
    assert.deepEqual(old?.uploads, []);
  });

  it('is none where a block that a change is in does not hold what was said', async () => {
    const rows = Array.from({ length: 30 }, (_, number) => indexed(`p${number}.tgz`, `p-${number}`));
    const { read, sorted } = tableOf(rows);
    const base = await buildSummary(each(sorted()), [], options);
    const { blocks } = base;
    const [first, second] = blocks;
    assert.ok(first && second);
    const text = indexFormats[0]?.compress(Buffer.from('something else')) ?? assert.fail();
    const damaged = { ...second, pieces: new Map([['gz', await text] as const]) };
    const miscounted = { ...second, block: { ...second.block, records: second.block.records + 1 } };
    const misnamed = { ...second, block: { ...second.block, firstFile: `${second.block.firstFile}x` } };
    const file = `${second.block.firstFile}y`;
    for (const wrong of [damaged, miscounted, misnamed]) {
      const damagedBase = { ...base, blocks: blocks.with(1, wrong) };
      assert.equal(await changeSummary(damagedBase, new Set([file]), read, options), undefined);
      assert.ok(await changeSummary(damagedBase, new Set([blocks.at(-1)?.block.firstFile ?? '']), read, options));
    }
    assert.ok(await changeSummary(base, new Set([file]), read, options));
  });
});
