import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findRejection, findWarnings } from '../../functions/record/hazards.ts';
import { recordOf } from '../package/byte-source.ts';
import { madePackages, packageBytes, rowOf } from './made-packages.ts';

describe('made packages', () => {
  it('are the same for the same seed, and the first ones of more', () => {
    const few = [...madePackages(50)];
    assert.deepEqual(few, [...madePackages(50)]);
    assert.deepEqual(few, [...madePackages(200)].slice(0, 50));
    assert.notDeepEqual(few, [...madePackages(50, { seed: 2 })]);
  });

  it('have names of their own', () => {
    const files = [...madePackages(5_000)].map(({ file }) => file);
    assert.equal(new Set(files).size, 5_000);
  });

  it('have the record that their row has, but for the size', async () => {
    for (const made of madePackages(20, { payloadBytes: 5_000 })) {
      const { record } = rowOf(made, 'All');
      assert.equal(findRejection(record, made.file), undefined);
      assert.deepEqual(findWarnings(record, made.file), []);
      const withoutSize = (bytes: Uint8Array) =>
        Buffer.from(bytes)
          .toString()
          .replace(/^FILE_SIZE=.*/m, '');
      assert.equal(withoutSize(await recordOf(packageBytes(made), made.file)), withoutSize(record));
    }
  });
});
