import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LambdaClient } from '@aws-sdk/client-lambda';
import type { Clients } from '../../../scripts/aws/clients.ts';
import { expectStack, findStack, type Outputs, watchedPrefixes } from '../../../scripts/aws/deployed-stack.ts';
import { scriptedAnswers } from '../../adapters/aws/scripted-answers.ts';
import { templateFor } from '../../infra/synthesized.ts';
import { cloudFormation, stack, validationError } from './stack-answers.ts';

const outputs = Object.fromEntries(
  Object.keys(templateFor({ cdn: false }).Outputs).map((name) => [name, `its ${name}`]),
);

function clients(answer: Parameters<typeof cloudFormation>[0]): Clients {
  return { cloudFormation: cloudFormation(answer).client, region: 'eu-central-1' } as unknown as Clients;
}

test('every output that is needed is in the template', async () => {
  const found = await expectStack(
    clients(() => stack('UPDATE_COMPLETE', outputs)),
    'mine',
  );
  assert.equal(found.outputs.Bucket, 'its Bucket');
  assert.equal(found.id, 'id');
});

test('the statement for the policy of an existing bucket is an output, too', () => {
  assert.ok('BucketPolicyStatement' in templateFor({ bucket: 'packages', existing: true }).Outputs);
});

test('a stack that is not there is told in a sentence', async () => {
  const none = clients(() => validationError('Stack with id mine does not exist'));
  await assert.rejects(expectStack(none, 'mine'), {
    name: 'CannotRun',
    message:
      'there is no stack called mine in eu-central-1. check --stack, --region and --profile, or create one with npm run deploy.',
  });
});

test('a stack of somebody else is told by the outputs that it has not', async () => {
  const other = clients(() => stack('CREATE_COMPLETE', { Bucket: 'b' }));
  await assert.rejects(expectStack(other, 'mine'), /has no output RecordsTable, .*not one of ours/);
});

for (const status of ['REVIEW_IN_PROGRESS', 'DELETE_COMPLETE']) {
  test(`a stack in ${status} is not there yet, or no more`, async () => {
    assert.equal(await findStack(cloudFormation(() => stack(status)).client, 'mine'), undefined);
  });
}

test('other errors are not taken for absence', async () => {
  const { client } = cloudFormation(() => ({
    status: 403,
    body: '<ErrorResponse><Error><Code>AccessDenied</Code><Message>not allowed</Message></Error></ErrorResponse>',
  }));
  await assert.rejects(findStack(client, 'mine'), { name: 'AccessDenied' });
});

for (const [variable, expected] of [
  ['', []],
  ['["packages/All","NetBSD"]', ['packages/All/', 'NetBSD/']],
] as const) {
  test(`prefixes watched: ${variable || 'none'}`, async () => {
    const { settings } = scriptedAnswers([
      {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ Environment: { Variables: { PREFIXES: variable } } }),
      },
    ]);
    assert.deepEqual(await watchedPrefixes(new LambdaClient(settings), outputs as unknown as Outputs), expected);
  });
}
