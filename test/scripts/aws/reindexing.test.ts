import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Outputs } from '../../../scripts/aws/deployed-stack.ts';
import { commandLimits } from '../../../scripts/aws/limits.ts';
import {
  describeReindex,
  type Queues,
  queueDepths,
  startReindex,
  untilEmpty,
} from '../../../scripts/aws/reindexing.ts';
import { type Answer, scriptedAnswers } from '../../adapters/aws/scripted-answers.ts';
import { ManualClock } from '../../adapters/manual-clock.ts';

function lambda(answer: Answer) {
  const { settings, asked } = scriptedAnswers([answer]);
  return { client: new LambdaClient(settings), asked };
}

test('the function is asked, and its counts are given', async () => {
  const counts = { repositories: 1, packages: 2, hints: 3, isComplete: true };
  const { client, asked } = lambda({ body: JSON.stringify(counts) });
  assert.deepEqual(await startReindex(client, 'mine-reindex', { prefix: 'All', force: true }), counts);
  assert.match(asked[0]?.path ?? '', /\/functions\/mine-reindex\/invocations$/);
  assert.deepEqual(JSON.parse(asked[0]?.body ?? ''), { prefix: 'All', force: true });
});

for (const [body, expected] of [
  [
    '{"errorType":"Error","errorMessage":"the bucket is gone"}',
    /^the reindex failed: the bucket is gone\. .*\/aws\/lambda\/mine-reindex/,
  ],
  ['{"errorType":"Sandbox.Timedout"}', /failed: Sandbox\.Timedout/],
  ['no JSON', /failed: no JSON/],
] as const) {
  test(`what went wrong in the function is told: ${body}`, async () => {
    const { client } = lambda({ headers: { 'x-amz-function-error': 'Unhandled' }, body });
    await assert.rejects(startReindex(client, 'mine-reindex', {}), (error: Error) => {
      assert.equal(error.name, 'CannotRun');
      assert.match(error.message, expected);
      return true;
    });
  });
}

test('a queue: what waits, what was taken, what failed for good', async () => {
  const depths: Record<string, object> = {
    hints: {
      ApproximateNumberOfMessages: '1',
      ApproximateNumberOfMessagesDelayed: '2',
      ApproximateNumberOfMessagesNotVisible: '4',
    },
    'dead-hints': { ApproximateNumberOfMessages: '8' },
    'dead-changes': { ApproximateNumberOfMessages: '16' },
  };
  const { settings } = scriptedAnswers(({ body }) => ({
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: JSON.stringify({ Attributes: depths[JSON.parse(body).QueueUrl.split('/').at(-1)] }),
  }));
  const outputs = {
    QueueUrl: 'http://store.test/1/hints',
    DeadHintsUrl: 'http://store.test/1/dead-hints',
    DeadChangesUrl: 'http://store.test/1/dead-changes',
  } as unknown as Outputs;
  assert.deepEqual(await queueDepths(new SQSClient(settings), outputs), {
    waiting: 3,
    taken: 4,
    deadHints: 8,
    deadChanges: 16,
  });
});

/** Looks that find so many hints, the last number for ever. */
async function waiting(...depths: readonly number[]) {
  const clock = new ManualClock();
  const looks: Queues[] = [];
  let look = 0;
  const done = untilEmpty(
    async () => ({ waiting: depths[Math.min(look++, depths.length - 1)] ?? 0, taken: 0, deadHints: 0, deadChanges: 0 }),
    clock,
    (queues) => looks.push(queues),
  );
  let isDone = false;
  void done.then(() => (isDone = true));
  const begin = clock.now().getTime();
  while (!isDone) await clock.advanceToNext();
  return { left: (await done).waiting, looks: looks.length, milliseconds: clock.now().getTime() - begin };
}

test('a queue is empty when several looks in a row found nothing', async () => {
  assert.deepEqual(await waiting(5, 0, 3, 0), {
    left: 0,
    looks: 3 + commandLimits.emptyChecksMin,
    milliseconds: (2 + commandLimits.emptyChecksMin) * commandLimits.pollMillisecondsMax,
  });
});

test('a queue that does not move is given up', async () => {
  const { left, milliseconds } = await waiting(7);
  assert.equal(left, 7);
  assert.equal(milliseconds, commandLimits.stuckMillisecondsMax);
});

for (const [what, more, expected] of [
  ['complete', { isComplete: true }, '2 packages in 1 repository, 3 hints sent'],
  ['one that goes on', { isComplete: false }, /3 hints sent so far\. The reindex is not complete: it continues/],
  [
    'one that found keys with an empty part',
    { isComplete: true, unusable: { packages: 2, first: 'All//x-1.0.tgz' } },
    /sent\n2 packages cannot be indexed, .*: All\/\/x-1\.0\.tgz and others\. Copy/,
  ],
] as const) {
  test(`a reindex is described: ${what}`, () => {
    const text = describeReindex({ packages: 2, repositories: 1, hints: 3, ...more }).join('\n');
    if (typeof expected === 'string') assert.equal(text, expected);
    else assert.match(text, expected);
  });
}
