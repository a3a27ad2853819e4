import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { differenceOf } from '../../functions/index/difference.ts';
import { buildSummary } from '../../functions/index/summary.ts';
import { compareByBytes } from '../../functions/keys.ts';
import type { Row } from '../../functions/ports.ts';
import { runs } from '../thoroughness.ts';
import { each } from './summary-text.ts';

/** File → what differs in its record. Small blocks, so that there are several. */
type Files = ReadonlyMap<string, string>;

async function blocksOf(files: Files, formats: readonly ('gz' | 'zst')[] = ['gz']) {
  const rows = [...files]
    .sort(([a], [b]) => compareByBytes(a, b))
    .map(
      ([file, comment]): Row => ({
        repository: 'All',
        file,
        etag: 'e',
        size: 7,
        lastModified: new Date(0),
        indexedAt: new Date(0),
        rules: '',
        state: 'indexed',
        record: Buffer.from(`PKGNAME=x-1\nCOMMENT=${comment}\nFILE_NAME=${file}\nFILE_SIZE=7\n\n`),
        warnings: [],
      }),
    );
  return (await buildSummary(each(rows), [], { formats, blockBytes: 256 })).blocks;
}

const filesArbitrary = fc
  .dictionary(fc.stringMatching(/^[a-e]{1,2}\.tgz$/), fc.constantFrom('one', 'two'), { maxKeys: 20 })
  .map((record): Files => new Map(Object.entries(record)));

describe('the difference of two indexes', () => {
  it('is what was added, removed and changed', async () => {
    await fc.assert(
      fc.asyncProperty(filesArbitrary, filesArbitrary, async (before, after) => {
        const names = (files: Files, isIn: (file: string) => boolean) =>
          [...files.keys()].filter(isIn).sort(compareByBytes);
        assert.deepEqual(differenceOf(await blocksOf(before), await blocksOf(after)), {
          added: names(after, (file) => !before.has(file)),
          removed: names(before, (file) => !after.has(file)),
          changed: names(after, (file) => before.has(file) && before.get(file) !== after.get(file)),
        });
      }),
      { numRuns: runs(200) },
    );
  });

  it('to no index is everything', async () => {
    const blocks = await blocksOf(new Map([['a.tgz', 'one']]));
    assert.deepEqual(differenceOf([], blocks), { added: ['a.tgz'], removed: [], changed: [] });
  });

  it('is not known of an index without gz, or with a damaged block', async () => {
    const files = new Map([['a.tgz', 'one']]);
    const [block = assert.fail()] = await blocksOf(files);
    assert.equal(differenceOf([], await blocksOf(files, ['zst'])), undefined);
    const damaged = { ...block, pieces: new Map([['gz', Buffer.from('damaged')]] as const) };
    assert.equal(differenceOf([damaged], []), undefined);
  });
});
