import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ConsistencyReport, checkConsistency } from '../../functions/check/consistency.ts';
import { Activity } from '../../functions/server/activity.ts';
import { reportLimits, servedRepository, serviceStatus } from '../../functions/server/service-status-of.ts';
import type { Publication } from '../../functions/summarize.ts';
import { ManualClock } from '../adapters/manual-clock.ts';
import { undescribed } from '../scripts/described-json.ts';

const { findingsMax, findingPackagesMax } = reportLimits;

/** So many findings of each kind, each of so many packages. */
function reportOf(findings: number, packages: number): ConsistencyReport {
  const each = <Finding>(make: (name: string) => Finding) =>
    Array.from({ length: findings }, (_, index) => make(`n${index}`));
  const names = Array.from({ length: packages }, (_, index) => `p${index}-1`);
  return {
    ...checkConsistency([]),
    foreignArchitectures: each((architecture) => ({ architecture, names })),
    dependencyCycles: each(() => ({ names, packages: 7 })),
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
    repository: 'All',
    packages: 3,
    packageBytes: 30,
    rejected: [{ file: 'b', code: 'empty', message: 'm' }],
    warnings: { 'not-installable': 1 },
    pending: ['All/c'],
    indexes: [{ file: 'pkg_summary.gz', published: new Date(0), bytes: 5 }],
    isAdopted: true,
    obstructed: [],
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
      assert.deepEqual(report, { ...reportOf(findingsMax, findingPackagesMax) });
      assert.deepEqual(Object.values(findings ?? {}), Array(6).fill(findingsMax + past));
    }
  });

  it('says so where there is too much to check', async () => {
    const { report, findings } = (await statusWith(undefined)).repositories[0] ?? assert.fail();
    assert.deepEqual([report, findings], [null, null]);
  });
});
