import { MemoryObjects } from './memory-objects.ts';
import { objectStoreContract } from './object-store.contract.ts';

const close = async () => {};
objectStoreContract('MemoryObjects', async () => ({ store: new MemoryObjects(), close }), {
  etagOf: 'write',
  lastModified: 'as asked',
});
const likeS3 = { etagOf: 'content', now: () => new Date() } as const;
objectStoreContract('MemoryObjects as S3 is', async () => ({ store: new MemoryObjects(likeS3), close }), {
  etagOf: 'content',
  lastModified: 'its own',
});
