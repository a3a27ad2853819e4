import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { extract } from '../../functions/extract.ts';
import { ManualClock } from '../adapters/manual-clock.ts';
import { MemoryObjects } from '../adapters/memory-objects.ts';
import { MemoryRecords } from '../adapters/memory-records.ts';
import { makePackage, packageKinds, recordOf } from './made-packages.ts';

/** Else the simulation would compare wrong with wrong, or right with nothing. */
describe('the packages of the simulation', () => {
  for (const kind of packageKinds) {
    it(`${kind}: the record spelt out here is the one that extract makes`, async () => {
      const made = makePackage('a-1.0', kind);
      const [objects, records, clock] = [new MemoryObjects(), new MemoryRecords(), new ManualClock()];
      objects.upload('All/b-2.0.tgz', made.bytes);
      await extract({ objects, records, clock }, 'All/b-2.0.tgz');
      const row = await records.row('All', 'b-2.0.tgz');
      assert.equal(
        row?.state === 'indexed' ? Buffer.from(row.record).toString('latin1') : undefined,
        recordOf(made, 'b-2.0.tgz', []),
      );
      assert.equal(row?.etag, 'write-1');
    });
  }

  it('plain and other differ, and have one size', () => {
    const [plain, other] = [makePackage('a-1.0', 'plain'), makePackage('a-1.0', 'other')];
    assert.equal(plain.bytes.length, other.bytes.length);
    assert.notDeepEqual(plain.bytes, other.bytes);
  });
});
