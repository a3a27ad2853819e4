import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { Clock } from '../../../functions/ports.ts';
import { follow, lookBefore } from '../../../scripts/aws/stack-events.ts';
import { cloudFormation, events, stack, type ToldEvent, validationError } from './stack-answers.ts';

const clock: Clock = { now: () => new Date(), sleep: async () => {} };

/** A stack that shows these statuses and events, a step further at each look at its status. */
async function following(
  before: string,
  steps: readonly (readonly [status: string | undefined, events: readonly ToldEvent[]])[],
) {
  let step = -1;
  const told: ToldEvent[] = [{ id: 1, status: 'REVIEW_IN_PROGRESS' }];
  const { client, actions } = cloudFormation((action) => {
    if (action === 'DescribeStackEvents') return events(told);
    step += 1;
    if (step === 0) return stack(before);
    const [status, news] = steps[Math.min(step, steps.length) - 1] ?? [undefined, []];
    for (const event of news) if (!told.includes(event)) told.unshift(event);
    return status === undefined ? validationError('Stack with id mine does not exist') : stack(status);
  });
  const lines: string[] = [];
  const print = mock.method(console, 'log', (line: string) => lines.push(line));
  try {
    const rest = await follow({ cloudFormation: client, clock }, await lookBefore(client, 'mine'));
    return { rest, lines, actions };
  } finally {
    print.mock.restore();
  }
}

test('prints each event once, the earliest first, until the stack rests', async () => {
  const { rest, lines } = await following('REVIEW_IN_PROGRESS', [
    ['CREATE_IN_PROGRESS', [{ id: 2, status: 'CREATE_IN_PROGRESS', name: 'mine' }]],
    [
      'CREATE_IN_PROGRESS',
      [
        { id: 3, status: 'CREATE_IN_PROGRESS', name: 'Hints' },
        { id: 4, status: 'CREATE_COMPLETE', name: 'Hints' },
      ],
    ],
    ['CREATE_COMPLETE', [{ id: 5, status: 'CREATE_COMPLETE', name: 'mine' }]],
  ]);
  assert.deepEqual(rest, { isDone: true, status: 'CREATE_COMPLETE', failures: [], kept: [] });
  assert.deepEqual(
    lines.map((line) => line.trim().split(/\s+/)),
    [
      ['10:20:30', 'CREATE_IN_PROGRESS', 'AWS::Some::Thing', 'mine'],
      ['10:20:30', 'CREATE_IN_PROGRESS', 'AWS::Some::Thing', 'Hints'],
      ['10:20:30', 'CREATE_COMPLETE', 'AWS::Some::Thing', 'Hints'],
      ['10:20:30', 'CREATE_COMPLETE', 'AWS::Some::Thing', 'mine'],
    ],
  );
});

test('does not take the status of before an update for its end', async () => {
  const begun: ToldEvent = { id: 2, status: 'UPDATE_IN_PROGRESS', name: 'mine' };
  const { rest } = await following('UPDATE_COMPLETE', [
    ['UPDATE_COMPLETE', []],
    ['UPDATE_COMPLETE', [begun]],
    ['UPDATE_IN_PROGRESS', []],
    ['UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', []],
    ['UPDATE_ROLLBACK_COMPLETE', []],
  ]);
  assert.equal(rest.status, 'UPDATE_ROLLBACK_COMPLETE');
});

test('believes the status where no news ever comes', async () => {
  const { rest } = await following('UPDATE_COMPLETE', [['UPDATE_COMPLETE', []]]);
  assert.equal(rest.isDone, true);
});

test('names what failed first, and not what was called off because of it', async () => {
  const { rest, lines } = await following('REVIEW_IN_PROGRESS', [
    [
      'ROLLBACK_COMPLETE',
      [
        { id: 2, status: 'CREATE_FAILED', name: 'Bucket', reason: 'packages already exists' },
        { id: 3, status: 'CREATE_FAILED', name: 'Hints', reason: 'Resource creation cancelled' },
        {
          id: 4,
          status: 'CREATE_FAILED',
          name: 'mine',
          reason: 'The following resource(s) failed to create: [Bucket, Hints].',
        },
      ],
    ],
  ]);
  assert.equal(rest.isDone, false);
  assert.deepEqual(rest.failures, ['Bucket: packages already exists']);
  assert.match(lines[0] ?? '', /CREATE_FAILED .* Bucket: packages already exists/);
});

test('a stack that is gone is at rest, and what it left behind is told', async () => {
  const { rest } = await following('CREATE_COMPLETE', [
    ['DELETE_IN_PROGRESS', [{ id: 2, status: 'DELETE_SKIPPED', name: 'Bucket' }]],
    [undefined, []],
  ]);
  assert.deepEqual(rest, { isDone: true, status: undefined, failures: [], kept: ['AWS::Some::Thing physical-Bucket'] });
});
