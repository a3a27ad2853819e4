import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Difference } from '../functions/index/difference.ts';
import { eventLimits, publicationEvent } from '../functions/publication-event.ts';
import type { Publication } from '../functions/summarize.ts';

/** As much of it as the event is made of. */
const published = (difference: Difference | undefined) =>
  ({
    outcome: 'published',
    publishedAt: new Date('2026-11-07T09:05:03Z'),
    summary: { records: 3 },
    difference,
  }) as unknown as Publication & { readonly outcome: 'published' };

describe('the event of a publication', () => {
  it('says what changed', () => {
    const difference = { added: ['a.tgz'], removed: ['b.tgz', 'c.tgz'], changed: [] };
    assert.deepEqual(publicationEvent('All', published(difference)), {
      repository: 'All',
      sequence: 1_794_042_303,
      published: '2026-11-07T09:05:03.000Z',
      packages: 3,
      ...difference,
      totals: { added: 1, removed: 2, changed: 0 },
    });
  });

  it('does not say it where an index was replaced that was not ours', () => {
    const { added, removed, changed, totals } = publicationEvent('All', published(undefined));
    assert.deepEqual([added, removed, changed, totals], [null, null, null, null]);
  });

  it('names so many files of a kind, counts all of them, and fits into a message', () => {
    const { namesMax } = eventLimits;
    const names = Array.from({ length: namesMax + 1 }, (_, index) => `${index}`.padEnd(255, 'x'));
    const exact = publicationEvent('All', published({ added: names.slice(1), removed: [], changed: [] }));
    assert.equal(exact.added?.length, namesMax);
    const event = publicationEvent('r'.repeat(1_024), published({ added: names, removed: names, changed: names }));
    assert.deepEqual(event.added, names.slice(0, namesMax));
    assert.equal(event.totals?.added, namesMax + 1);
    assert.ok(JSON.stringify(event).length < 256 * 1_024);
  });
});
