import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { combineCrc32 } from '../../functions/index/crc32.ts';

test('the CRC of two texts comes of the CRCs of both', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (first, second) => {
      const combined = combineCrc32(crc32(first), crc32(second), second.length);
      assert.equal(combined, crc32(Buffer.concat([first, second])));
    }),
    { numRuns: 1_000 },
  );
});

test('… of any length', () => {
  const long = Buffer.alloc(10_000_019, 'text of a block\n');
  assert.equal(combineCrc32(crc32('before'), crc32(long), long.length), crc32(long, crc32('before')));
  // 4 GiB of zeros are as many as 4 times 1 GiB, and more than 32 bits can count.
  const zeros = (bytes: number) => combineCrc32(0xffffffff, 0, bytes);
  let step = 0xffffffff;
  for (let times = 0; times < 5; times += 1) step = combineCrc32(step, 0, 2 ** 30);
  assert.equal(zeros(5 * 2 ** 30), step);
});
