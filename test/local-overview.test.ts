import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { LocalStores } from '../functions/local.ts';
import { findPackages, searchLimits } from '../functions/local-overview.ts';

it('a search finds so many packages, and says where there are more', async () => {
  const record = Buffer.from('PKGNAME=x-1.0\nCOMMENT=Größe\n\n');
  for (const more of [0, 1]) {
    const files = Array.from({ length: searchLimits.foundMax + more }, (_, at) => ({
      repository: 'All',
      file: `${at}`,
    }));
    const records = { findFiles: () => files, row: async () => ({ state: 'indexed', record }) };
    const { found, isAll } = await findPackages({ records } as unknown as LocalStores, 'x');
    assert.deepEqual([found.length, isAll], [searchLimits.foundMax, more === 0]);
    assert.deepEqual(found[0], { repository: 'All', name: 'x-1.0', comment: 'Größe' });
  }
});
