import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import fc from 'fast-check';
import { encodeHint } from '../functions/events.ts';
import { joinKey } from '../functions/keys.ts';
import { isOurPage } from '../functions/page/page.ts';
import type { Hint, ObjectFacts, ObjectKey, Repository } from '../functions/ports.ts';
import { reindexLimits } from '../functions/reindex.ts';
import { ManualClock } from './adapters/manual-clock.ts';
import { MemoryObjects } from './adapters/memory-objects.ts';
import { MemoryRecords } from './adapters/memory-records.ts';
import { type Json, resource, templateFor } from './infra/synthesized.ts';
import { makePackage } from './package-maker.ts';
import { smallPage } from './page/small-page.ts';

// As the template sets them (infra/pipeline.ts); with the last two, logs and metrics go to this process's console, metrics too.
Object.assign(process.env, {
  POWERTOOLS_SERVICE_NAME: 'the-stack',
  POWERTOOLS_METRICS_NAMESPACE: 'PkgsrcIndexer',
  POWERTOOLS_DEV: 'true',
  POWERTOOLS_METRICS_DISABLED: 'false',
});
const lambda = await import('../functions/lambda.ts');
type ReindexRequest = Parameters<typeof lambda.compareBucket>[1];

interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [name: string]: unknown;
}

interface MetricLine {
  readonly _aws: {
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
  readonly [name: string]: unknown;
}

let logged: LogLine[];
let measured: MetricLine[];
/** Every metric that any test saw. */
const everMeasured = new Set<string>();

/** All values of a metric since the test began. */
function valuesOf(metric: string): number[] {
  return measured.flatMap((line) => (line[metric] ?? []) as number | number[]);
}

beforeEach(() => {
  logged = [];
  measured = [];
  for (const method of ['log', 'info', 'warn', 'error'] as const) {
    mock.method(console, method, (text: string) => {
      const line = JSON.parse(text);
      if ('_aws' in line) measured.push(line);
      else logged.push(line);
    });
  }
});
afterEach(() => {
  mock.restoreAll();
  for (const line of measured)
    for (const { Name } of line._aws.CloudWatchMetrics[0]?.Metrics ?? []) everMeasured.add(Name);
});

/** A bucket of which some keys cannot be looked at, and that counts the looks. */
class FailingObjects extends MemoryObjects {
  readonly failing = new Set<ObjectKey>();
  readonly looks: ObjectKey[] = [];
  underWay = 0;
  underWayMost = 0;

  override async head(key: ObjectKey): Promise<ObjectFacts | undefined> {
    this.looks.push(key);
    this.underWay += 1;
    this.underWayMost = Math.max(this.underWayMost, this.underWay);
    await new Promise(setImmediate);
    this.underWay -= 1;
    if (this.failing.has(key)) throw new Error('the store does not answer');
    return super.head(key);
  }
}

function newWorld() {
  const changed: Repository[] = [];
  return {
    objects: new FailingObjects(),
    records: new MemoryRecords((repository) => changed.push(repository)),
    clock: new ManualClock(),
    changed,
  };
}

/** As Lambda hands them over: a message for each text. */
function messages(bodies: readonly string[]): unknown {
  return {
    Records: bodies.map((body, index) => ({ eventSource: 'aws:sqs', messageId: `message-${index}`, body })),
  };
}

const hinted = (...hints: readonly Hint[]) => messages(hints.map(encodeHint));
const failures = (...messageIds: readonly string[]) => ({
  batchItemFailures: messageIds.map((itemIdentifier) => ({ itemIdentifier })),
});

describe('extract', () => {
  it('looks once at a key that several hints are about', async () => {
    const world = newWorld();
    world.objects.upload('All/made-1.0.tgz', makePackage());
    const key = 'All/made-1.0.tgz';
    assert.deepEqual(await lambda.followHints(world, hinted({ key }, { key }, { key })), failures());
    assert.deepEqual(world.objects.looks, [key, key], 'before and after the write');
    assert.deepEqual(valuesOf('HintsReceived'), [3]);
    assert.deepEqual(valuesOf('PackagesIndexed'), [1]);
  });

  it('reads a package again where one of its hints demands it', async () => {
    const world = newWorld();
    const key = 'All/made-1.0.tgz';
    world.objects.upload(key, makePackage());
    await lambda.followHints(world, hinted({ key }));
    const read = mock.method(world.objects, 'readRange');
    await lambda.followHints(world, hinted({ key }, { key }));
    assert.equal(read.mock.callCount(), 0);
    await lambda.followHints(world, hinted({ key }, { key, force: true }));
    assert.notEqual(read.mock.callCount(), 0);
  });

  it('hands back the messages of what failed, all of them and no others', async () => {
    const world = newWorld();
    for (const name of ['a', 'b', 'c'])
      world.objects.upload(`All/${name}-1.0.tgz`, makePackage({ name: `${name}-1.0` }));
    world.objects.failing.add('All/b-1.0.tgz');
    const keys = ['All/a-1.0.tgz', 'All/b-1.0.tgz', 'All/c-1.0.tgz', 'All/b-1.0.tgz', 'All/gone-1.0.tgz'];
    const answer = await lambda.followHints(world, hinted(...keys.map((key) => ({ key }))));
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
    const answer = await lambda.followHints(world, messages([JSON.stringify(records), encodeHint({ key: 'd-1.tgz' })]));
    assert.deepEqual(answer, failures('message-0'));
  });

  it('fails as a whole where no queue could take anything back', async () => {
    const world = newWorld();
    world.objects.failing.add('All/a-1.0.tgz');
    await assert.rejects(lambda.followHints(world, JSON.parse(encodeHint({ key: 'All/a-1.0.tgz' }))), /see the log/);
  });

  it('acknowledges what it does not understand, counts it, and says so in a line each', async () => {
    const answer = await lambda.followHints(newWorld(), messages(['{"hello":"world"}', 'no JSON', '{"Records":[1]}']));
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
    assert.deepEqual(await lambda.followHints(world, hinted({ key: 'All/bad-1.0.tgz' })), failures());
    assert.deepEqual(valuesOf('PackagesRejected'), [1]);
    assert.deepEqual(valuesOf('PackagesIndexed'), []);
    const row = await world.records.row('All', 'bad-1.0.tgz');
    assert.equal(row?.state, 'rejected');
    assert.deepEqual(
      logged.map(({ level, message, key, reason }) => ({ level, message, key, reason })),
      [{ level: 'WARN', message: 'rejected', key: 'All/bad-1.0.tgz', reason: row.reason }],
    );
  });

  it('reads only so many packages at a time', async () => {
    const world = newWorld();
    const keys = Array.from(
      { length: 3 * lambda.lambdaLimits.extractConcurrentMax },
      (_, index) => `All/p-${index}.tgz`,
    );
    await lambda.followHints(world, hinted(...keys.map((key) => ({ key }))));
    assert.equal(world.objects.underWayMost, lambda.lambdaLimits.extractConcurrentMax);
  });
});

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

async function filesOf(records: MemoryRecords, repository: Repository): Promise<string[]> {
  const files: string[] = [];
  for await (const { file } of records.rows(repository)) files.push(file);
  return files;
}

describe('summarize', () => {
  const world = () => ({ ...newWorld(), formats: ['gz'] as const });

  async function upload({ objects, records }: ReturnType<typeof world>, key: ObjectKey, at = new Date(0)) {
    objects.upload(key, makePackage(), at);
    const clock = new ManualClock();
    await lambda.followHints({ objects, records, clock }, hinted({ key }));
  }

  it('publishes the index of every repository in the batch, once', async () => {
    const ports = world();
    for (const key of ['All/made-1.0.tgz', 'other/made-1.0.tgz', 'made-1.0.tgz']) await upload(ports, key);
    const answer = await lambda.publishIndexes(ports, requests(['All', '', 'All', 'All', 'other', 'All']));
    assert.deepEqual(answer, failures());
    assert.deepEqual([...ports.objects.objects.keys()].filter((key) => key.endsWith('.gz')).toSorted(), [
      'All/pkg_summary.gz',
      'other/pkg_summary.gz',
      'pkg_summary.gz',
    ]);
    for (const repository of ['All', '', 'other']) assert.equal(await ports.records.lastRun(repository), 1);
    assert.deepEqual(valuesOf('Publications'), [1, 1, 1]);
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
    await lambda.publishIndexes(ports, requests(['All', 'other']));
    asked.length = 0;
    const { Records: named } = changes(['All', 'other', 'All']);
    const { Records: all } = requests(['other']);
    assert.deepEqual(await lambda.publishIndexes(ports, { Records: [...named, ...all] }), failures());
    assert.deepEqual(asked.toSorted(), ['All/0-1.0.tgz', 'All/2-1.0.tgz', 'all of other']);
  });

  it('has a summary of all rows follow where the index is none to make changes in', async () => {
    const ports = world();
    const requested: Repository[] = [];
    ports.records.requestSummary = async (repository) => void requested.push(repository);
    ports.objects.upload('All/pkg_summary.gz', Buffer.from('foreign'));
    await upload(ports, 'All/made-1.0.tgz');
    requested.length = 0;
    assert.deepEqual(await lambda.publishIndexes(ports, changes(['All'])), failures());
    assert.deepEqual(requested, ['All']);
    assert.deepEqual(valuesOf('Publications'), []);
  });

  it('keeps the page where one is wanted, and says where there is one that is not ours', async () => {
    const ports = { ...world(), page: smallPage };
    for (const key of ['All/made-1.0.tgz', 'other/made-1.0.tgz']) await upload(ports, key);
    ports.objects.upload('other/index.html', Buffer.from('<p>Welcome</p>'));
    await lambda.publishIndexes(ports, requests(['All', 'other']));
    assert.ok(isOurPage(ports.objects.objects.get('All/index.html')?.body ?? new Uint8Array()));
    assert.equal(Buffer.from(ports.objects.objects.get('other/index.html')?.body ?? '').toString(), '<p>Welcome</p>');
    const warnings = logged.filter(({ level }) => level === 'WARN');
    assert.deepEqual(
      warnings.map(({ repository, message }) => [repository, message]),
      [['other', 'an index.html that is not ours is left alone: there is no package browser']],
    );
  });

  it('names the earliest change of each repository that failed, and of no other', async () => {
    const repository = fc.constantFrom('All', '', 'a', 'b/c', 'd');
    await fc.assert(
      fc.asyncProperty(fc.array(repository, { maxLength: 12 }), fc.uniqueArray(repository), async (batch, failing) => {
        const ports = world();
        for (const failed of failing) ports.objects.failing.add(joinKey(failed, 'pkg_summary.gz'));
        const answer = await lambda.publishIndexes(ports, changes(batch));
        const expected = failing.map((failed) => batch.indexOf(failed) + 1).filter((first) => first > 0);
        const named = answer.batchItemFailures.map(({ itemIdentifier }) => Number(itemIdentifier));
        assert.deepEqual(named.toSorted(), expected.toSorted());
      }),
      { numRuns: 50 },
    );
  });

  it('holds only so many summaries at a time', async () => {
    const ports = world();
    await lambda.publishIndexes(ports, changes(['a', 'b', 'c', 'd', 'e', 'f']));
    assert.equal(ports.objects.underWayMost, lambda.lambdaLimits.summarizeConcurrentMax);
  });

  it('counts what it published', async () => {
    const ports = world();
    const now = ports.clock.now().getTime();
    await upload(ports, 'All/a-1.0.tgz', new Date(now - 5_000));
    await upload(ports, 'All/b-1.0.tgz', new Date(now - lambda.lambdaLimits.uploadAgeMillisecondsMax));
    await upload(ports, 'All/c-1.0.tgz', new Date(now - lambda.lambdaLimits.uploadAgeMillisecondsMax - 1_000));
    measured.length = 0;
    await lambda.publishIndexes(ports, requests(['All']));
    assert.deepEqual(valuesOf('SummaryRecords'), [3]);
    assert.deepEqual(valuesOf('SummaryBytes'), [ports.objects.objects.get('All/pkg_summary.gz')?.size]);
    assert.deepEqual(
      valuesOf('UploadToIndexLatency'),
      [5_000, lambda.lambdaLimits.uploadAgeMillisecondsMax],
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

  it('counts missing packages while it waits, and none in the run that makes the repository whole', async () => {
    const ports = world();
    ports.objects.upload('All/pkg_summary.gz', Buffer.from('foreign'));
    ports.objects.upload('All/b-1.0.tgz', makePackage());
    ports.objects.upload('All/c-1.0.tgz', makePackage());
    await upload(ports, 'All/a-1.0.tgz');
    await lambda.publishIndexes(ports, requests(['All']));
    assert.deepEqual(valuesOf('PackagesMissing'), [2]);
    assert.deepEqual(valuesOf('Publications'), []);

    await upload(ports, 'All/b-1.0.tgz');
    await upload(ports, 'All/c-1.0.tgz');
    measured.length = 0;
    await lambda.publishIndexes(ports, requests(['All']));
    assert.deepEqual(valuesOf('PackagesMissing'), [0]);
    assert.deepEqual(valuesOf('Publications'), [1]);

    await upload(ports, 'All/d-1.0.tgz');
    measured.length = 0;
    await ports.clock.advance(2_000);
    await lambda.publishIndexes(
      ports,
      changes(['All'], () => 'd-1.0.tgz'),
    );
    assert.deepEqual(valuesOf('PackagesMissing'), [], 'a 0 here would hide what another repository misses');
    assert.deepEqual(valuesOf('Publications'), [1]);
  });

  it('ends the count of missing packages also where the index was right already: a table that was lost', async () => {
    const before = world();
    await upload(before, 'All/a-1.0.tgz');
    await lambda.publishIndexes(before, requests(['All']));
    const afterwards = { ...before, records: new MemoryRecords() };
    measured.length = 0;
    await lambda.publishIndexes(afterwards, requests(['All']));
    assert.deepEqual(valuesOf('PackagesMissing'), [1]);
    measured.length = 0;
    await upload(afterwards, 'All/a-1.0.tgz');
    await lambda.publishIndexes(afterwards, requests(['All']));
    assert.deepEqual(valuesOf('PackagesMissing'), [0]);
    assert.deepEqual(valuesOf('Publications'), []);
  });
});

describe('reindex', () => {
  /** Runs the request and whatever goes on from it. `enough`: how often time is said to be enough in each invocation. */
  async function run(world: ReturnType<typeof newWorld>, prefixes: readonly string[], request: object, enough: number) {
    const sent: Hint[] = [];
    const hints = { send: async (some: readonly Hint[]) => void sent.push(...some) };
    const invocations: ReindexRequest[] = [];
    let next: ReindexRequest | undefined = request;
    for (;;) {
      invocations.push(next);
      next = undefined;
      const goOn = async (rest: ReindexRequest) => {
        next = JSON.parse(JSON.stringify(rest));
      };
      let asked = 0;
      const getRemainingTimeInMillis = () => {
        asked += 1;
        return lambda.lambdaLimits.reindexReserveMilliseconds - (asked > enough ? 1 : 0);
      };
      const ports = { ...world, hints, goOn, prefixes };
      const counts = await lambda.compareBucket(ports, invocations.at(-1) ?? {}, { getRemainingTimeInMillis });
      if (next === undefined) return { counts, sent, invocations };
      assert.equal(counts.isComplete, false);
    }
  }

  function bucketOf(...keys: readonly ObjectKey[]) {
    const world = newWorld();
    for (const key of keys) world.objects.upload(key, Buffer.from('x'));
    return world;
  }

  const threeRepositories = ['a/x-1.tgz', 'a/y-1.tgz', 'b/z-1.tgz', 'c/x-1.tgz'];
  const always = Number.POSITIVE_INFINITY;

  it('compares the configured prefixes unless asked for another', async () => {
    const world = bucketOf(...threeRepositories);
    const configured = await run(world, ['a/', 'c/'], {}, always);
    assert.deepEqual(
      configured.sent.map(({ key }) => key),
      ['a/x-1.tgz', 'a/y-1.tgz', 'c/x-1.tgz'],
    );
    assert.deepEqual(configured.counts, { repositories: 2, packages: 3, hints: 3, isComplete: true });
    assert.deepEqual(world.changed, ['a', 'c']);
    const asked = await run(world, ['a/', 'c/'], { prefix: 'b/', force: true }, always);
    assert.deepEqual(asked.sent, [{ key: 'b/z-1.tgz', force: true }]);
  });

  it('counts what does not fit together in each repository, and nothing where all does', async () => {
    const world = newWorld();
    const record = 'PKGNAME=x-1\nDEPENDS=gone>=1\nDEPENDS=away>=1\n\n';
    for (const [repository, file, text] of [
      ['a', 'x-1.tgz', record],
      ['a', 'y.tgz', record],
      ['b', 'z-1.tgz', 'PKGNAME=z-1\n\n'],
    ] as const) {
      const facts = { repository, file, etag: 'e', size: 1, lastModified: new Date(0), indexedAt: new Date(0) };
      await world.records.putRow({ ...facts, state: 'indexed', record: Buffer.from(text), warnings: [] });
    }
    await run(world, [''], {}, always);
    assert.deepEqual(valuesOf('MissingDependencies'), [2, 0]);
    assert.deepEqual(valuesOf('MissingLibraries'), [0, 0]);
    assert.deepEqual(valuesOf('DuplicateNames'), [1, 0]);
    assert.deepEqual(valuesOf('DuplicatePaths'), [0, 0]);
  });

  it('goes on in a fresh invocation wherever its time ends: the same hints, once each, and the same counts', async () => {
    const many = Array.from({ length: 2 * reindexLimits.hintsPerSendMax + 1 }, (_, index) => `m/p-${index}.tgz`);
    for (const [prefixes, keys] of [
      [[''], threeRepositories],
      [['a/', 'b/', 'c/'], threeRepositories],
      [
        ['a/', 'm/'],
        [...many, 'a/x-1.tgz', 'n/out-1.tgz'],
      ],
    ] as const) {
      const whole = await run(bucketOf(...keys), prefixes, { force: true }, always);
      assert.equal(whole.invocations.length, 1);
      for (const enough of [0, 1, 2, 3]) {
        const world = bucketOf(...keys);
        const parts = await run(world, prefixes, { force: true }, enough);
        assert.deepEqual(parts.counts, whole.counts);
        assert.deepEqual(parts.sent, whole.sent);
        if (enough === 0) assert.ok(parts.invocations.length > 1);
        assert.deepEqual([...new Set(world.changed)].length, whole.counts.repositories);
      }
    }
  });

  it('ends after so many invocations, and says what to do', async () => {
    const keys = Array.from(
      { length: lambda.lambdaLimits.reindexRoundsMax + 1 },
      (_, index) => `r${index + 10}/x-1.tgz`,
    );
    await run(bucketOf(...keys.slice(1)), [''], {}, 1);
    await assert.rejects(run(bucketOf(...keys), [''], {}, 1), /within 15 invocations; .* by its prefix .*"r24"/);
  });
});

describe('what the environment says', () => {
  const complete = {
    BUCKET: 'packages',
    RECORDS_TABLE: 'records',
    REPOSITORIES_TABLE: 'repositories',
    QUEUE_URL: 'http://queue.test/hints',
    FORMATS: 'gz,zst',
    PAGE: 'on',
  };
  const before = { ...process.env };
  after(() => {
    process.env = before;
  });

  /** Runs a handler with that environment, in a module that has seen no other. */
  async function invoke(step: 'extract' | 'summarize' | 'reindex', environment: Readonly<Record<string, string>>) {
    process.env = { ...before, AWS_REGION: 'us-east-1', ...environment };
    modules += 1;
    const fresh: typeof lambda = await import(`../functions/lambda.ts?${modules}`);
    const context = { functionName: step, getRemainingTimeInMillis: () => 900_000 } as Parameters<
      typeof lambda.reindex
    >[1];
    if (step === 'reindex') return fresh.reindex({}, context);
    return fresh[step]({ Records: [] });
  }
  let modules = 0;

  for (const [step, names] of [
    ['extract', ['BUCKET', 'RECORDS_TABLE', 'REPOSITORIES_TABLE']],
    ['summarize', ['BUCKET', 'RECORDS_TABLE', 'REPOSITORIES_TABLE', 'FORMATS', 'PAGE']],
    ['reindex', ['BUCKET', 'RECORDS_TABLE', 'REPOSITORIES_TABLE', 'QUEUE_URL']],
  ] as const) {
    for (const name of names) {
      it(`${step} fails without ${name}, and names it`, async () => {
        const failed = invoke(step, { ...complete, [name]: '' });
        await assert.rejects(failed, new RegExp(`the environment variable ${name}, found none; deploy again`));
      });
    }
  }

  it('is enough for an invocation with nothing to do', async () => {
    assert.deepEqual(await invoke('extract', complete), failures());
    assert.deepEqual(await invoke('summarize', complete), failures());
  });

  it('refuses a format that it does not know rather than remove its index', async () => {
    const misspelt = invoke('summarize', { ...complete, FORMATS: 'gz,zstd' });
    await assert.rejects(misspelt, /FORMATS to be some of gz,zst, found gz,zstd/);
  });
});

describe('the metrics', () => {
  it('have the one dimension that infra/watch.ts looks for', async () => {
    await lambda.followHints(newWorld(), messages(['?']));
    assert.equal(measured.length, 1);
    const [{ _aws: head, service } = assert.fail('expected a line of metrics')] = measured;
    assert.equal(service, 'the-stack');
    assert.deepEqual(head.CloudWatchMetrics, [
      {
        Namespace: 'PkgsrcIndexer',
        Dimensions: [['service']],
        Metrics: [{ Name: 'UnknownEvents', Unit: 'Count' }],
      },
    ]);
  });

  it('are those that the dashboard shows, by all of the tests above', () => {
    const { DashboardBody } = resource(templateFor({}), 'AWS::CloudWatch::Dashboard', 'WatchDashboard').Properties;
    const { widgets } = JSON.parse(String(DashboardBody)) as { widgets: { properties: { metrics: Json[][] } }[] };
    const shown = widgets.flatMap(({ properties }) => properties.metrics);
    const ours = shown.filter(([namespace]) => namespace === 'PkgsrcIndexer').map(([, name]) => String(name));
    assert.deepEqual([...everMeasured].toSorted(), [...new Set(ours)].toSorted());
  });

  it('are not written where there is nothing to say', async () => {
    await lambda.followHints(newWorld(), { Records: [] });
    assert.deepEqual(measured, []);
  });
});
