import { MemoryObjects } from './memory-objects.ts';
import { objectStoreContract } from './object-store.contract.ts';

const open = async () => ({ store: new MemoryObjects(), close: async () => {} });
objectStoreContract('MemoryObjects', open, { etagOf: 'write', lastModified: 'as asked' });
