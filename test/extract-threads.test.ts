import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { SqliteRecords } from '../functions/adapters/local/sqlite-records.ts';
import { bulkLimits, ExtractThreads, FewOrMany } from '../functions/extract-threads.ts';
import type { Extracted } from '../functions/extract-worker.ts';
import type { Hint } from '../functions/ports.ts';
import { makePackage } from './package-maker.ts';

describe('threads that extract', { timeout: 60_000 }, () => {
  let directory: string;
  let results: Extracted[];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'extract-threads-'));
    await mkdir(join(directory, 'All'));
    results = [];
  });
  afterEach(() => rm(directory, { recursive: true }));

  function threadsFor(table: string, architectures: readonly string[] = []): ExtractThreads {
    const work = { directory, stateDirectory: join(directory, '.indexer'), table, rules: { architectures } };
    return new ExtractThreads({ work, onExtracted: (extracted) => results.push(extracted) });
  }
  const hintsFor = (count: number): Hint[] => Array.from({ length: count }, (_, n) => ({ key: `All/x${n}-1.0.tgz` }));
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

  it('make every row say what its package is, and tell what they did', async () => {
    const file = join(directory, 'records.sqlite');
    const { table } = SqliteRecords.open({ file });
    const count = 2 * bulkLimits.hintsPerThreadMax + 1;
    for (let n = 0; n < count; n += 2)
      await writeFile(join(directory, `All/x${n}-1.0.tgz`), makePackage({ name: `x${n}-1.0` }));
    await writeFile(join(directory, 'All/x0-1.0.tgz'), 'no package');
    const threads = threadsFor(file);
    await threads.idle();
    await threads.send(hintsFor(count));
    await threads.idle();
    const rows = [];
    for await (const row of table.rows('All')) rows.push(row);
    await threads.close();
    table.close();
    assert.equal(rows.length, bulkLimits.hintsPerThreadMax + 1, 'a row for each package that is there');
    assert.equal(rows.filter(({ state }) => state === 'rejected').length, 1);
    assert.equal(sum(results.map(({ hints }) => hints)), count);
    assert.ok(results.every(({ hints }) => hints <= bulkLimits.hintsPerThreadMax));
    assert.deepEqual(new Set(results.flatMap(({ changed }) => changed)), new Set(['All']));
    assert.deepEqual(
      results.flatMap(({ rejected }) => rejected).map(({ key, code }) => [key, code]),
      [['All/x0-1.0.tgz', 'not-a-package']],
    );
    assert.deepEqual(
      results.flatMap(({ failed }) => failed),
      [],
    );
  });

  it('accept what the rules accept', async () => {
    const file = join(directory, 'records.sqlite');
    const { table } = SqliteRecords.open({ file });
    for (const [n, arch] of ['x86_64', 'aarch64'].entries())
      await writeFile(join(directory, `All/x${n}-1.0.tgz`), makePackage({ buildInfo: `MACHINE_ARCH=${arch}\n` }));
    const threads = threadsFor(file, ['x86_64']);
    await threads.send(hintsFor(2));
    await threads.idle();
    await threads.close();
    table.close();
    assert.deepEqual(
      results.flatMap(({ rejected }) => rejected).map(({ key, code }) => [key, code]),
      [['All/x1-1.0.tgz', 'foreign-architecture']],
    );
  });

  it('say in a sentence why they cannot go on', async (context) => {
    const file = join(directory, 'records.sqlite');
    await writeFile(file, 'no table');
    const threads = threadsFor(file);
    // Also where the test fails: a thread keeps the process from ending.
    context.after(() => threads.close());
    await threads.send(hintsFor(1));
    const isClear = {
      name: 'CannotRun',
      message: /records\.sqlite: expected the table that is already open, found one that is damaged/,
    };
    await assert.rejects(threads.idle(), isClear);
  });
});

describe('few or many hints', () => {
  class Queue {
    readonly sent: number[] = [];
    async send(hints: readonly Hint[]): Promise<void> {
      this.sent.push(hints.length);
    }
    async idle(): Promise<void> {}
  }
  const max = bulkLimits.hintsWithoutThreadsMax;
  const cases: Record<string, { readonly sent: readonly number[]; few: number[]; many: number[] }> = {
    'as many as need no threads': { sent: [max], few: [max], many: [] },
    'one more': { sent: [max + 1], few: [], many: [max + 1] },
    'as many, in pieces': { sent: [max - 1, 1], few: [max], many: [] },
    'one more, in pieces': { sent: [max, 1, 7], few: [], many: [max + 1, 7] },
  };
  for (const [name, { sent, few, many }] of Object.entries(cases)) {
    it(`${name}: all go the same way`, async () => {
      const [one, other] = [new Queue(), new Queue()];
      const hints = new FewOrMany(one, other);
      for (const length of sent) await hints.send(Array.from({ length }, (_, n) => ({ key: `${n}` })));
      await hints.idle();
      assert.deepEqual([one.sent, other.sent], [few, many]);
    });
  }
});
