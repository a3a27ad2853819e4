import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Extraction } from '../../functions/extract.ts';
import type { Row } from '../../functions/ports.ts';
import { Activity, activityLimits } from '../../functions/server/activity.ts';
import type { Publication } from '../../functions/summarize.ts';
import { ManualClock } from '../adapters/manual-clock.ts';

const row = {
  repository: 'All',
  file: 'x',
  etag: 'e',
  size: 1,
  lastModified: new Date(0),
  indexedAt: new Date(0),
  rules: '',
};
const indexed: Extraction = {
  outcome: 'written',
  row: { ...row, state: 'indexed', record: new Uint8Array(), warnings: [] } satisfies Row,
};
const rejected: Extraction = {
  outcome: 'written',
  row: { ...row, state: 'rejected', reason: { code: 'empty', message: '' } } satisfies Row,
};
const removed: Extraction = { outcome: 'removed' };
const unchanged: Extraction = { outcome: 'unchanged', row: undefined };

/** As much of it as is looked at. */
const publication = (outcome: Publication['outcome']) =>
  ({ outcome, bytes: 10, missing: 1, summary: { records: 3 } }) as unknown as Publication;

function started() {
  const clock = new ManualClock();
  return { clock, activity: new Activity(clock) };
}

describe('what happened', () => {
  it('is counted', () => {
    const { clock, activity } = started();
    activity.uploaded('All/a-1.tgz');
    activity.uploaded('All/b-1.tgz');
    for (const each of [indexed, rejected, removed, unchanged]) activity.extracted('All/a-1.tgz', each);
    for (const outcome of ['published', 'unchanged', 'waiting', 'absent'] as const)
      activity.summarized('All', publication(outcome), clock.now());
    assert.deepEqual(activity.counts, { uploads: 2, indexed: 1, rejected: 1, removed: 1, publications: 1 });
  });

  it('is told of the last publications, the latest first', () => {
    const { clock, activity } = started();
    for (let number = 0; number <= activityLimits.publicationsMax; number += 1)
      activity.summarized(`r${number}`, publication('published'), clock.now());
    assert.equal(activity.publications.length, activityLimits.publicationsMax);
    assert.equal(activity.publications[0]?.repository, `r${activityLimits.publicationsMax}`);
    assert.equal(activity.publications.at(-1)?.repository, 'r1');
  });
});

describe('the way from an upload to the index', () => {
  it('is timed from the first news of a key to the publication that shows it', async () => {
    const { clock, activity } = started();
    activity.uploaded('All/a-1.tgz');
    await clock.advance(100);
    activity.heard('All/a-1.tgz');
    activity.heard('All/b-1.tgz');
    activity.heard('Other/c-1.tgz');
    for (const key of ['All/a-1.tgz', 'All/b-1.tgz', 'Other/c-1.tgz', 'All/unheard-1.tgz'])
      activity.extracted(key, indexed);
    await clock.advance(1_000);
    const begunAt = clock.now();
    await clock.advance(50);
    activity.summarized('All', publication('published'), begunAt);
    const [{ latency, milliseconds, packages, bytes } = assert.fail()] = activity.publications;
    assert.deepEqual(latency, { changes: 2, medianMilliseconds: 1_150, maxMilliseconds: 1_150 });
    assert.deepEqual([milliseconds, packages, bytes], [50, 3, 10]);
    activity.summarized('All', publication('published'), clock.now());
    assert.equal(activity.publications[0]?.latency, undefined, 'each is timed once');
  });

  it('goes on where the rows were read before it was in them', async () => {
    const { clock, activity } = started();
    activity.uploaded('All/a-1.tgz');
    const begunAt = clock.now();
    await clock.advance(10);
    activity.extracted('All/a-1.tgz', indexed);
    activity.summarized('All', publication('published'), begunAt);
    assert.equal(activity.publications[0]?.latency, undefined);
    await clock.advance(10);
    activity.summarized('All', publication('published'), clock.now());
    assert.deepEqual(activity.publications[0]?.latency, { changes: 1, medianMilliseconds: 20, maxMilliseconds: 20 });
  });

  for (const [outcome, isTimedLater] of [
    ['waiting', true],
    ['deferred', true],
    ['unchanged', false],
    ['absent', false],
  ] as const)
    it(`${isTimedLater ? 'goes on' : 'ends'} where the index is ${outcome}`, () => {
      const { clock, activity } = started();
      activity.uploaded('All/a-1.tgz');
      activity.extracted('All/a-1.tgz', indexed);
      activity.summarized('All', publication(outcome), clock.now());
      activity.summarized('All', publication('published'), clock.now());
      assert.equal(activity.publications[0]?.latency !== undefined, isTimedLater);
    });

  it('of what changed nothing is none', () => {
    const { clock, activity } = started();
    activity.uploaded('All/a-1.tgz');
    activity.extracted('All/a-1.tgz', unchanged);
    activity.summarized('All', publication('published'), clock.now());
    assert.equal(activity.publications[0]?.latency, undefined);
  });

  it('is timed of so many changes at once, and not of one more', () => {
    const { clock, activity } = started();
    const keys = Array.from({ length: activityLimits.timedChangesMax + 1 }, (_, index) => `All/a${index}-1.tgz`);
    for (const key of keys) activity.heard(key);
    for (const key of keys) activity.extracted(key, indexed);
    activity.summarized('All', publication('published'), clock.now());
    assert.equal(activity.publications[0]?.latency?.changes, activityLimits.timedChangesMax);
  });
});
