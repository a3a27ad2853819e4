import type { Repository } from '../../functions/ports.ts';
import { MemoryRecords } from './memory-records.ts';
import { recordTableContract } from './record-table.contract.ts';
import { retryTableContract } from './retry-table.contract.ts';

const open = async () => {
  const changes: Repository[] = [];
  return { table: new MemoryRecords((repository) => changes.push(repository)), changes, close: async () => {} };
};
recordTableContract('MemoryRecords', open, { changeStream: 'at hand' });
retryTableContract('MemoryRecords', async () => new MemoryRecords());
