import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import fc from 'fast-check';
import { joinKey } from '../../functions/keys.ts';
import { isOurPage } from '../../functions/page/page.ts';
import type { ObjectKey, Repository } from '../../functions/ports.ts';
import type { PublicationEvent } from '../../functions/publication-event.ts';
import { ManualClock } from '../adapters/manual-clock.ts';
import { MemoryRecords } from '../adapters/memory-records.ts';
import { makePackage } from '../package-maker.ts';
import { smallPage } from '../page/small-page.ts';
import { failures, hinted, logged, measured, newWorld, valuesOf } from './lambda-world.ts';

// After the environment that they read.
const { followHints } = await import('../../functions/lambda/follow-hints.ts');
const { publishIndexes, publishLimits } = await import('../../functions/lambda/publish-indexes.ts');

function publish(
  ports: Omit<Parameters<typeof publishIndexes>[0], 'retries'> & { readonly records: MemoryRecords },
  event: DynamoDBStreamEvent,
  remainingMilliseconds = () => 300_000,
) {
  return publishIndexes({ ...ports, retries: ports.records }, event, {
    getRemainingTimeInMillis: remainingMilliseconds,
  });
}

/** A batch of the change stream: the repositories of its records, in order, and a file of each. Sequence numbers begin at 1. */
function changes(
  repositories: readonly Repository[],
  fileOf = (index: number) => `${index}-1.0.tgz`,
): DynamoDBStreamEvent {
  return {
    Records: repositories.map(
      (repository, index): DynamoDBRecord => ({
        eventName: 'MODIFY',
        eventSource: 'aws:dynamodb',
        dynamodb: {
          Keys: { repository: { S: repository || '/' }, file: { S: fileOf(index) } },
          SequenceNumber: `${index + 1}`,
          StreamViewType: 'KEYS_ONLY',
        },
      }),
    ),
  };
}

/** Somebody asks for a summary of all rows of each. */
function requests(repositories: readonly Repository[]): DynamoDBStreamEvent {
  return changes(repositories, () => '/summary');
}

describe('summarize', () => {
  const world = () => ({ ...newWorld(), formats: ['gz'] as const });

  async function upload({ objects, records, rules }: ReturnType<typeof world>, key: ObjectKey, at = new Date(0)) {
    objects.upload(key, makePackage(), at);
    const clock = new ManualClock();
    await followHints({ objects, records, rules, clock }, hinted({ key }));
  }

  it('publishes the index of every repository in the batch, once', async () => {
    const ports = world();
    for (const key of ['All/made-1.0.tgz', 'other/made-1.0.tgz', 'made-1.0.tgz']) await upload(ports, key);
    const answer = await publish(ports, requests(['All', '', 'All', 'All', 'other', 'All']));
    assert.deepEqual(answer, failures());
    assert.deepEqual([...ports.objects.objects.keys()].filter((key) => key.endsWith('.gz')).toSorted(), [
      'All/pkg_summary.gz',
      'other/pkg_summary.gz',
      'pkg_summary.gz',
    ]);
    for (const repository of ['All', '', 'other']) assert.equal(await ports.records.lastRun(repository), 1);
    assert.deepEqual(valuesOf('Publications'), [1, 1, 1]);
  });

  it('notifies the topic of each publication, and of nothing else', async () => {
    const told: PublicationEvent[] = [];
    const topic = { notify: async (event: PublicationEvent) => void told.push(event) };
    const ports = { ...world(), topic };
    await upload(ports, 'All/made-1.0.tgz');
    await publish(ports, requests(['All']));
    await publish(ports, requests(['All', 'nothing']));
    assert.deepEqual(
      told.map(({ repository, packages, added }) => [repository, packages, added]),
      [['All', 1, ['made-1.0.tgz']]],
    );
  });

  it('publishes although the topic cannot be notified, which is logged and counted', async () => {
    const topic = { notify: () => Promise.reject(new Error('the topic is gone')) };
    const ports = { ...world(), topic };
    await upload(ports, 'All/made-1.0.tgz');
    assert.deepEqual(await publish(ports, requests(['All'])), failures());
    assert.ok(ports.objects.objects.has('All/pkg_summary.gz'));
    assert.deepEqual([valuesOf('Publications'), valuesOf('NotificationsFailed')], [[1], [1]]);
    assert.ok(
      logged.some(({ level, message }) => level === 'ERROR' && message.startsWith('could not notify the topic')),
    );
    assert.deepEqual(ports.delayed, []);
  });

  it('reads the rows that the batch names, and all rows where it asks for that', async () => {
    const ports = world();
    const asked: string[] = [];
    const [row, rows] = [ports.records.row.bind(ports.records), ports.records.rows.bind(ports.records)];
    ports.records.row = (repository, file) => {
      asked.push(`${repository}/${file}`);
      return row(repository, file);
    };
    ports.records.rows = (repository) => {
      asked.push(`all of ${repository}`);
      return rows(repository);
    };
    for (const repository of ['All', 'other']) await upload(ports, `${repository}/made-1.0.tgz`);
    await publish(ports, requests(['All', 'other']));
    asked.length = 0;
    const { Records: named } = changes(['All', 'other', 'All']);
    const { Records: all } = requests(['other']);
    assert.deepEqual(await publish(ports, { Records: [...named, ...all] }), failures());
    assert.deepEqual(asked.toSorted(), ['All/0-1.0.tgz', 'All/2-1.0.tgz', 'all of other']);
  });

  it('has a summary of all rows follow where the index is none to make changes in', async () => {
    const ports = world();
    const requested: Repository[] = [];
    ports.records.requestSummary = async (repository) => void requested.push(repository);
    ports.objects.upload('All/pkg_summary.gz', Buffer.from('foreign'));
    await upload(ports, 'All/made-1.0.tgz');
    requested.length = 0;
    assert.deepEqual(await publish(ports, changes(['All'])), failures());
    assert.deepEqual(requested, ['All']);
    assert.deepEqual(valuesOf('Publications'), []);
  });

  it('counts the packages of foreign architectures, from what changed, and names the architectures', async () => {
    const ports = world();
    const put = async (name: string, arch: string) => {
      const key = `All/${name}-1.0.tgz`;
      ports.objects.upload(key, makePackage({ name: `${name}-1.0`, buildInfo: `MACHINE_ARCH=${arch}\n` }));
      await followHints(ports, hinted({ key }));
    };
    for (const name of ['a', 'b']) await put(name, 'x86_64');
    await publish(ports, requests(['All']));
    await ports.clock.advance(2_000);
    await put('c', 'aarch64');
    ports.records.rows = () => assert.fail('expected to read no other rows');
    await publish(
      ports,
      changes(['All'], () => 'c-1.0.tgz'),
    );
    await ports.clock.advance(2_000);
    await put('c', 'x86_64v3');
    await publish(
      ports,
      changes(['All'], () => 'c-1.0.tgz'),
    );
    assert.deepEqual(valuesOf('ForeignArchitectures'), [0, 1, 0]);
    const warnings = logged.filter(({ level }) => level === 'WARN');
    assert.deepEqual(
      warnings.map(({ repository, architecture, foreign }) => [repository, architecture, foreign]),
      [['All', 'x86_64', [{ architecture: 'aarch64', packages: 1 }]]],
    );
    assert.deepEqual(logged.find(({ message }) => message === 'published')?.architectures, { x86_64: 2 });
  });

  it('keeps the page where one is wanted, and says where there is one that is not ours', async () => {
    const ports = { ...world(), page: smallPage };
    for (const key of ['All/made-1.0.tgz', 'other/made-1.0.tgz']) await upload(ports, key);
    ports.objects.upload('other/index.html', Buffer.from('<p>Welcome</p>'));
    await publish(ports, requests(['All', 'other']));
    assert.ok(isOurPage(ports.objects.objects.get('All/index.html')?.body ?? new Uint8Array()));
    assert.equal(Buffer.from(ports.objects.objects.get('other/index.html')?.body ?? '').toString(), '<p>Welcome</p>');
    const warnings = logged.filter(({ level }) => level === 'WARN');
    assert.deepEqual(
      warnings.map(({ repository, message }) => [repository, message]),
      [['other', 'index.html is not ours and stays: this repository has no package browser']],
    );
  });

  it('acknowledges the changes of a repository that failed, requests it again later, and publishes the others', async () => {
    const repository = fc.constantFrom('All', '', 'a', 'b/c', 'd');
    await fc.assert(
      fc.asyncProperty(fc.array(repository, { maxLength: 12 }), fc.uniqueArray(repository), async (batch, failing) => {
        const ports = world();
        for (const key of new Set(batch)) await upload(ports, joinKey(key, 'made-1.0.tgz'));
        for (const failed of failing) ports.objects.failing.add(joinKey(failed, 'pkg_summary.gz'));
        measured.length = 0;
        assert.deepEqual(await publish(ports, requests(batch)), failures());
        const failed = [...new Set(batch)].filter((name) => failing.includes(name));
        assert.deepEqual(
          ports.delayed.map(({ key }) => key).toSorted(),
          failed.map((name) => joinKey(name, 'pkg_summary.gz')).toSorted(),
        );
        assert.equal(valuesOf('PublicationsFailed').length, failed.length);
        assert.equal(valuesOf('Publications').length, new Set(batch).size - failed.length);
      }),
      { numRuns: 50 },
    );
  });

  it('leaves the changes of a repository that failed to the stream where it cannot be requested again', async () => {
    const ports = world();
    const batch = ['a', 'b', 'c', 'b'];
    ports.objects.failing.add('b/pkg_summary.gz');
    ports.hints.sendAfter = () => Promise.reject(new Error('the queue does not answer'));
    assert.deepEqual(await publish(ports, changes(batch)), failures('2'));
    assert.match(JSON.stringify(logged), /could not request it again.*the queue does not answer/);
  });

  it('publishes a repository once it succeeds again, from the hint, and then forgets that it failed', async () => {
    const ports = world();
    await upload(ports, 'All/made-1.0.tgz');
    ports.objects.failing.add('All/pkg_summary.gz');
    await publish(ports, changes(['All']));
    const [{ key } = assert.fail('expected a hint')] = ports.delayed;
    ports.objects.failing.clear();
    ports.changed.length = 0;
    assert.deepEqual(await followHints(ports, hinted({ key })), failures());
    assert.deepEqual(ports.changed, ['All'], 'a summary of all rows is requested');
    await publish(ports, requests(['All']));
    assert.ok(ports.objects.objects.has('All/pkg_summary.gz'));
    assert.equal(await ports.records.retry('All'), undefined);
  });

  it('holds only so many summaries at a time', async () => {
    const ports = world();
    await publish(ports, changes(['a', 'b', 'c', 'd', 'e', 'f']));
    assert.equal(ports.objects.underWayMost, publishLimits.summarizeConcurrentMax);
  });

  it('hands back what there is no time for, and has everything published in the end', async () => {
    const ports = world();
    const repositories = Array.from({ length: 100 }, (_, index) => `r${index}`);
    for (const repository of repositories) await upload(ports, `${repository}/made-1.0.tgz`);
    const timeoutMilliseconds = 300_000;
    const publicationMilliseconds = 8_000;
    let spent = 0;
    const takeRun = ports.records.takeRun.bind(ports.records);
    ports.records.takeRun = (repository) => {
      // Two at a time.
      spent += publicationMilliseconds / publishLimits.summarizeConcurrentMax;
      return takeRun(repository);
    };
    let batch = requests(repositories).Records;
    for (let invocations = 0; batch.length > 0; invocations += 1) {
      assert.ok(invocations < 3, `${batch.length} changes are left`);
      spent = 0;
      const remaining = () => timeoutMilliseconds - spent;
      const { batchItemFailures } = await publish(ports, { Records: batch }, remaining);
      assert.ok(spent <= timeoutMilliseconds - publishLimits.reserveMilliseconds + publicationMilliseconds);
      const handedBack = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      const first = batch.findIndex(({ dynamodb }) => handedBack.has(dynamodb?.SequenceNumber ?? ''));
      batch = first === -1 ? [] : batch.slice(first);
    }
    assert.equal(valuesOf('Publications').length, repositories.length);
    const warned = logged
      .filter(({ level }) => level === 'WARN')
      .map(({ repositories: late, first }) => ({ late, first }));
    const late = repositories.slice(-Number(warned[0]?.late));
    assert.deepEqual(warned, [{ late: late.length, first: late.slice(0, publishLimits.namedMax) }]);
    assert.ok(late.length > publishLimits.namedMax);
    assert.equal(ports.objects.objects.has('r99/pkg_summary.gz'), true);
  });

  it('starts a publication as long as the reserve is there', async () => {
    for (const [remaining, failed] of [
      [publishLimits.reserveMilliseconds, []],
      [publishLimits.reserveMilliseconds - 1, ['1']],
    ] as const) {
      const ports = world();
      await upload(ports, 'All/made-1.0.tgz');
      assert.deepEqual(await publish(ports, requests(['All']), () => remaining), failures(...failed));
    }
  });

  it('counts what it published', async () => {
    const ports = world();
    const now = ports.clock.now().getTime();
    await upload(ports, 'All/a-1.0.tgz', new Date(now - 5_000));
    await upload(ports, 'All/b-1.0.tgz', new Date(now - publishLimits.uploadAgeMillisecondsMax));
    await upload(ports, 'All/c-1.0.tgz', new Date(now - publishLimits.uploadAgeMillisecondsMax - 1_000));
    measured.length = 0;
    await publish(ports, requests(['All']));
    assert.deepEqual(valuesOf('SummaryRecords'), [3]);
    assert.deepEqual(valuesOf('SummaryBytes'), [ports.objects.objects.get('All/pkg_summary.gz')?.size]);
    assert.deepEqual(
      valuesOf('UploadToIndexLatency'),
      [5_000, publishLimits.uploadAgeMillisecondsMax],
      'not what is adopted',
    );
    assert.equal(valuesOf('SummaryDuration').length, 1);
    const [line] = measured;
    assert.deepEqual(
      line?._aws.CloudWatchMetrics[0]?.Metrics.find(({ Name }) => Name === 'UploadToIndexLatency'),
      {
        Name: 'UploadToIndexLatency',
        Unit: 'Milliseconds',
      },
    );
  });

  it('counts missing packages while it waits, and none in the run that completes the repository', async () => {
    const ports = world();
    ports.objects.upload('All/pkg_summary.gz', Buffer.from('foreign'));
    ports.objects.upload('All/b-1.0.tgz', makePackage());
    ports.objects.upload('All/c-1.0.tgz', makePackage());
    await upload(ports, 'All/a-1.0.tgz');
    await publish(ports, requests(['All']));
    assert.deepEqual(valuesOf('PackagesMissing'), [2]);
    assert.deepEqual(valuesOf('Publications'), []);

    await upload(ports, 'All/b-1.0.tgz');
    await upload(ports, 'All/c-1.0.tgz');
    measured.length = 0;
    await publish(ports, requests(['All']));
    assert.deepEqual(valuesOf('PackagesMissing'), [0]);
    assert.deepEqual(valuesOf('Publications'), [1]);

    await upload(ports, 'All/d-1.0.tgz');
    measured.length = 0;
    await ports.clock.advance(2_000);
    await publish(
      ports,
      changes(['All'], () => 'd-1.0.tgz'),
    );
    assert.deepEqual(valuesOf('PackagesMissing'), [], 'a 0 here would hide what another repository misses');
    assert.deepEqual(valuesOf('Publications'), [1]);
  });

  it('ends the count of missing packages also where the index was right already: a table that was lost', async () => {
    const before = world();
    await upload(before, 'All/a-1.0.tgz');
    await publish(before, requests(['All']));
    const afterwards = { ...before, records: new MemoryRecords() };
    measured.length = 0;
    await publish(afterwards, requests(['All']));
    assert.deepEqual(valuesOf('PackagesMissing'), [1]);
    measured.length = 0;
    await upload(afterwards, 'All/a-1.0.tgz');
    await publish(afterwards, requests(['All']));
    assert.deepEqual(valuesOf('PackagesMissing'), [0]);
    assert.deepEqual(valuesOf('Publications'), []);
  });
});
