import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { SqsHints } from '../../functions/adapters/sqs-hints.ts';
import { hintsFrom } from '../../functions/events.ts';
import type { Clock, Hint } from '../../functions/ports.ts';
import { oddKeys } from './object-store.contract.ts';

/** fauxqs refuses nothing, so nothing waits. */
const clock: Clock = { now: () => new Date(), sleep: async () => assert.fail('expected no message to be refused') };

describe('SqsHints over fauxqs', () => {
  let server: FauxqsServer;
  let client: SQSClient;

  before(async () => {
    server = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false });
    client = new SQSClient({
      endpoint: `http://127.0.0.1:${server.port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
  });
  after(async () => {
    client.destroy();
    await server.stop();
  });

  /** Everything that the queue holds, as Lambda would be given it. */
  async function received(queueUrl: string, count: number): Promise<Hint[]> {
    const hints: Hint[] = [];
    while (hints.length < count) {
      const command = new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 5 });
      const { Messages: messages = [] } = await client.send(command);
      assert.ok(messages.length > 0, `expected ${count} hints, found ${hints.length}`);
      for (const { MessageId: messageId, Body: body, ReceiptHandle: receipt } of messages) {
        const { hints: found, unknown } = hintsFrom({ Records: [{ eventSource: 'aws:sqs', messageId, body }] });
        assert.deepEqual(unknown, []);
        hints.push(...found.map(({ key, force }) => ({ key, ...(force && { force }) })));
        await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: receipt }));
      }
    }
    return hints;
  }

  function open(name: string) {
    const { queueUrl } = server.createQueue(name);
    return { queueUrl, queue: new SqsHints(client, { queueUrl, clock }) };
  }

  it('delivers every hint, of any key, forced or not', async () => {
    const { queue, queueUrl } = open('odd-keys');
    const hints = oddKeys.map((key, index) => ({ key, ...(index % 2 === 1 && { force: true }) }));
    await queue.send(hints);
    const byKey = (one: Hint, other: Hint) => (one.key < other.key ? -1 : 1);
    assert.deepEqual((await received(queueUrl, hints.length)).toSorted(byKey), hints.toSorted(byKey));
  });

  it('delivers many hints', async () => {
    const { queue, queueUrl } = open('many');
    const keys = Array.from({ length: 1_234 }, (_, index) => `All/package-${index}.tgz`);
    await queue.send(keys.map((key) => ({ key })));
    const found = await received(queueUrl, keys.length);
    assert.deepEqual(found.map(({ key }) => key).toSorted(), keys.toSorted());
  });

  it('throws where there is no such queue', async () => {
    const queueUrl = `http://127.0.0.1:${server.port}/000000000000/none`;
    const queue = new SqsHints(client, { queueUrl, clock });
    await assert.rejects(queue.send([{ key: 'All/x.tgz' }]), { name: 'QueueDoesNotExist' });
  });
});
