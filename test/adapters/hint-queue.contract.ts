/** What every DelayedHintQueue promises: everything sent is delivered, at least once, as it was sent. Run over each adapter. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { DelayedHintQueue, Hint } from '../../functions/ports.ts';
import { oddKeys } from './object-store.contract.ts';

export interface OpenedHintQueue {
  readonly queue: DelayedHintQueue;
  /** Everything that was delivered so far; a hint may be there more than once. */
  delivered(): Promise<readonly Hint[]>;
  /** Lets the time pass. */
  pass(milliseconds: number): Promise<void>;
  close(): Promise<void>;
}

const deadlineMilliseconds = 20_000;
const pollMilliseconds = 5;

const plain = ({ key, force = false }: Hint): string => `${force ? 'forced ' : ''}${key}`;

export function hintQueueContract(name: string, open: () => Promise<OpenedHintQueue>): void {
  describe(`${name} keeps the promises of DelayedHintQueue`, () => {
    let opened: OpenedHintQueue;
    let queue: DelayedHintQueue;

    beforeEach(async () => {
      opened = await open();
      queue = opened.queue;
    });
    afterEach(() => opened.close());

    /** Waits until all of these were delivered; fails where anything else was. */
    async function assertDelivered(hints: readonly Hint[]): Promise<void> {
      const expected = new Set(hints.map(plain));
      const deadline = Date.now() + deadlineMilliseconds;
      for (;;) {
        const found = new Set((await opened.delivered()).map(plain));
        const neverSent = [...found].filter((hint) => !expected.has(hint));
        assert.deepEqual(neverSent, [], 'delivered, but never sent');
        const missing = [...expected].filter((hint) => !found.has(hint));
        if (missing.length === 0) return;
        assert.ok(Date.now() < deadline, `not delivered: ${missing.slice(0, 10)} (${missing.length} in all)`);
        await setTimeout(pollMilliseconds);
      }
    }

    it('delivers a hint', async () => {
      await queue.send([{ key: 'All/a-1.0.tgz' }]);
      await assertDelivered([{ key: 'All/a-1.0.tgz' }]);
    });

    it('delivers force to where it was sent, and nowhere else', async () => {
      const hints = [{ key: 'a' }, { key: 'b', force: true }, { key: 'c', force: false }];
      await queue.send(hints);
      await assertDelivered(hints);
    });

    it('delivers odd keys as they are', async () => {
      const hints = oddKeys.map((key, index) => (index % 2 === 0 ? { key } : { key, force: true }));
      await queue.send(hints);
      await assertDelivered(hints);
    });

    it('delivers a key of 1,024 bytes', async () => {
      const key = `All/${'\u00fc'.repeat(508)}.tgz`;
      assert.equal(Buffer.byteLength(key), 1024);
      await queue.send([{ key }]);
      await assertDelivered([{ key }]);
    });

    it('delivers a hint that is sent for later, and not before', async () => {
      await queue.sendAfter([{ key: 'later' }], 2_000);
      await queue.send([{ key: 'now' }]);
      await assertDelivered([{ key: 'now' }]);
      await opened.pass(2_000);
      await assertDelivered([{ key: 'now' }, { key: 'later' }]);
    });

    it('takes an empty list', async () => {
      await queue.send([]);
      await queue.send([{ key: 'a' }]);
      await assertDelivered([{ key: 'a' }]);
    });

    it('delivers 1,003 hints of one send', async () => {
      const hints = Array.from({ length: 1003 }, (_, index) => ({ key: `All/package-${index}.tgz` }));
      await queue.send(hints);
      await assertDelivered(hints);
    });

    it('delivers the hints of many sends at once', async () => {
      const hints = Array.from({ length: 100 }, (_, index) => ({ key: `All/package-${index}.tgz` }));
      await Promise.all(hints.map((hint) => queue.send([hint])));
      await assertDelivered(hints);
    });

    it('delivers a key again that is sent again after it was delivered', async () => {
      await queue.send([{ key: 'a' }]);
      await assertDelivered([{ key: 'a' }]);
      const before = (await opened.delivered()).length;
      await queue.send([{ key: 'a' }]);
      const deadline = Date.now() + deadlineMilliseconds;
      while ((await opened.delivered()).length === before) {
        assert.ok(Date.now() < deadline, 'not delivered again');
        await setTimeout(pollMilliseconds);
      }
    });
  });
}
