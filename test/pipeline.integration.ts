/**
 * The whole pipeline, from an upload to the index that clients read: the bundles that are deployed, with the environment and the
 * event source mappings of the template, over Ceph's S3 gateway with its own notifications. test/pipeline/indexer-stack.ts says
 * what stands for what.
 */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  NotFound,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { encodeHint } from '../functions/events.ts';
import { joinKey, packageSuffixes } from '../functions/keys.ts';
import { pageFile } from '../functions/page/page.ts';
import type { PublicationEvent } from '../functions/publication-event.ts';
import { resource, statementsOf } from './infra/synthesized.ts';
import { bundledPage } from './page/bundled-page.ts';
import type { BucketNotifications } from './pipeline/bucket-notifications.ts';
import { callsOf, compareWithRole } from './pipeline/iam-calls.ts';
import { IndexWatcher, readPublished } from './pipeline/index-watcher.ts';
import { type IndexerStack, type StepName, startIndexerStack, template } from './pipeline/indexer-stack.ts';
import { Uploads } from './pipeline/uploads.ts';

const eventuallyMilliseconds = 60_000;

/** Until the check passes; then fails with what the check said last. */
async function eventually(check: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + eventuallyMilliseconds;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

interface MetricsLine {
  readonly _aws: {
    readonly CloudWatchMetrics: readonly { readonly Namespace: string; readonly Dimensions: unknown }[];
  };
  readonly service: string;
  readonly UnknownEvents?: number;
}

describe('the pipeline', { timeout: 600_000 }, () => {
  let stack: IndexerStack;
  let uploads: Uploads;
  let notifications: BucketNotifications;

  const adopted = 'adopted/All';
  const adoptedPackages = 500;
  const uploadsAtOnce = 16;

  before(async () => {
    stack = await startIndexerStack();
    uploads = new Uploads(stack.s3, stack.bucket);
    // There before anybody told the queue anything.
    await pMap(Array(adoptedPackages).keys(), (index) => uploads.put(`${adopted}/old-${index}.0.tgz`), {
      concurrency: uploadsAtOnce,
    });
    notifications = await stack.startNotifications();
  });
  after(async () => {
    await stack?.stop();
  });

  /** Pages that are not ours, by repository. */
  const foreignPages = new Map<string, string>();

  /** Both indexes of the repository hold exactly what was uploaded, and its page lists that. */
  async function assertPublished(repository: string): Promise<void> {
    const expected = uploads.summaryOf(repository);
    for (const format of ['gz', 'zst'] as const) {
      const published = await readPublished(stack.s3, stack.bucket, repository, format);
      assert.equal(Buffer.from(published?.summary ?? []).toString(), expected.toString(), `pkg_summary.${format}`);
    }
    const files = [...expected.toString().matchAll(/^FILE_NAME=(.*)$/gm)].map(([, file = '']) => file);
    const foreign = foreignPages.get(repository);
    const page = await pageOf(repository);
    assert.equal(page.text, foreign ?? Buffer.from(bundledPage.render(files)).toString(), 'index.html');
    if (foreign === undefined)
      assert.deepEqual([page.type, page.cacheControl], ['text/html; charset=utf-8', 'no-cache']);
  }

  async function pageOf(repository: string) {
    const Key = joinKey(repository, pageFile);
    const { Body, ContentType, CacheControl } = await stack.s3.send(
      new GetObjectCommand({ Bucket: stack.bucket, Key }),
    );
    return { text: await Body?.transformToString(), type: ContentType, cacheControl: CacheControl };
  }

  const published = (repository: string) => eventually(() => assertPublished(repository));

  /** Everything that was told has been followed, to its end. */
  async function quiet(): Promise<void> {
    // In this order: a hint is followed only after its change has been made.
    await eventually(async () => assert.equal(stack.pending().hints, 0));
    await eventually(async () => assert.equal(stack.pending().changes, 0));
  }

  async function metadataOf(key: string): Promise<Record<string, string> | undefined> {
    try {
      return (await stack.s3.send(new HeadObjectCommand({ Bucket: stack.bucket, Key: key }))).Metadata ?? {};
    } catch (error) {
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  }

  function puts(repository: string) {
    const url = `/${stack.bucket}/${repository}/pkg_summary.gz`;
    return stack.exchanges.filter((exchange) => exchange.method === 'PUT' && exchange.url.startsWith(url));
  }
  /** Puts of a repository's primary index that took effect, and those that did not. */
  const publications = (repository: string) => puts(repository).filter(({ status }) => status === 200).length;
  const lostRaces = (repository: string) => puts(repository).length - publications(repository);

  it('publishes an upload', async (t) => {
    await uploads.put('first/made-1.0.tgz');
    const uploaded = Date.now();
    await published('first');
    t.diagnostic(`published ${Date.now() - uploaded} ms after the upload, of which 1000 are the debounce`);
    const deferred = stack.output.filter(({ message }) => /asked for a summary of all rows/.test(String(message)));
    assert.deepEqual(deferred, [], 'the first index comes in the first window');
  });

  it('follows an overwritten package', async () => {
    await uploads.put('overwrite/made-1.0.tgz', { comment: 'old' });
    await uploads.put('overwrite/other-1.0.tgz');
    await published('overwrite');
    await uploads.put('overwrite/made-1.0.tgz', { comment: 'new' });
    assert.match(uploads.summaryOf('overwrite').toString(), /COMMENT=new/);
    await published('overwrite');
  });

  it('forgets a deleted package; of the last one stays an empty index', async () => {
    for (const name of ['a', 'b']) await uploads.put(`delete/${name}-1.0.tgz`);
    await published('delete');
    await uploads.delete('delete/a-1.0.tgz');
    await published('delete');
    await uploads.delete('delete/b-1.0.tgz');
    assert.equal(uploads.summaryOf('delete').toString(), '\n');
    await published('delete');
  });

  it('leaves a page that somebody put there alone', async () => {
    const Body = '<p>Welcome</p>';
    await stack.s3.send(new PutObjectCommand({ Bucket: stack.bucket, Key: 'welcome/index.html', Body }));
    foreignPages.set('welcome', Body);
    await uploads.put('welcome/made-1.0.tgz');
    await published('welcome');
    assert.ok(
      stack.output.some(({ message, repository }) => /not ours/.test(`${message}`) && repository === 'welcome'),
    );
  });

  it('reads a package that was uploaded in parts', async () => {
    assert.equal(await uploads.putInParts('parts/big-1.0.tgz'), 3);
    await published('parts');
  });

  it('takes packages by every suffix, in the root of the bucket too', async () => {
    for (const suffix of packageSuffixes) await uploads.put(`root-${suffix.slice(1)}-1.0${suffix}`);
    await published('');
  });

  it('keeps an alias for a name with +, outside of the index, and removes it with the package', async () => {
    for (const suffix of packageSuffixes) await uploads.put(`plus/gtk2+-${suffix.slice(1)}-2.24${suffix}`);
    await published('plus');
    const alias = (suffix: string) => metadataOf(`plus/gtk2 -${suffix.slice(1)}-2.24${suffix}`);
    for (const suffix of packageSuffixes) {
      await eventually(async () => assert.ok('alias-of' in ((await alias(suffix)) ?? {}), suffix));
    }
    await quiet();
    const packages = packageSuffixes.length;
    // The aliases are neither packages nor differences.
    assert.deepEqual(await stack.reindex({ prefix: 'plus/' }), {
      repositories: 1,
      packages,
      hints: 0,
      isComplete: true,
    });
    for (const suffix of packageSuffixes) await uploads.delete(`plus/gtk2+-${suffix.slice(1)}-2.24${suffix}`);
    await published('plus');
    for (const suffix of packageSuffixes) await eventually(async () => assert.equal(await alias(suffix), undefined));
  });

  it('leaves a malformed package out, whose neighbours are unaffected, until a good one replaces it', async () => {
    await uploads.put('malformed/good-1.0.tgz');
    await uploads.putMalformed('malformed/bad-1.0.tgz');
    await uploads.put('malformed/other-1.0.tgz');
    await published('malformed');
    await eventually(async () =>
      assert.ok(stack.output.some(({ message, key }) => message === 'rejected' && key === 'malformed/bad-1.0.tgz')),
    );
    await uploads.put('malformed/bad-1.0.tgz');
    await published('malformed');
  });

  it('turns a burst of 500 uploads into a few publications', async (t) => {
    const begin = Date.now();
    await pMap(Array(500).keys(), (index) => uploads.put(`burst/p-${index}.0.tgz`), { concurrency: uploadsAtOnce });
    const uploaded = Date.now();
    await published('burst');
    const seconds = (Date.now() - begin) / 1000;
    const count = publications('burst');
    t.diagnostic(`uploaded in ${(uploaded - begin) / 1000} s, published in ${seconds} s, ${count} publications`);
    // One for each window of a second, and they are at least a second apart.
    assert.ok(count <= seconds + 1, `${count} publications in ${seconds} s`);
  });

  it('ends right after packages were overwritten, broken and deleted over and over', async () => {
    await pMap(Array(8).keys(), async (name) => {
      const key = `storm/p${name}-1.0.tgz`;
      for (let round = 0; round < 16; round += 1) {
        const what = (round * 5 + name * 3 + Math.floor(round / 4)) % 4;
        if (what === 0) await uploads.delete(key);
        else if (what === 1) await uploads.putMalformed(key);
        else await uploads.put(key, { comment: `round ${round}` });
      }
    });
    await quiet();
    await assertPublished('storm');
  });

  it('hands back what failed of a batch, and nothing else; it heals by itself', async () => {
    const extract = stack.startStep('extract');
    await extract.invoke({ Records: [] });
    const heal = stack.fail(
      (step, service, { url }) => step === 'extract' && service === 's3' && url.includes('unlucky'),
    );
    const names = ['lucky', 'unlucky', 'happy'];
    for (const name of names) await uploads.put(`partial/${name}-1.0.tgz`);
    const Records = names.map((name) => ({
      eventSource: 'aws:sqs',
      messageId: `message of ${name}`,
      body: encodeHint({ key: `partial/${name}-1.0.tgz` }),
    }));
    assert.deepEqual(await extract.invoke({ Records }), {
      batchItemFailures: [{ itemIdentifier: 'message of unlucky' }],
    });
    await eventually(async () => {
      const index = await readPublished(stack.s3, stack.bucket, 'partial', 'gz');
      assert.deepEqual([...(index?.packages.keys() ?? [])], ['happy-1.0', 'lucky-1.0']);
    });
    heal();
    await published('partial');
    await extract.stop();
  });

  it('publishes the other repositories of a batch of changes where one fails; that one later', async () => {
    const heal = stack.fail(
      (step, _service, { method, url }) => step === 'summarize' && method === 'PUT' && url.includes('stuck'),
    );
    await uploads.put('stuck/made-1.0.tgz');
    await uploads.put('free/made-1.0.tgz');
    await published('free');
    assert.equal(await readPublished(stack.s3, stack.bucket, 'stuck', 'gz'), undefined);
    await uploads.put('free/later-1.0.tgz');
    await published('free');
    heal();
    // By a delayed hint.
    await published('stuck');
  });

  it('makes lost events good by a reindex, of an index that was removed as well', async () => {
    for (const name of ['kept', 'gone']) await uploads.put(`lost/${name}-1.0.tgz`);
    await published('lost');
    notifications.isLost = true;
    await uploads.delete('lost/gone-1.0.tgz');
    await uploads.put('lost/new-1.0.tgz');
    await stack.s3.send(new DeleteObjectCommand({ Bucket: stack.bucket, Key: 'first/pkg_summary.gz' }));
    notifications.isLost = false;
    assert.deepEqual(await stack.reindex({ prefix: 'lost/' }), {
      repositories: 1,
      packages: 2,
      hints: 2,
      isComplete: true,
    });
    await published('lost');
    await stack.reindex({ prefix: 'first/' });
    await published('first');
  });

  it('adopts a bucket of 500 packages without ever showing a smaller index', async (t) => {
    const foreign = uploads.summaryOf(adopted).toString().split('\n\n').slice(0, -1).toReversed();
    const put = (file: string, Body: Buffer) =>
      stack.s3.send(new PutObjectCommand({ Bucket: stack.bucket, Key: `${adopted}/${file}`, Body }));
    await put('pkg_summary.gz', gzipSync(`${foreign.join('\n\n')}\n\n`));
    for (const file of ['pkg_summary.xz', 'pkg_summary.bz2']) await put(file, Buffer.from('of somebody else'));
    const watcher = new IndexWatcher(stack.s3, stack.bucket, adopted);
    // No time at all: it goes on in a fresh invocation after its first batch of hints.
    const counts = await stack.reindex({ prefix: 'adopted/' }, 0);
    assert.deepEqual(counts, { repositories: 1, packages: adoptedPackages, hints: adoptedPackages, isComplete: true });
    await published(adopted);
    for (const file of ['pkg_summary.xz', 'pkg_summary.bz2']) {
      await eventually(async () => assert.equal(await metadataOf(`${adopted}/${file}`), undefined));
    }
    await watcher.stop();
    assert.deepEqual([...new Set(watcher.seen.map(({ records }) => records))], [adoptedPackages]);
    const waited = stack.output.filter(({ missing, repository }) => missing !== undefined && repository === adopted);
    t.diagnostic(`${watcher.reads} reads, ${waited.length} runs that waited, ${publications(adopted)} publication`);
    assert.equal(publications(adopted), 1);
    const missing = stack.output.flatMap(({ PackagesMissing }) => (PackagesMissing ?? []) as number | number[]);
    // Not the last figure: a run that still waits may end behind the one that need not.
    assert.ok(missing.includes(0));
  });

  it('holds back an index without any package over one of others, until that is confirmed', async () => {
    const repository = 'held/All';
    const body = gzipSync('PKGNAME=gone-1.0\nCOMMENT=c\n\n');
    const Key = `${repository}/pkg_summary.gz`;
    await stack.s3.send(new PutObjectCommand({ Bucket: stack.bucket, Key, Body: body }));
    const said = () =>
      stack.output.filter((line) => line.repository === repository && /^held back: /.test(`${line.message}`));
    await stack.reindex({ prefix: 'held/' }, 0);
    await eventually(async () => assert.notEqual(said().length, 0));
    assert.equal(publications(repository), 0);
    const { ETag: index = '' } = await stack.s3.send(new HeadObjectCommand({ Bucket: stack.bucket, Key }));
    const confirmation = `${repository}/.indexer-state/confirmed.json`;
    const Body = JSON.stringify({ index, to: 0 });
    await stack.s3.send(new PutObjectCommand({ Bucket: stack.bucket, Key: confirmation, Body }));
    await stack.reindex({ prefix: 'held/' }, 0);
    await eventually(async () => assert.equal(publications(repository), 1));
    await eventually(async () => assert.equal(await metadataOf(confirmation), undefined));
  });

  it('adopts the root of the bucket, too', async () => {
    for (const file of ['pkg_summary.xz', 'pkg_summary.bz2']) {
      await stack.s3.send(new PutObjectCommand({ Bucket: stack.bucket, Key: file, Body: 'of somebody else' }));
    }
    await stack.reindex({ prefix: '' });
    for (const file of ['pkg_summary.xz', 'pkg_summary.bz2']) {
      await eventually(async () => assert.equal(await metadataOf(file), undefined));
    }
    await published('');
  });

  it('sends no hints and publishes nothing where all is well', async () => {
    await quiet();
    const before = publications('burst');
    // The aliases are gone; what differs is nothing.
    const configured = stack.startStep('reindex', { PREFIXES: JSON.stringify(['burst', 'lost']) });
    assert.deepEqual(await configured.invoke({}), { repositories: 2, packages: 502, hints: 0, isComplete: true });
    await configured.stop();
    await quiet();
    assert.equal(publications('burst'), before);
  });

  it('ends in the right index where 20 summarize run at once while packages come and go', async (t) => {
    await uploads.put('crowd/p-0.0.tgz');
    await published('crowd');
    const steps = Array.from({ length: 20 }, () => stack.startStep('summarize'));
    await Promise.all(steps.map((step) => step.invoke({ Records: [] })));
    const watcher = new IndexWatcher(stack.s3, stack.bucket, 'crowd');
    const Keys = { repository: { S: 'crowd' }, file: { S: 'p-0.0.tgz' } };
    const event = { Records: [{ eventName: 'MODIFY', dynamodb: { Keys, SequenceNumber: '1' } }] };
    const changes = (async () => {
      for (let index = 1; index <= 20; index += 1) {
        await uploads.put(`crowd/p-${index}.0.tgz`);
        if (index % 3 === 0) await uploads.delete(`crowd/p-${index - 1}.0.tgz`);
      }
    })();
    const begin = Date.now();
    const answers = await Promise.all(
      steps.map(async (step) => {
        // A run that gave up is delivered again, as the stream does.
        for (let tries = 1; ; tries += 1) {
          const answer = (await step.invoke(event)) as { batchItemFailures: unknown[] };
          if (answer.batchItemFailures.length === 0) return tries;
        }
      }),
    );
    await changes;
    await quiet();
    await assertPublished('crowd');
    await watcher.stop();
    const tries = answers.reduce((sum, one) => sum + one, 0);
    t.diagnostic(
      `${tries} invocations in ${(Date.now() - begin) / 1000} s, ${publications('crowd')} publications, ${lostRaces('crowd')} lost races, ` +
        `${watcher.seen.length} versions seen in ${watcher.reads} reads`,
    );
    for (const format of ['gz', 'zst']) {
      const times = watcher.seen.filter((index) => index.format === format).map(({ lastModified }) => +lastModified);
      assert.deepEqual(
        times,
        [...new Set(times)].toSorted((a, b) => a - b),
        'no two versions in one second',
      );
    }
    for (const step of steps) await step.stop();
  });

  it('told the topic of each publication, and what it changed', () => {
    const told = stack.exchanges.filter(({ service, status }) => service === 'sns' && status === 200);
    const events: readonly PublicationEvent[] = told.map(({ body }) =>
      JSON.parse(new URLSearchParams(body.toString()).get('Message') ?? ''),
    );
    const [first] = events.filter(({ repository }) => repository === 'first');
    assert.deepEqual([first?.packages, first?.added], [1, ['made-1.0.tgz']]);
    const sequences = events.filter(({ repository }) => repository === 'crowd').map(({ sequence }) => sequence);
    assert.equal(new Set(sequences).size, sequences.length);
  });

  it('is right in the end, in every repository, with nothing left over', async () => {
    await quiet();
    for (const repository of uploads.repositories) await assertPublished(repository);
    assert.equal(stack.deadHints(), 0);
  });

  it('counts under the one dimension that the alarms look at, and understood every event', () => {
    const measured = stack.output.filter((line) => '_aws' in line) as unknown as readonly MetricsLine[];
    assert.notEqual(measured.length, 0);
    for (const { _aws: head, service, UnknownEvents } of measured) {
      assert.equal(service, 'pkgsrc-indexer');
      assert.deepEqual(
        head.CloudWatchMetrics.map(({ Namespace, Dimensions }) => ({ Namespace, Dimensions })),
        [{ Namespace: 'PkgsrcIndexer', Dimensions: [['service']] }],
      );
      assert.equal(UnknownEvents, undefined);
    }
  });

  /** Statements for Lambda itself: it takes from queue and stream, and writes logs, in the function's name. */
  const lambdasOwn = ['TakeHints', 'TakeChanges', 'GiveUpChanges', 'WriteLogs'];

  for (const step of ['extract', 'summarize', 'reindex'] satisfies StepName[]) {
    it(`${step} made no call that its role forbids, and its role allows no call that it did not make`, (t) => {
      const name = `Pipeline${step[0]?.toUpperCase()}${step.slice(1)}Role`;
      const statements = statementsOf(resource(template, 'AWS::IAM::Role', name));
      const ours = statements.filter(({ Sid }) => !lambdasOwn.includes(Sid));
      const exchanges = stack.exchanges.filter((exchange) => exchange.step === step);
      const calls = exchanges.flatMap((exchange) =>
        callsOf(exchange.service, exchange, {
          table: (table) => `${table}.Arn`,
          queue: () => 'PipelineHints.Arn',
          topic: () => 'PipelinePublications',
          function: (called) => `arn:aws:lambda:eu-central-1:123456789012:function:${called}`,
        }),
      );
      t.diagnostic(`${exchanges.length} requests, ${ours.length} statements`);
      assert.deepEqual(compareWithRole(ours, calls), { forbidden: [], unused: [] });
    });
  }
});
