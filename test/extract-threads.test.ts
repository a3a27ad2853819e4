import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { SqliteRecords } from '../functions/adapters/local/sqlite-records.ts';
import type { Extracted } from '../functions/bulk-extract.ts';
import { bulkLimits, ExtractThreads } from '../functions/extract-threads.ts';
import { CannotRun } from '../functions/failures.ts';
import type { Hint } from '../functions/ports.ts';
import { indexedRow } from './adapters/record-table.contract.ts';
import { recordOf } from './package/byte-source.ts';
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

  function threadsFor(table: string, architectures: readonly string[] = [], settleMilliseconds = 0): ExtractThreads {
    const work = { directory, stateDirectory: join(directory, '.indexer'), table, rules: { architectures } };
    return new ExtractThreads({
      work: { ...work, settleMilliseconds },
      onExtracted: async (each) => void results.push(each),
    });
  }
  const hintsFor = (count: number): Hint[] => Array.from({ length: count }, (_, n) => ({ key: `All/x${n}-1.0.tgz` }));
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

  it('make every row say what its package is, and tell what they did', async () => {
    const file = join(directory, 'records.sqlite');
    const { table } = SqliteRecords.open({ file });
    const count = 2 * bulkLimits.hintsAtOnceMax + 1;
    for (let n = 0; n < count; n += 2)
      await writeFile(join(directory, `All/x${n}-1.0.tgz`), makePackage({ name: `x${n}-1.0` }));
    await writeFile(join(directory, 'All/x0-1.0.tgz'), 'no package');
    const threads = threadsFor(file);
    await threads.idle();
    await threads.send(hintsFor(count));
    await threads.idle();
    await threads.close();
    table.close();
    const rows = results.flatMap(({ changes }) => changes.flatMap(({ row }) => row ?? []));
    assert.equal(rows.length, bulkLimits.hintsAtOnceMax + 1, 'a row for each package that is there');
    assert.equal(rows.filter(({ state }) => state === 'rejected').length, 1);
    assert.equal(sum(results.map(({ hints }) => hints)), count);
    assert.ok(results.every(({ hints }) => hints <= bulkLimits.hintsAtOnceMax));
    const expected = await recordOf(makePackage({ name: 'x2-1.0' }), 'x2-1.0.tgz');
    const found = rows.find(({ file }) => file === 'x2-1.0.tgz');
    assert.deepEqual(Buffer.from(found?.record ?? []), Buffer.from(expected));
    assert.deepEqual(
      results.flatMap(({ rejected }) => rejected).map(({ key, code }) => [key, code]),
      [['All/x0-1.0.tgz', 'not-a-package']],
    );
    assert.deepEqual(
      results.flatMap(({ failed }) => failed),
      [],
    );
  });

  it('know the rows of before, and say which packages are gone', async () => {
    const file = join(directory, 'records.sqlite');
    const { table } = SqliteRecords.open({ file });
    await writeFile(join(directory, 'All/x0-1.0.tgz'), makePackage());
    const first = threadsFor(file);
    await first.send(hintsFor(1));
    await first.idle();
    await first.close();
    await table.writeAll(results.splice(0).flatMap(({ changes }) => changes));
    await table.putRow({ ...indexedRow('x1-1.0.tgz'), repository: 'All' });
    const again = threadsFor(file);
    await again.send(hintsFor(2));
    await again.idle();
    await again.close();
    table.close();
    assert.deepEqual(
      results.flatMap(({ changes }) => changes),
      [{ repository: 'All', file: 'x1-1.0.tgz', row: undefined }],
    );
  });

  it('leave out a file that is still being written', async () => {
    await writeFile(join(directory, 'All/x0-1.0.tgz'), makePackage());
    const threads = threadsFor(join(directory, 'records.sqlite'), [], 3_600_000);
    await threads.send(hintsFor(1));
    await threads.idle();
    await threads.close();
    assert.deepEqual(
      results.map(({ leftOut, changes }) => [leftOut, changes]),
      [[['All/x0-1.0.tgz'], []]],
    );
  });

  it('end where their rows cannot be written', async () => {
    const work = { directory, stateDirectory: join(directory, '.indexer'), table: undefined, settleMilliseconds: 0 };
    const onExtracted = async () => {
      throw new CannotRun('no room for rows');
    };
    const threads = new ExtractThreads({ work: { ...work, rules: { architectures: [] } }, onExtracted });
    await threads.send(hintsFor(5 * bulkLimits.hintsAtOnceMax));
    await assert.rejects(threads.idle(), { name: 'CannotRun', message: 'no room for rows' });
    await threads.close();
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
      message: /records\.sqlite: expected the table of an indexer of this version, found a file that is damaged/,
    };
    await assert.rejects(threads.idle(), isClear);
  });
});
