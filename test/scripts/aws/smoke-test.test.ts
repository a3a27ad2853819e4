import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extract } from '../../../functions/extract.ts';
import type { ObjectKey } from '../../../functions/ports.ts';
import { summarize } from '../../../functions/summarize.ts';
import { type Answer, type SmokeOptions, type SmokePorts, smokeTest } from '../../../scripts/aws/smoke-test.ts';
import { ManualClock, settle } from '../../adapters/manual-clock.ts';
import { MemoryObjects } from '../../adapters/memory-objects.ts';
import { MemoryRecords } from '../../adapters/memory-records.ts';

const name = 'smoke+test-0.1';
const repository = 'smoke';
const key = `${repository}/${name}.tgz`;

/** A bucket whose every change is indexed `delay` later, as a deployed stack does it. */
function deployment({ delay = 3_000, isIndexing = true } = {}) {
  const clock = new ManualClock();
  const records = new MemoryRecords();
  class Bucket extends MemoryObjects {
    override async put(...args: Parameters<MemoryObjects['put']>) {
      const put = await super.put(...args);
      if (args[0] === key) void this.#index();
      return put;
    }
    override async delete(gone: ObjectKey) {
      const isChange = gone === key && this.objects.has(key);
      await super.delete(gone);
      if (isChange) void this.#index();
    }
    async #index() {
      if (!isIndexing) return;
      working += 1;
      await clock.sleep(delay);
      await extract({ objects: this, records, clock }, key);
      await clock.sleep(delay);
      await summarize({ objects: this, records, clock }, repository);
      working -= 1;
    }
  }
  let working = 0;
  const objects = new Bucket();
  const get = async (asked: ObjectKey): Promise<Answer> => {
    const object = objects.objects.get(asked);
    return object === undefined
      ? { status: 404, text: 'Not Found', body: new Uint8Array() }
      : { status: 200, text: 'OK', body: object.body };
  };
  return { clock, records, objects, get, working: () => working };
}

type Deployment = SmokePorts & Pick<ReturnType<typeof deployment>, 'clock' | 'working'>;

async function run(ports: Deployment, more: Partial<SmokeOptions> = {}) {
  const stages: [string, number][] = [];
  const options: SmokeOptions = {
    repository,
    name,
    millisecondsMax: 60_000,
    onStage: (stage, milliseconds) => stages.push([stage, milliseconds]),
    signal: new AbortController().signal,
    ...more,
  };
  const outcome = smokeTest(ports, options).then(
    () => 'works',
    (error: Error) => error.message,
  );
  let isDone = false;
  void outcome.then(() => (isDone = true));
  // Time stands still while anybody works: compressing takes real time, and no time of this clock's.
  while (!isDone) {
    const isEverybodyAsleep = ports.clock.sleepers === 1 + ports.working();
    if (isEverybodyAsleep) await ports.clock.advanceToNext();
    else await settle();
  }
  return { outcome: await outcome, stages };
}

test('tells the time of each stage, there and back, and leaves nothing', async () => {
  const ports = deployment();
  const { outcome, stages } = await run(ports);
  assert.equal(outcome, 'works');
  assert.deepEqual(
    stages.map(([stage]) => stage),
    [
      'uploaded',
      'in the table',
      'in the index in the bucket',
      'in the index as served',
      'served itself',
      'removed',
      'out of the table',
      'out of the index in the bucket',
      'out of the index as served',
    ],
  );
  const [, inTable = 0] = stages[1] ?? [];
  assert.ok(inTable >= 3_000 && inTable <= 4_000, `${inTable}`);
  assert.deepEqual([...ports.objects.objects.keys()], []);
});

const failures: readonly (readonly [
  what: string,
  get: (found: Answer, asked: ObjectKey) => Answer,
  expected: RegExp,
])[] = [
  [
    'the index is not served',
    () => answer(403, 'Forbidden'),
    /^not in the index as served after 60 s: found 403 Forbidden$/,
  ],
  [
    'the package with + is not served',
    (found, asked) => (asked === key ? answer(404, 'Not Found') : found),
    /^not served itself after 60 s: found 404/,
  ],
  [
    'another file is served in its place',
    (found, asked) => (asked === key ? answer(200, 'OK') : found),
    /different bytes than those uploaded/,
  ],
];
for (const [what, spoil, expected] of failures) {
  test(`says so when ${what}, and clears away`, async () => {
    const ports = deployment();
    const { outcome } = await run({ ...ports, get: async (asked) => spoil(await ports.get(asked), asked) });
    assert.match(outcome, expected);
    assert.deepEqual([...ports.objects.objects.keys()], []);
  });
}

test('says that nothing was indexed, and clears away', async () => {
  const ports = deployment({ isIndexing: false });
  const { outcome, stages } = await run(ports);
  assert.equal(outcome, 'not in the table after 60 s: found no row');
  assert.equal(stages.length, 1);
  assert.deepEqual([...ports.objects.objects.keys()], []);
});

test('a rejected package ends it at once, with the reason', async () => {
  const ports = deployment({ isIndexing: false });
  const facts = {
    repository,
    file: `${name}.tgz`,
    etag: 'e',
    size: 1,
    lastModified: new Date(),
    indexedAt: new Date(),
    rules: '',
  };
  await ports.records.putRow({ ...facts, state: 'rejected', reason: { code: 'c', message: 'too odd' } });
  assert.equal((await run(ports)).outcome, 'the package was rejected: too odd');
});

test('given up, it clears away', async () => {
  const ports = deployment({ isIndexing: false });
  const giveUp = new AbortController();
  const running = run(ports, { signal: giveUp.signal, onStage: () => giveUp.abort() });
  assert.equal((await running).outcome, 'interrupted');
  assert.deepEqual([...ports.objects.objects.keys()], []);
});

function answer(status: number, text: string): Answer {
  return { status, text, body: new Uint8Array() };
}
