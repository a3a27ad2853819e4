import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { type ConsistencyReport, checkConsistency } from '../../functions/check/consistency.ts';
import type { RepositoryStatus } from '../../functions/check/repository-status.ts';
import type { Repository } from '../../functions/ports.ts';
import { Surveys } from '../../functions/server/surveys.ts';
import { ManualClock } from '../adapters/manual-clock.ts';

const report = checkConsistency([]);

function statusOf(repository: Repository, packages: number): RepositoryStatus {
  const nothing = { packageBytes: 0, rejected: [], warnings: {}, pending: [], indexes: [], isAdopted: true };
  return { repository, packages, ...nothing, consistency: { ...report, packages } };
}

describe('surveys', () => {
  const packages = new Map<Repository, number>();
  let asked: { readonly repository: Repository; readonly answer: () => void; readonly fail: () => void }[];
  let reports: (readonly [Repository, ConsistencyReport | undefined, ConsistencyReport | undefined])[];
  let surveys: Surveys;
  beforeEach(() => {
    packages.clear();
    asked = [];
    reports = [];
    surveys = new Surveys({
      clock: new ManualClock(),
      survey: (repository) => {
        const { promise, resolve, reject } = Promise.withResolvers<RepositoryStatus>();
        const status = statusOf(repository, packages.get(repository) ?? 0);
        asked.push({ repository, answer: () => resolve(status), fail: () => reject(new Error('the disk')) });
        return promise;
      },
      onReport: (...told) => reports.push(told),
    });
  });

  const turn = () => new Promise((resolve) => setImmediate(resolve));

  /** Answers every question until there is none. */
  async function answered<Value>(promise: Promise<Value>): Promise<Value> {
    let next = 0;
    const isDone = promise.then(
      () => true,
      () => true,
    );
    while (!(await Promise.race([isDone, turn()]))) for (; next < asked.length; next += 1) asked[next]?.answer();
    return await promise;
  }

  it('know of a repository once something changed in it, and ask once for what changed', async () => {
    assert.deepEqual(await answered(surveys.all()), []);
    packages.set('b', 1).set('a', 2);
    for (const repository of ['b', 'a', 'b']) surveys.changed(repository);
    const found = await answered(surveys.all());
    assert.deepEqual(
      found.map(({ status }) => [status.repository, status.packages]),
      [
        ['a', 2],
        ['b', 1],
      ],
    );
    assert.equal(asked.length, 2);
    assert.deepEqual(await answered(surveys.all()), found);
    assert.equal(asked.length, 2, 'nothing changed');
    surveys.changed('b');
    await answered(surveys.all());
    assert.deepEqual(
      asked.map(({ repository }) => repository),
      ['a', 'b', 'b'],
    );
  });

  it('answer with what was so at the time of the question or later, and share a survey that does', async () => {
    packages.set('a', 1);
    surveys.changed('a');
    const first = surveys.of('a');
    const second = surveys.of('a');
    packages.set('a', 2);
    surveys.changed('a');
    const third = surveys.of('a');
    assert.equal(asked.length, 1);
    asked[0]?.answer();
    assert.equal((await first)?.status.packages, 1);
    assert.equal((await second)?.status.packages, 1);
    await turn();
    assert.equal(asked.length, 2);
    asked[1]?.answer();
    assert.equal((await third)?.status.packages, 2);
  });

  it('end, for whoever asked, though something changes all the time', async () => {
    packages.set('a', 1);
    surveys.changed('a');
    const question = surveys.of('a');
    surveys.changed('a');
    asked[0]?.answer();
    assert.equal((await question)?.status.packages, 1);
  });

  it('forget a repository in which there is nothing any more', async () => {
    surveys.changed('a');
    assert.deepEqual(await answered(surveys.all()), []);
    assert.deepEqual(surveys.repositories, []);
    assert.equal(await answered(surveys.of('a')), undefined);
  });

  it('that failed are made again', async () => {
    packages.set('a', 1);
    surveys.changed('a');
    const failing = surveys.of('a');
    asked[0]?.fail();
    await assert.rejects(failing, /the disk/);
    assert.equal((await answered(surveys.of('a')))?.status.packages, 1);
  });

  it('tell of each report, and the one before', async () => {
    for (const number of [1, 2]) {
      packages.set('a', number);
      surveys.changed('a');
      await answered(surveys.all());
    }
    assert.deepEqual(
      reports.map(([repository, now, before]) => [repository, now?.packages, before?.packages]),
      [
        ['a', 1, undefined],
        ['a', 2, 1],
      ],
    );
  });
});
