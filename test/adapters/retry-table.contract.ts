/** What every RetryTable promises. Run over each adapter. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { RecordTable, RetryTable } from '../../functions/ports.ts';

export function retryTableContract(name: string, open: () => Promise<RetryTable & RecordTable>): void {
  it(`${name} keeps the last retry of each repository, until there is none`, async () => {
    const table = await open();
    const [first, second] = [
      { failures: 1, at: new Date('2026-01-01T00:00:15.123Z') },
      { failures: 2, at: new Date('2026-01-01T00:00:45Z') },
    ];
    assert.equal(await table.retry('All'), undefined);
    await table.setRetry('All', first);
    await table.setRetry('', second);
    assert.deepEqual([await table.retry('All'), await table.retry('')], [first, second]);
    await table.setRetry('All', second);
    assert.deepEqual(await table.retry('All'), second);
    await table.setRetry('All', undefined);
    await table.setRetry('All', undefined);
    assert.deepEqual([await table.retry('All'), await table.retry('')], [undefined, second]);
  });

  it(`${name} keeps it apart from the run number and the mark`, async () => {
    const table = await open();
    await table.markAdopted('All');
    await table.takeRun('All');
    await table.setRetry('All', { failures: 1, at: new Date(0) });
    await table.setRetry('All', undefined);
    assert.deepEqual([(await table.state('All')).isAdopted, await table.lastRun('All')], [true, 1]);
  });
}
