import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Message, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { SqsHints } from '../../../functions/adapters/aws/sqs-hints.ts';
import { hintsFrom } from '../../../functions/events.ts';
import type { Clock, Hint } from '../../../functions/ports.ts';
import { hintQueueContract } from '../hint-queue.contract.ts';
import { oddKeys } from '../object-store.contract.ts';

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
  client?.destroy();
  await server?.stop();
});

/** fauxqs refuses nothing, so nothing waits. */
const clock: Clock = { now: () => new Date(), sleep: async () => assert.fail('expected no message to be refused') };

async function open() {
  const { queueUrl } = server.createQueue(`hints-${randomUUID()}`);
  const found: Hint[] = [];
  const delivered = async () => {
    // What the message says, by itself: hintsFrom would pass over the contract's keys that name no package.
    found.push(...(await received(queueUrl)).map(({ Body: body = '' }) => JSON.parse(body).hint));
    return found;
  };
  const pass = (milliseconds: number) => sleep(milliseconds);
  return { queue: new SqsHints(client, { queueUrl, clock }), delivered, pass, close: async () => {}, queueUrl };
}

/** All messages that nobody was given yet. */
async function received(queueUrl: string): Promise<Message[]> {
  const all: Message[] = [];
  for (;;) {
    const command = new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 });
    const { Messages: messages = [] } = await client.send(command);
    if (messages.length === 0) return all;
    all.push(...messages);
  }
}

hintQueueContract('SqsHints over fauxqs', open);

it('SqsHints is understood by hintsFrom, each hint with its message', async () => {
  const { queue, queueUrl } = await open();
  const sent = oddKeys.map((key, index) => ({ key, ...(index % 2 === 1 && { force: true }) }));
  await queue.send(sent);
  const messages = await received(queueUrl);
  const { hints, ignoredCount, unknown } = hintsFrom({
    Records: messages.map(({ MessageId, Body }) => ({ eventSource: 'aws:sqs', messageId: MessageId, body: Body })),
  });
  assert.deepEqual([ignoredCount, unknown], [0, []]);
  assert.deepEqual(
    hints.map(({ messageId }) => messageId),
    messages.map(({ MessageId }) => MessageId),
  );
  const byKey = (one: Hint, other: Hint) => (one.key < other.key ? -1 : 1);
  const withoutMessages = hints.map(({ messageId: _, ...hint }) => hint);
  assert.deepEqual(withoutMessages.toSorted(byKey), sent.toSorted(byKey));
});

it('SqsHints throws where there is no such queue', async () => {
  const queueUrl = `http://127.0.0.1:${server.port}/000000000000/none`;
  const queue = new SqsHints(client, { queueUrl, clock });
  await assert.rejects(queue.send([{ key: 'All/x.tgz' }]), { name: 'QueueDoesNotExist' });
});
