import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { encodeHint } from '../../functions/events.ts';
import { extractLimits } from '../../functions/extract.ts';
import type { ObjectKey } from '../../functions/ports.ts';
import { MemoryObjects } from '../adapters/memory-objects.ts';
import { makePackage } from '../package-maker.ts';
import { failures, filesOf, hinted, logged, messages, newWorld, valuesOf } from './lambda-world.ts';

// After the environment that it reads.
const { followHints, followLimits } = await import('../../functions/lambda/follow-hints.ts');

describe('extract', () => {
  it('looks once at a key that several hints are about', async () => {
    const world = newWorld();
    world.objects.upload('All/made-1.0.tgz', makePackage());
    const key = 'All/made-1.0.tgz';
    assert.deepEqual(await followHints(world, hinted({ key }, { key }, { key })), failures());
    assert.deepEqual(world.objects.looks, [key, key], 'before and after the write');
    assert.deepEqual(valuesOf('HintsReceived'), [3]);
    assert.deepEqual(valuesOf('PackagesIndexed'), [1]);
  });

  it('reads a package again where one of its hints demands it', async () => {
    const world = newWorld();
    const key = 'All/made-1.0.tgz';
    world.objects.upload(key, makePackage());
    await followHints(world, hinted({ key }));
    const read = mock.method(world.objects, 'readRange');
    await followHints(world, hinted({ key }, { key }));
    assert.equal(read.mock.callCount(), 0);
    await followHints(world, hinted({ key }, { key, force: true }));
    assert.notEqual(read.mock.callCount(), 0);
  });

  it('hands back the messages of what failed, all of them and no others', async () => {
    const world = newWorld();
    for (const name of ['a', 'b', 'c'])
      world.objects.upload(`All/${name}-1.0.tgz`, makePackage({ name: `${name}-1.0` }));
    world.objects.failing.add('All/b-1.0.tgz');
    const keys = ['All/a-1.0.tgz', 'All/b-1.0.tgz', 'All/c-1.0.tgz', 'All/b-1.0.tgz', 'All/gone-1.0.tgz'];
    const answer = await followHints(world, hinted(...keys.map((key) => ({ key }))));
    assert.deepEqual(answer, failures('message-1', 'message-3'));
    assert.deepEqual(await filesOf(world.records, 'All'), ['a-1.0.tgz', 'c-1.0.tgz']);
    const errors = logged.filter(({ level }) => level === 'ERROR');
    assert.deepEqual(
      errors.map(({ key, error }) => [key, (error as Error).message]),
      [['All/b-1.0.tgz', 'the store does not answer']],
    );
  });

  it('hands back a message once, of whose keys several failed', async () => {
    const world = newWorld();
    const keys = ['All/a-1.0.tgz', 'All/b-1.0.tgz', 'All/c-1.0.tgz'];
    world.objects.failing.add('All/a-1.0.tgz').add('All/b-1.0.tgz');
    const records = keys.map((key) => JSON.parse(encodeHint({ key })));
    const answer = await followHints(world, messages([JSON.stringify(records), encodeHint({ key: 'd-1.tgz' })]));
    assert.deepEqual(answer, failures('message-0'));
  });

  it('fails as a whole where no queue could take anything back', async () => {
    const world = newWorld();
    world.objects.failing.add('All/a-1.0.tgz');
    await assert.rejects(followHints(world, JSON.parse(encodeHint({ key: 'All/a-1.0.tgz' }))), /see the log/);
  });

  it('acknowledges what it does not understand, counts it, and says so in a line each', async () => {
    const answer = await followHints(newWorld(), messages(['{"hello":"world"}', 'no JSON', '{"Records":[1]}']));
    assert.deepEqual(answer, failures());
    assert.deepEqual(valuesOf('UnknownEvents'), [3]);
    assert.deepEqual(valuesOf('HintsReceived'), []);
    assert.equal(logged.length, 3);
    for (const { level, description } of logged) {
      assert.equal(level, 'WARN');
      assert.match(String(description), /^expected .*, found /);
    }
  });

  it('acknowledges a malformed package, and says what is wrong with it', async () => {
    const world = newWorld();
    world.objects.upload('All/bad-1.0.tgz', Buffer.from('no package'));
    assert.deepEqual(await followHints(world, hinted({ key: 'All/bad-1.0.tgz' })), failures());
    assert.deepEqual(valuesOf('PackagesRejected'), [1]);
    assert.deepEqual(valuesOf('PackagesIndexed'), []);
    const row = await world.records.row('All', 'bad-1.0.tgz');
    assert.equal(row?.state, 'rejected');
    assert.deepEqual(
      logged.map(({ level, message, key, reason }) => ({ level, message, key, reason })),
      [{ level: 'WARN', message: 'rejected', key: 'All/bad-1.0.tgz', reason: row.reason }],
    );
  });

  it('ends a request that a store does not answer when the time for a package is up, and hands it back', async () => {
    const timeout = mock.method(AbortSignal, 'timeout', () => AbortSignal.abort(new Error('the time is up')));
    class UnansweredObjects extends MemoryObjects {
      override head(_key: ObjectKey, signal?: AbortSignal): Promise<never> {
        signal?.throwIfAborted();
        return assert.fail('expected a signal');
      }
    }
    const world = { ...newWorld(), objects: new UnansweredObjects() };
    assert.deepEqual(await followHints(world, hinted({ key: 'All/a-1.0.tgz' })), failures('message-0'));
    assert.deepEqual(timeout.mock.calls[0]?.arguments, [extractLimits.readMillisecondsMax]);
    const [{ timeoutMilliseconds, error } = assert.fail()] = logged;
    assert.deepEqual(
      [timeoutMilliseconds, (error as Error).message],
      [extractLimits.readMillisecondsMax, 'the time is up'],
    );
  });

  it('reads only so many packages at a time', async () => {
    const world = newWorld();
    const keys = Array.from({ length: 3 * followLimits.extractConcurrentMax }, (_, index) => `All/p-${index}.tgz`);
    await followHints(world, hinted(...keys.map((key) => ({ key }))));
    assert.equal(world.objects.underWayMost, followLimits.extractConcurrentMax);
  });
});
