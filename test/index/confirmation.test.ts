import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CannotRun } from '../../functions/failures.ts';
import { confirm, readConfirmation } from '../../functions/index/confirmation.ts';
import type { ObjectStore } from '../../functions/ports.ts';
import { ManualClock } from '../adapters/manual-clock.ts';
import { MemoryObjects } from '../adapters/memory-objects.ts';

const heldBack = { reason: 'rules', index: '"1"', from: 25, to: 3, files: [], since: new Date(0) } as never;

/** Another operator confirms each time just before, so many times. */
function contended(objects: MemoryObjects, times: number): Pick<ObjectStore, 'head' | 'put'> {
  let left = times;
  return {
    head: (key) => objects.head(key),
    async put(key, body, options) {
      if (left > 0) {
        left -= 1;
        const head = await objects.head(key);
        const condition = head === undefined ? ({ ifNoneMatch: '*' } as const) : { ifMatch: head.etag };
        await objects.put(key, Buffer.from(`${left}`), { ...options, condition });
      }
      return await objects.put(key, body, options);
    },
  };
}

it('a confirmation that meets another one is written after it', async () => {
  const [objects, clock] = [new MemoryObjects(), new ManualClock()];
  await confirm({ objects: contended(objects, 4), clock }, 'All', heldBack);
  assert.deepEqual(await readConfirmation(objects, 'All'), { index: '"1"', to: 3 });
});

it('a confirmation that meets others five times is given up with a sentence', async () => {
  const [objects, clock] = [new MemoryObjects(), new ManualClock()];
  await assert.rejects(
    confirm({ objects: contended(objects, 5), clock }, 'All', heldBack),
    (error: Error) => error instanceof CannotRun && /try again later/.test(error.message),
  );
});
