import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Repository } from '../../functions/ports.ts';
import { StatusCache } from '../../functions/server/status-cache.ts';
import { settle } from '../adapters/manual-clock.ts';

describe('StatusCache', () => {
  /** What a status that is begun now will say; undefined: the repository is empty. */
  const packages = new Map<Repository, number>();
  let begun: { readonly repository: Repository; readonly succeed: () => void; readonly fail: () => void }[];
  let cache: StatusCache<number>;
  beforeEach(() => {
    packages.clear();
    begun = [];
    cache = new StatusCache<number>((repository) => {
      const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
      const status = packages.get(repository);
      begun.push({ repository, succeed: () => resolve(status), fail: () => reject(new Error('the disk')) });
      return promise;
    });
  });

  /** Makes every status that is asked for. */
  async function made<Value>(promise: Promise<Value>): Promise<Value> {
    let next = 0;
    const isDone = promise.then(
      () => true,
      () => true,
    );
    while (!(await Promise.race([isDone, settle()]))) for (; next < begun.length; next += 1) begun[next]?.succeed();
    return await promise;
  }

  it('makes the status of a repository once after it changed', async () => {
    assert.deepEqual(await made(cache.all()), []);
    packages.set('b', 1).set('a', 2);
    for (const repository of ['b', 'a', 'b']) cache.changed(repository);
    assert.deepEqual(await made(cache.all()), [2, 1]);
    assert.equal(begun.length, 2);
    assert.deepEqual(await made(cache.all()), [2, 1]);
    assert.equal(begun.length, 2, 'nothing changed');
    cache.changed('b');
    await made(cache.all());
    assert.deepEqual(
      begun.map(({ repository }) => repository),
      ['a', 'b', 'b'],
    );
  });

  it('makes nothing before somebody asks', () => {
    cache.changed('a');
    assert.equal(begun.length, 0);
  });

  it('gives those who ask at the same time one status, and none of before they asked', async () => {
    packages.set('a', 1);
    cache.changed('a');
    const first = cache.of('a');
    const second = cache.of('a');
    packages.set('a', 2);
    cache.changed('a');
    const third = cache.of('a');
    assert.equal(begun.length, 1);
    begun[0]?.succeed();
    assert.equal(await first, 1);
    assert.equal(await second, 1);
    await settle();
    assert.equal(begun.length, 2);
    begun[1]?.succeed();
    assert.equal(await third, 2);
  });

  it('answers although the repository keeps changing', async () => {
    packages.set('a', 1);
    cache.changed('a');
    const status = cache.of('a');
    cache.changed('a');
    begun[0]?.succeed();
    assert.equal(await status, 1);
  });

  it('forgets a repository that is empty', async () => {
    cache.changed('a');
    assert.deepEqual(await made(cache.all()), []);
    assert.deepEqual(cache.repositories, []);
    assert.equal(await made(cache.of('a')), undefined);
    packages.set('a', 1);
    cache.changed('a');
    assert.equal(await made(cache.of('a')), 1);
  });

  it('makes a status again that failed', async () => {
    packages.set('a', 1);
    cache.changed('a');
    const failing = cache.of('a');
    begun[0]?.fail();
    await assert.rejects(failing, /the disk/);
    assert.equal(await made(cache.of('a')), 1);
  });
});
