import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { SQSClient } from '@aws-sdk/client-sqs';
import { HintsNotSent, queueLimits, SqsHints } from '../../../functions/adapters/aws/sqs-hints.ts';
import { hintsFrom } from '../../../functions/events.ts';
import type { Clock, Hint } from '../../../functions/ports.ts';
import { type Answer, type Asked, scriptedAnswers } from './scripted-answers.ts';

interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
}

interface Refusal {
  readonly Code: string;
  readonly SenderFault: boolean;
}

/** A queue that keeps what it takes, and refuses what `refuse` says; `sends` counts the tries of that message. */
function queueRefusing(refuse: (message: string, sends: number) => Refusal | undefined) {
  const taken: string[] = [];
  const sends = new Map<string, number>();
  const batchSizes: number[] = [];
  const waits: number[] = [];

  const answer = ({ body }: Asked): Answer => {
    const entries: Entry[] = JSON.parse(body).Entries;
    batchSizes.push(entries.length);
    const Successful: object[] = [];
    const Failed: object[] = [];
    for (const { Id, MessageBody: message } of entries) {
      sends.set(message, (sends.get(message) ?? 0) + 1);
      const refusal = refuse(message, sends.get(message) ?? 0);
      if (refusal !== undefined) {
        Failed.push({ Id, ...refusal, Message: 'try again later' });
        continue;
      }
      taken.push(message);
      Successful.push({ Id, MessageId: Id, MD5OfMessageBody: createHash('md5').update(message).digest('hex') });
    }
    return { headers: { 'content-type': 'application/x-amz-json-1.0' }, body: JSON.stringify({ Successful, Failed }) };
  };

  const clock: Clock = { now: () => new Date(0), sleep: async (milliseconds) => void waits.push(milliseconds) };
  const { settings, asked } = scriptedAnswers(answer);
  const queue = new SqsHints(new SQSClient(settings), { queueUrl: 'http://store.test/1/hints', clock });
  const keysTaken = () => taken.flatMap((message) => hintsFrom(JSON.parse(message)).hints.map(({ key }) => key));
  return { queue, asked, keysTaken, batchSizes, waits };
}

function hints(count: number): Hint[] {
  return Array.from({ length: count }, (_, index) => ({ key: `All/package-${index}.tgz` }));
}

const keysOf = (some: readonly Hint[]) => some.map(({ key }) => key);
const throttled: Refusal = { Code: 'ThrottlingException', SenderFault: false };

describe('SqsHints', () => {
  it('sends nothing where there is nothing', async () => {
    const { queue, asked } = queueRefusing(() => undefined);
    await queue.send([]);
    assert.equal(asked.length, 0);
  });

  for (const count of [1, queueLimits.batchMessagesMax, queueLimits.batchMessagesMax + 1, 257]) {
    it(`sends ${count} hints, at most ten in a batch`, async () => {
      const { queue, keysTaken, batchSizes } = queueRefusing(() => undefined);
      await queue.send(hints(count));
      assert.deepEqual(keysTaken().toSorted(), keysOf(hints(count)).toSorted());
      assert.equal(batchSizes.length, Math.ceil(count / queueLimits.batchMessagesMax));
      assert.ok(batchSizes.every((size) => size <= queueLimits.batchMessagesMax));
    });
  }

  it('sends those again that were refused, and only those', async () => {
    const { queue, keysTaken, batchSizes, waits } = queueRefusing((message, sends) =>
      message.includes('package-3') && sends < 3 ? throttled : undefined,
    );
    await queue.send(hints(10));
    assert.deepEqual(keysTaken().toSorted(), keysOf(hints(10)));
    assert.deepEqual(batchSizes, [10, 1, 1]);
    assert.deepEqual(waits, [queueLimits.sendRetryMillisecondsMin, 2 * queueLimits.sendRetryMillisecondsMin]);
  });

  it('gives up after as many tries as the limit says', async () => {
    for (const [refusals, expected] of [
      [queueLimits.sendTriesMax - 1, 'sent'],
      [queueLimits.sendTriesMax, 'given up'],
    ] as const) {
      const { queue, asked } = queueRefusing((_, sends) => (sends <= refusals ? throttled : undefined));
      const sending = queue.send(hints(2));
      if (expected === 'sent') await sending;
      else
        await assert.rejects(sending, { name: 'HintsNotSent', message: /refused 2 hints \(ThrottlingException: try/ });
      assert.equal(asked.length, queueLimits.sendTriesMax);
    }
  });

  it('does not try again what can never be taken', async () => {
    const { queue, asked } = queueRefusing(() => ({ Code: 'InvalidMessageContents', SenderFault: true }));
    await assert.rejects(queue.send(hints(1)), HintsNotSent);
    assert.equal(asked.length, 1);
  });

  it('starts no further batch once one has failed', async () => {
    const { queue, asked } = queueRefusing(() => ({ Code: 'AccessDenied', SenderFault: true }));
    await assert.rejects(queue.send(hints(1000)), HintsNotSent);
    assert.ok(asked.length <= queueLimits.batchesConcurrentMax, `${asked.length} batches`);
  });

  it('keeps a batch within the bytes that SQS takes', async () => {
    const emptyHintBytes = Buffer.byteLength('{"type":"pkgsrc-indexer.hint","version":1,"hint":{"key":""}}');
    const half = { key: 'ü'.repeat((queueLimits.batchBytesMax / 2 - emptyHintBytes) / 2) };
    const { queue, batchSizes } = queueRefusing(() => undefined);
    await queue.send([half, half]);
    assert.deepEqual(batchSizes, [2]);
    await queue.send([half, { key: `${half.key}x` }]);
    assert.deepEqual(batchSizes, [2, 1, 1]);
    const whole = { key: 'x'.repeat(queueLimits.batchBytesMax - emptyHintBytes) };
    await queue.send([whole]);
    await assert.rejects(queue.send([{ key: `${whole.key}x` }]), /at most 262144 bytes, found 262145/);
  });

  it('delays what is sent for later, in whole seconds, and nothing else', async () => {
    const { queue, asked } = queueRefusing(() => undefined);
    await queue.send([{ key: 'a' }]);
    await queue.sendAfter([{ key: 'a' }], 15_000);
    await queue.sendAfter([{ key: 'a' }], 1_001);
    const delays = asked.map(({ body }) => JSON.parse(body).Entries[0].DelaySeconds);
    assert.deepEqual(delays, [undefined, 15, 2]);
  });
});
