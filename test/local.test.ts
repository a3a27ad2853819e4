import assert from 'node:assert/strict';
import { it } from 'node:test';
import { hintLimits } from '../functions/adapters/local/memory-hints.ts';
import { LocalIndexer, type LocalStores, localLimits } from '../functions/local.ts';
import { ManualClock, settle } from './adapters/manual-clock.ts';
import { MemoryObjects } from './adapters/memory-objects.ts';
import { MemoryRecords } from './adapters/memory-records.ts';

it('an indexer that is closed works for a moment longer, and leaves the rest of its queue to the next start', async () => {
  const clock = new ManualClock();
  const reads: (() => void)[] = [];
  class SlowObjects extends MemoryObjects {
    override async head(): Promise<undefined> {
      await new Promise<void>((resolve) => reads.push(resolve));
    }
  }
  const objects = new SlowObjects();
  const stores = {
    objects,
    records: new MemoryRecords(),
    loss: async () => undefined,
    release: () => undefined,
  } as unknown as LocalStores;
  const indexer = new LocalIndexer(stores, {
    formats: ['gz'],
    page: undefined,
    rules: { architectures: [] },
    clock,
    events: { onSummarized: () => {}, onSummarizeFailed: () => {}, onNotice: () => {} },
  });
  await indexer.send(Array.from({ length: 100 }, (_, n) => ({ key: `All/x-${n}.tgz` })));
  await settle();
  const closed = indexer.close();
  await clock.advance(localLimits.closeMillisecondsMax - 1);
  assert.equal(indexer.hints.pending, 100);
  await clock.advance(1);
  assert.equal(indexer.hints.pending, hintLimits.hintsConcurrentMax);
  for (const resolve of reads) resolve();
  while (indexer.hints.pending > 0) {
    await settle();
    for (const resolve of reads.splice(0)) resolve();
  }
  await closed;
});
