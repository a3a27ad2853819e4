import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { startFauxqs } from 'fauxqs';
import { encodeHint } from '../../../functions/events.ts';
import { isDeadHint, sendBackHints, summarizeInstead } from '../../../scripts/aws/dead-letters.ts';
import { MemoryRecords } from '../../adapters/memory-records.ts';

let queues: Awaited<ReturnType<typeof startFauxqs>>;
let sqs: SQSClient;
let urls: { readonly dead: string; readonly hints: string };
let round = 0;

before(async () => {
  queues = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false });
  sqs = new SQSClient({
    endpoint: `http://127.0.0.1:${queues.port}`,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    useQueueUrlAsEndpoint: false,
  });
});
after(async () => {
  sqs.destroy();
  await queues.stop();
});
beforeEach(() => {
  round += 1;
  const made = (name: string) => queues.createQueue(`${name}-${round}`).queueUrl;
  urls = { dead: made('dead'), hints: made('hints') };
});

async function put(url: string, bodies: readonly string[]): Promise<void> {
  for (const body of bodies) await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: body }));
}

/** Bodies of all messages of a queue, also of those that somebody works on. */
function bodiesIn(name: string): string[] {
  const { ready = [], inflight = [] } = queues.inspectQueue(`${name}-${round}`)?.messages ?? {};
  return [...ready, ...inflight.map(({ message }) => message)].map(({ body }) => body).toSorted();
}

const hints = Array.from({ length: 25 }, (_, index) => encodeHint({ key: `All/p-${index}.tgz`, force: index === 3 }));

describe('dead hints', () => {
  it('go back to the queue, all of them as they are', async () => {
    await put(urls.dead, hints);
    assert.equal(await sendBackHints(sqs, urls), hints.length);
    assert.deepEqual(bodiesIn('hints'), hints.toSorted());
    assert.deepEqual(bodiesIn('dead'), []);
  });

  it('are none where the queue is empty', async () => {
    assert.equal(await sendBackHints(sqs, urls), 0);
  });

  it('stay where the queue of hints does not take them', async () => {
    await put(urls.dead, hints.slice(0, 3));
    await assert.rejects(sendBackHints(sqs, { ...urls, hints: `${urls.hints}-gone` }));
    assert.equal(bodiesIn('dead').length, 3);
  });

  it('are found by their key, and stay where they are', async () => {
    await put(urls.dead, ['no JSON', ...hints]);
    assert.equal(await isDeadHint(sqs, urls.dead, 'All/p-24.tgz'), true);
    assert.equal(await isDeadHint(sqs, urls.hints, 'All/p-24.tgz'), false);
    assert.equal(bodiesIn('dead').length, hints.length + 1);
  });
});

describe('dead batches of changes', () => {
  it('are replaced by a summary of every repository', async () => {
    const requested: string[] = [];
    const records = new MemoryRecords();
    for (const repository of ['All', 'other']) await records.takeRun(repository);
    records.requestSummary = async (repository) => void requested.push(repository);
    await put(
      urls.dead,
      Array.from({ length: 12 }, () => '{"DDBStreamBatchInfo":{}}'),
    );
    assert.deepEqual(await summarizeInstead(sqs, urls.dead, records), { batches: 12, repositories: 2 });
    assert.deepEqual(requested.toSorted(), ['All', 'other']);
    assert.deepEqual(bodiesIn('dead'), []);
  });

  it('stay where a summary cannot be requested', async () => {
    const records = new MemoryRecords();
    await records.takeRun('All');
    records.requestSummary = () => Promise.reject(new Error('the table is busy'));
    await put(urls.dead, ['{}']);
    await assert.rejects(summarizeInstead(sqs, urls.dead, records), /busy/);
    assert.equal(bodiesIn('dead').length, 1);
  });

  it('cause no summary where there are none', async () => {
    const records = new MemoryRecords();
    await records.takeRun('All');
    records.requestSummary = () => assert.fail('nothing is dead');
    assert.deepEqual(await summarizeInstead(sqs, urls.dead, records), { batches: 0, repositories: 0 });
  });
});
