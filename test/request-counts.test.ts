/** What one change costs in requests: counted at the ports, and held against the table of docs/costs.md. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import { extract } from '../functions/extract.ts';
import type { Changes } from '../functions/ports.ts';
import { summarize } from '../functions/summarize.ts';
import { ManualClock } from './adapters/manual-clock.ts';
import { MemoryObjects } from './adapters/memory-objects.ts';
import { MemoryRecords } from './adapters/memory-records.ts';
import { makePackage } from './package-maker.ts';
import { smallPage } from './page/small-page.ts';

/** Each port's method, and the request that its adapter makes of it (functions/adapters/aws/s3-objects.ts, dynamodb-records.ts). */
const requests = {
  head: 'HEAD',
  readRange: 'GET',
  put: 'PUT',
  delete: 'DELETE',
  list: 'LIST',
  row: 'GetItem',
  putRow: 'PutItem',
  deleteRow: 'DeleteItem',
  rows: 'Query of all rows',
  takeRun: 'UpdateItem',
  markAdopted: 'UpdateItem',
  forget: 'UpdateItem',
  lastRun: 'GetItem',
  state: 'GetItem',
  setHeldBack: 'UpdateItem',
  requestSummary: 'UpdateItem',
} as const;

function counting<Port extends object>(port: Port, counts: Map<string, number>): Port {
  return new Proxy(port, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      const request = requests[name as keyof typeof requests];
      if (request !== undefined) counts.set(request, (counts.get(request) ?? 0) + 1);
      return value.bind(target);
    },
  });
}

const key = 'All/made-1.0.tgz';
const clock = new ManualClock(new Date('2026-01-01T00:00:05Z'));

/** A bucket with one package, indexed and published; then what one more step asks. */
async function count(step: (ports: World) => Promise<unknown>): Promise<Map<string, number>> {
  const [objects, records] = [new MemoryObjects(), new MemoryRecords()];
  objects.upload(key, makePackage());
  await extract({ objects, records, clock }, key);
  await summarize({ objects, records, clock }, 'All', { page: smallPage });
  const counts = new Map<string, number>();
  const publish = async (changes: Changes) =>
    summarize({ objects: counting(objects, counts), records: counting(records, counts), clock }, 'All', {
      changes,
      page: smallPage,
    });
  const follow = async (changed: string) =>
    extract({ objects: counting(objects, counts), records: counting(records, counts), clock }, changed);
  await step({ objects, records, publish, follow });
  return counts;
}

interface World {
  readonly objects: MemoryObjects;
  readonly records: MemoryRecords;
  readonly publish: (changes: Changes) => Promise<unknown>;
  readonly follow: (key: string) => Promise<unknown>;
}

/** Uncounted; and publications are a second apart. */
async function addPackage({ objects, records }: World): Promise<void> {
  objects.upload('All/new-1.0.tgz', makePackage({ name: 'new-1.0' }));
  await extract({ objects, records, clock }, 'All/new-1.0.tgz');
  await clock.advance(10_000);
}

const rows: readonly (readonly [row: string, step: (world: World) => Promise<unknown>])[] = [
  [
    'a new package',
    async ({ objects, follow }) => {
      objects.upload('All/new-1.0.tgz', makePackage({ name: 'new-1.0' }));
      await follow('All/new-1.0.tgz');
    },
  ],
  [
    'a package is removed',
    async ({ objects, follow }) => {
      await objects.delete(key);
      await follow(key);
    },
  ],
  ['a hint about a package that has not changed', async ({ follow }) => follow(key)],
  [
    'a publication of one new package, both formats and the page',
    async (world) => {
      await addPackage(world);
      await world.publish(new Set(['new-1.0.tgz']));
    },
  ],
  [
    'a publication of one package that was replaced',
    async (world) => {
      world.objects.upload(key, makePackage({ comment: 'another' }));
      await extract({ ...world, clock }, key);
      await clock.advance(10_000);
      await world.publish(new Set(['made-1.0.tgz']));
    },
  ],
  [
    'a publication of all rows, one of them new',
    async (world) => {
      await addPackage(world);
      await world.publish('all');
    },
  ],
  ['one change that was published already', async ({ publish }) => publish(new Set(['made-1.0.tgz']))],
  ['all rows, which were published already', async ({ publish }) => publish('all')],
  [
    'one change, over a foreign index',
    async (world) => {
      world.objects.upload('All/pkg_summary.gz', Buffer.from('theirs'));
      await world.publish(new Set(['made-1.0.tgz']));
    },
  ],
];

let table: Map<string, string>;

before(async () => {
  const text = await readFile(new URL('../docs/costs.md', import.meta.url), 'utf8');
  const lines = text.split('\n').filter((line) => line.startsWith('| '));
  table = new Map(
    lines
      .map((line) => line.split('|').map((cell) => cell.trim()))
      .map(([, name = '', s3 = '', dynamoDb = '']) => [name, `${s3}, ${dynamoDb}`]),
  );
});

for (const [row, step] of rows) {
  test(row, async () => {
    const written = table.get(row);
    assert.ok(written !== undefined, `docs/costs.md has no row "${row}"`);
    const expected = written.split(', ').map((part) => /^(\d+) (.*)$/.exec(part) ?? []);
    assert.deepEqual(
      Object.fromEntries(await count(step)),
      Object.fromEntries(expected.map(([, number, request]) => [request, Number(number)])),
    );
  });
}
