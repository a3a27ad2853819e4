import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { inspect } from 'node:util';
import { encodeHint } from '../../functions/events.ts';
import { assertFreeOf, secrets, withRefusingAws } from '../refusing-aws.ts';
import { logged, messages } from './lambda-world.ts';

const before = { ...process.env };
afterEach(() => {
  process.env = before;
});

test('the functions log no credential, even where AWS answers with what was signed', () =>
  withRefusingAws(async (environment, asked) => {
    Object.assign(process.env, environment, {
      BUCKET: 'bucket',
      RECORDS_TABLE: 'records',
      REPOSITORIES_TABLE: 'repositories',
      QUEUE_URL: `${environment.AWS_ENDPOINT_URL}/1/queue`,
      FORMATS: 'gz,zst',
      PAGE: 'on',
      ARCHITECTURES: '[]',
      TRUST: 'off',
      PLUS_ALIASES: 'on',
    });
    const lambda = await import('../../functions/lambda.ts');
    const context = { functionName: 'reindex', getRemainingTimeInMillis: () => 900_000 } as Parameters<
      typeof lambda.reindex
    >[1];
    const keys = { repository: { S: 'All' }, file: { S: 'x-1.0.tgz' } };
    const outcomes: unknown[] = [];
    for (const invoke of [
      () => lambda.extract(messages([encodeHint({ key: 'All/x-1.0.tgz' })])),
      () => lambda.summarize({ Records: [{ dynamodb: { SequenceNumber: '1', Keys: keys } }] }, context),
      () => lambda.reindex({}, context),
    ])
      outcomes.push(await invoke().catch((error: unknown) => error));
    assert.deepEqual(
      logged.map(({ message }) => message),
      [
        'could not follow a hint; will retry',
        'could not publish an index, and could not request it again; the whole batch is retried',
      ],
    );
    for (const target of ['DynamoDB', 'list-type', 'HEAD /bucket/All/x-1.0.tgz'])
      assert.ok(
        asked.some((one) => one.includes(target)),
        `expected ${target} among ${asked}`,
      );
    // Lambda's runtime writes what a handler throws to the log, too.
    assertFreeOf(JSON.stringify(logged) + inspect(outcomes, { depth: 9 }), secrets);
  }));
