import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../../functions/ports.ts';
import { changeSetLimits, describeChanges, discard, proposeChanges } from '../../../scripts/aws/change-set.ts';
import { ManualClock } from '../../adapters/manual-clock.ts';
import { cloudFormation, result } from './stack-answers.ts';

const clock: Clock = { now: () => new Date(0), sleep: async () => {} };
const asked = { stack: 'mine', template: { body: '{}' }, isCreation: true } as const;

function change(name: string): string {
  return `<member><ResourceChange><Action>Add</Action><LogicalResourceId>${name}</LogicalResourceId></ResourceChange></member>`;
}

function proposing(...described: readonly string[]) {
  const script = [...described];
  return cloudFormation((action) => {
    if (action === 'CreateChangeSet') return result(action, '<Id>change</Id><StackId>stack</StackId>');
    if (action === 'DescribeChangeSet') return result(action, script.shift() ?? '');
    return result(action, '');
  });
}

test('waits for CloudFormation, and reads all pages of the changes', async () => {
  const { client } = proposing(
    '<Status>CREATE_IN_PROGRESS</Status>',
    '<Status>CREATE_COMPLETE</Status>',
    `<Status>CREATE_COMPLETE</Status><Changes>${change('A')}</Changes><NextToken>2</NextToken>`,
    `<Status>CREATE_COMPLETE</Status><Changes>${change('B')}</Changes>`,
  );
  const { id, stackId, changes } = await proposeChanges(client, clock, asked);
  assert.deepEqual([id, stackId], ['change', 'stack']);
  assert.deepEqual(
    changes.map(({ ResourceChange: one }) => one?.LogicalResourceId),
    ['A', 'B'],
  );
});

for (const reason of ["The submitted information didn't contain changes.", 'No updates are to be performed.']) {
  test(`no changes, and nothing left behind: ${reason}`, async () => {
    const { client, actions } = proposing(`<Status>FAILED</Status><StatusReason>${reason}</StatusReason>`);
    const { changes } = await proposeChanges(client, clock, { ...asked, isCreation: false });
    assert.deepEqual(changes, []);
    assert.deepEqual(actions, ['CreateChangeSet', 'DescribeChangeSet', 'DeleteChangeSet']);
  });
}

test('a template that is refused gives the reason, and leaves no empty stack', async () => {
  const { client, actions } = proposing(
    '<Status>FAILED</Status><StatusReason>Template error: no such type</StatusReason>',
  );
  await assert.rejects(proposeChanges(client, clock, asked), {
    name: 'CannotRun',
    message: 'CloudFormation refused the template: Template error: no such type',
  });
  assert.deepEqual(actions.slice(-2), ['DeleteChangeSet', 'DeleteStack']);
});

test('does not wait for ever', async () => {
  const manual = new ManualClock();
  const { client } = cloudFormation((action) =>
    action === 'CreateChangeSet'
      ? result(action, '<Id>change</Id><StackId>stack</StackId>')
      : result(action, '<Status>CREATE_PENDING</Status>'),
  );
  const proposal = assert.rejects(proposeChanges(client, manual, asked), /did not compute the changes within 300 s/);
  let isDone = false;
  void proposal.then(() => (isDone = true));
  while (!isDone) await manual.advanceToNext();
  await proposal;
});

test('a template too large to be sent along is named by its URL', async () => {
  const urls: (string | null)[] = [];
  const { client } = cloudFormation((action, form) => {
    if (action !== 'CreateChangeSet') return result(action, '<Status>CREATE_COMPLETE</Status>');
    urls.push(form.get('TemplateURL'), form.get('TemplateBody'));
    return result(action, '<Id>change</Id><StackId>stack</StackId>');
  });
  await proposeChanges(client, clock, { ...asked, template: { url: 'https://code/template.json' } });
  assert.deepEqual(urls, ['https://code/template.json', null]);
});

test('to discard the changes of a stack that is there leaves the stack alone', async () => {
  const { client, actions } = cloudFormation((action) => result(action, ''));
  await discard(client, 'mine', { id: 'change', stackId: 'stack', isCreation: false, changes: [] });
  assert.deepEqual(actions, ['DeleteChangeSet']);
});

test('a line for each resource, and for each property that changes', () => {
  const long = 'x'.repeat(changeSetLimits.shownCharactersMax + 1);
  const lines = describeChanges([
    { ResourceChange: { Action: 'Add', ResourceType: 'AWS::SQS::Queue', LogicalResourceId: 'Hints' } },
    {
      ResourceChange: {
        Action: 'Modify',
        ResourceType: 'AWS::Lambda::Function',
        LogicalResourceId: 'Extract',
        Replacement: 'True',
        Details: [
          {
            Target: {
              Attribute: 'Properties',
              Name: 'Code',
              Path: '/Properties/Code',
              BeforeValue: 'a',
              AfterValue: long,
            },
          },
          { Target: { Attribute: 'Properties', Name: 'Role' } },
          { Target: { Attribute: 'Properties', Name: 'Role' } },
        ],
      },
    },
    {
      ResourceChange: {
        Action: 'Remove',
        ResourceType: 'AWS::S3::Bucket',
        LogicalResourceId: 'Bucket',
        PolicyAction: 'Retain',
      },
    },
  ]);
  assert.deepEqual(lines, [
    '  + AWS::SQS::Queue Hints',
    '  ~ AWS::Lambda::Function Extract, replaced',
    `      /Properties/Code: a → ${long.slice(1)}…`,
    '      Properties.Role',
    '  - AWS::S3::Bucket Bucket, kept',
  ]);
});
