/** What a store promises that takes uploads (UploadStore of functions/local.ts). */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { StoreObjects } from '../../../functions/adapters/store/store-objects.ts';
import { uploadPartLimits } from '../../../functions/adapters/store/stored-upload.ts';

const { putBytesMax, partBytes } = uploadPartLimits;
const pieceBytes = 64 * 1024;

/** Bytes that differ from part to part. */
async function* bodyOf(bytes: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes; start += pieceBytes) {
    const piece = Buffer.alloc(Math.min(pieceBytes, bytes - start), start / pieceBytes);
    piece.writeUInt8(start % 251);
    yield piece;
  }
}

async function digestOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

export async function collected<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const all: Value[] = [];
  for await (const value of values) all.push(value);
  return all;
}

export function uploadsContract(
  name: string,
  open: () => Promise<{ readonly store: StoreObjects; close(): Promise<void> }>,
  /** `bytesPerRequest`: the largest body that the store takes. */
  { bytesPerRequest = Number.POSITIVE_INFINITY } = {},
): void {
  describe(`${name} takes uploads`, () => {
    let opened: Awaited<ReturnType<typeof open>>;
    let store: StoreObjects;
    const bytesMax = 64 * 1024 * 1024;

    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });
    afterEach(() => opened.close());

    const sizes = [1, pieceBytes, putBytesMax, putBytesMax + 1, 3 * partBytes, 3 * partBytes + 17];
    for (const bytes of sizes.filter((size) => size > putBytesMax || size <= bytesPerRequest)) {
      it(`of ${bytes} bytes, and gives them back`, async () => {
        const received = await store.receive('All/x.tgz', bodyOf(bytes), { bytesMax });
        const facts = await store.head('All/x.tgz');
        assert.deepEqual(received, { outcome: 'created', etag: facts?.etag });
        assert.equal(facts?.size, bytes);
        const { pieces } = await store.open('All/x.tgz', facts?.etag ?? '', 0, bytes);
        assert.equal(await digestOf(pieces), await digestOf(bodyOf(bytes)));
        const again = await store.receive('All/x.tgz', bodyOf(bytes), { bytesMax });
        assert.equal(again.outcome, 'replaced');
      });
    }

    for (const bytes of [10, putBytesMax + 1]) {
      it(`keeps nothing of ${bytes} bytes that are refused, too many, or broken off`, async () => {
        const refused = new Error('refused');
        async function* broken() {
          yield* bodyOf(bytes);
          throw refused;
        }
        const check = async () => {
          throw refused;
        };
        await assert.rejects(store.receive('x.tgz', bodyOf(bytes), { bytesMax, check }), refused);
        await assert.rejects(store.receive('x.tgz', broken(), { bytesMax }), refused);
        const tooSmall = store.receive('x.tgz', bodyOf(bytes), { bytesMax: bytes - 1 });
        await assert.rejects(tooSmall, { name: 'ObjectTooLarge' });
        assert.equal(await store.head('x.tgz'), undefined);
        assert.equal((await store.receive('x.tgz', bodyOf(bytes), { bytesMax: bytes })).outcome, 'created');
      });

      it(`puts ${bytes} bytes only where there is nothing, if asked`, async () => {
        const options = { bytesMax, ifNoneMatch: '*' } as const;
        assert.equal((await store.receive('x.tgz', bodyOf(bytes), options)).outcome, 'created');
        assert.equal((await store.receive('x.tgz', bodyOf(bytes), options)).outcome, 'exists');
        const both = ['y.tgz', 'y.tgz'].map((key) => store.receive(key, bodyOf(bytes), options));
        const outcomes = (await Promise.all(both)).map(({ outcome }) => outcome);
        assert.deepEqual(outcomes.sort(), ['created', 'exists']);
      });
    }

    it('shows the check the whole of a small body, and the beginning of a large one', async () => {
      const seen: [number, number][] = [];
      for (const bytes of [100, putBytesMax + 1]) {
        const check: NonNullable<Parameters<typeof store.receive>[2]['check']> = async (source) => {
          seen.push([source.size, (await source.read(10, 80)).byteLength]);
          await source.read(bytes - 1, 1);
        };
        assert.equal((await store.receive(`${bytes}.tgz`, bodyOf(bytes), { bytesMax, check })).outcome, 'created');
      }
      assert.deepEqual(seen, [
        [100, 80],
        [putBytesMax + 1, 80],
      ]);
    });

    it('streams any part of an object, and no other version of it', async () => {
      await store.receive('x.tgz', bodyOf(1_000), { bytesMax });
      const { etag = '' } = (await store.head('x.tgz')) ?? {};
      const whole = Buffer.concat(await collected(bodyOf(1_000)));
      for (const [start, length] of [
        [0, 1],
        [999, 1],
        [10, 500],
        [5, 0],
      ] as const) {
        const found = Buffer.concat(await collected((await store.open('x.tgz', etag, start, length)).pieces));
        assert.deepEqual(found, whole.subarray(start, start + length));
      }
      const other = store.open('x.tgz', '0123456789abcdef0123456789abcdef', 0, 10);
      await assert.rejects(other, { name: 'ObjectChanged' });
      await assert.rejects(store.open('none', etag, 0, 10), { name: 'ObjectChanged' });
    });
  });
}
