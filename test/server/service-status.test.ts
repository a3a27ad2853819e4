import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ConsistencyReport, checkConsistency } from '../../functions/check/consistency.ts';
import { Activity } from '../../functions/server/activity.ts';
import { reportLimits, servedRepository, serviceStatus } from '../../functions/server/service-status-of.ts';
import type { Publication } from '../../functions/summarize.ts';
import { ManualClock } from '../adapters/manual-clock.ts';
import { undescribed } from '../scripts/described-json.ts';

const { findingsMax, findingPackagesMax, listedMax, repositoriesMax } = reportLimits;

const emptyStatus = {
  repository: 'All',
  packages: 0,
  packageBytes: 0,
  rejected: [],
  warnings: {},
  pending: [],
  indexes: [],
  isAdopted: true,
  heldBack: undefined,
  obstructed: [],
  consistency: undefined,
};

/** So many findings of each kind, each of so many packages. */
function reportOf(findings: number, packages: number): ConsistencyReport {
  const each = <Finding>(make: (name: string) => Finding) =>
    Array.from({ length: findings }, (_, index) => make(`n${index}`));
  const names = Array.from({ length: packages }, (_, index) => `p${index}-1`);
  return {
    ...checkConsistency([]),
    foreignArchitectures: each((architecture) => ({ architecture, names })),
    dependencyCycles: each(() => ({ names, length: names.length, packages: 7 })),
    missingDependencies: each((pattern) => ({ pattern, problem: undefined, neededBy: names })),
    missingLibraries: each((library) => ({ library, neededBy: names })),
    duplicateNames: each((name) => ({ name, files: names })),
    duplicatePaths: each((path) => ({ path, names })),
  };
}

async function statusWith(consistency: ConsistencyReport | undefined) {
  const clock = new ManualClock();
  const activity = new Activity(clock);
  activity.uploaded('All/a-1.tgz');
  activity.extracted('All/a-1.tgz', { outcome: 'removed' });
  const published = { outcome: 'published', bytes: 10, summary: { records: 3 } } as unknown as Publication;
  activity.summarized('All', published, clock.now());
  await clock.advance(90_400);
  const status = {
    ...emptyStatus,
    packages: 3,
    packageBytes: 30,
    rejected: [{ file: 'b', code: 'empty', message: 'm' }],
    warnings: { 'not-installable': 1 },
    pending: ['All/c'],
    indexes: [{ file: 'pkg_summary.gz', published: new Date(0), bytes: 5 }],
    consistency,
  };
  const letter = { hint: { key: 'All/d' }, error: undefined, message: 'the disk', tries: 6, at: new Date(0) };
  const queue = { pending: 2, publications: 1, deadLetters: [letter] };
  const polled = [{ kind: 'file system' as const, reason: 'its file system (nfs)', directories: 2 }];
  return serviceStatus(activity, queue, polled, [servedRepository(status, clock.now())], clock.now());
}

describe('the status', () => {
  it('is JSON through and through, and described in docs/json.md', async () => {
    const status = await statusWith(reportOf(1, 1));
    assert.deepEqual(JSON.parse(JSON.stringify(status)), JSON.parse(JSON.stringify(structuredClone(status))));
    assert.deepEqual(undescribed(['/-/status', '`status DIR', '`check DIR'], JSON.parse(JSON.stringify(status))), []);
    assert.deepEqual(
      [status.startedAt, status.uptimeSeconds, status.counts.removed, status.publications[0]?.latency?.changes],
      ['2026-01-01T00:00:00.000Z', 90, 1, 1],
    );
    assert.ok(status.memoryBytes > 1_000_000);
    assert.deepEqual(status.polled, [{ directories: 2, reason: 'its file system (nfs)', setting: null }]);
    assert.deepEqual(status.queue.deadLetters, [
      { key: 'All/d', message: 'the disk', tries: 6, at: '1970-01-01T00:00:00.000Z' },
    ]);
  });

  it('has so many findings of each kind, and packages of each finding, and counts the rest', async () => {
    for (const past of [0, 1]) {
      const status = await statusWith(reportOf(findingsMax + past, findingPackagesMax + past));
      const { report, findings } = status.repositories[0] ?? assert.fail();
      const expected = reportOf(findingsMax, findingPackagesMax);
      const length = findingPackagesMax + past;
      const dependencyCycles = expected.dependencyCycles.map((cycle) => ({ ...cycle, length }));
      assert.deepEqual(report, { ...expected, dependencyCycles });
      assert.deepEqual(Object.values(findings ?? {}), Array(6).fill(findingsMax + past));
    }
  });

  it('is bounded whatever there is, and has the totals of everything', async () => {
    const clock = new ManualClock();
    const many = Array.from({ length: 100_000 }, (_, number) => `package-with-a-name-${number}-1.0nb1.tgz`);
    const repository = (name: string) =>
      servedRepository(
        {
          ...emptyStatus,
          repository: name,
          packages: 2,
          packageBytes: 5,
          warnings: { 'not-installable': 3 },
          rejected: many.map((file) => ({ file, code: 'truncated', message: 'm'.repeat(1_000) })),
          pending: many,
          consistency: reportOf(findingsMax, findingPackagesMax),
        },
        clock.now(),
      );
    const letter = { hint: { key: 'All/d' }, error: undefined, message: 'the disk', tries: 6, at: new Date(0) };
    const queue = { pending: 7, publications: 1, deadLetters: Array(100_000).fill(letter) };
    const known = repository('All');
    const count = repositoriesMax + 1;
    const repositories = [
      known,
      ...Array.from({ length: count - 1 }, (_, number) => ({ ...known, repository: `${number}` })),
    ];
    const status = serviceStatus(new Activity(clock), queue, [], repositories, clock.now());
    assert.deepEqual(status.totals, {
      repositories: count,
      packages: 2 * count,
      packageBytes: 5 * count,
      rejected: 100_000 * count,
      pending: 100_000 * count,
      warnings: 3 * count,
      findings: 6 * findingsMax * count,
      deadLetters: 100_000,
    });
    const [first, second, ...rest] = status.repositories;
    assert.deepEqual(first?.totals, { rejected: 100_000, pending: 100_000 });
    assert.deepEqual([first?.rejected.length, first?.pending.length], [listedMax, listedMax]);
    assert.deepEqual([second?.rejected, second?.pending], [[], []]);
    assert.deepEqual([rest.length, rest.at(-1)?.report?.duplicatePaths], [repositoriesMax - 2, []]);
    assert.equal(status.queue.deadLetters.length, listedMax);
    const bytes = JSON.stringify(status).length;
    assert.ok(bytes < 4_000_000, `${bytes} bytes`);
  });

  it('says so where there is too much to check', async () => {
    const { report, findings } = (await statusWith(undefined)).repositories[0] ?? assert.fail();
    assert.deepEqual([report, findings], [null, null]);
  });
});
