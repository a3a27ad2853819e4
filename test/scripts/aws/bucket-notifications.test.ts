import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createS3Client } from '../../../functions/adapters/aws/aws-clients.ts';
import {
  describeRule,
  notificationLimits,
  readNotifications,
  removeOurRules,
  writeOurRules,
} from '../../../scripts/aws/bucket-notifications.ts';
import { ourRules, type RuleOwner } from '../../../scripts/aws/notification-rules.ts';
import { type Answer, type Asked, scriptedAnswers } from '../../adapters/aws/scripted-answers.ts';
import { ManualClock } from '../../adapters/manual-clock.ts';

const owner: RuleOwner = { stack: 'pkgsrc-indexer', queueArn: 'arn:aws:sqs:eu-central-1:123456789012:hints' };
const wanted = ourRules(owner, ['packages']);

/** As S3 writes it; one rule of each kind, and EventBridge. */
const foreign =
  '<CloudFunctionConfiguration><Id>thumbs &amp; more</Id><CloudFunction>arn:aws:lambda:eu-central-1:123456789012:function:thumbs</CloudFunction>' +
  '<Event>s3:ObjectCreated:Put</Event><Event>s3:ObjectCreated:Post</Event><Filter><S3Key><FilterRule><Name>Prefix</Name><Value>images/</Value></FilterRule>' +
  '<FilterRule><Name>Suffix</Name><Value>.jpg</Value></FilterRule></S3Key></Filter></CloudFunctionConfiguration>' +
  '<TopicConfiguration><Id>fan-out</Id><Topic>arn:aws:sns:eu-central-1:123456789012:topic</Topic><Event>s3:ObjectRestore:*</Event></TopicConfiguration>' +
  '<QueueConfiguration><Id>audit</Id><Queue>arn:aws:sqs:eu-central-1:123456789012:audit</Queue><Event>s3:ObjectTagging:*</Event></QueueConfiguration>' +
  '<EventBridgeConfiguration></EventBridgeConfiguration>';

/** A bucket that keeps what it is told; `refuse` is asked before it takes a new configuration. */
function bucket(configuration: string, refuse: (put: Asked) => Answer | undefined = () => undefined) {
  const state = { configuration };
  const { settings, asked } = scriptedAnswers((request) => {
    if (request.method === 'GET')
      return { body: `<NotificationConfiguration>${state.configuration}</NotificationConfiguration>` };
    const refusal = refuse(request);
    if (refusal !== undefined) return refusal;
    state.configuration =
      /<NotificationConfiguration[^>]*>(.*)<\/NotificationConfiguration>/s.exec(request.body)?.[1] ?? '';
    return {};
  });
  return { state, asked, s3: createS3Client({ isCompatibleStore: true }, settings) };
}

const clock = new ManualClock();

test("other people's rules of every kind go through S3's XML and come back as they were", async () => {
  const { s3 } = bucket(foreign);
  const before = await readNotifications(s3, 'packages');
  assert.equal(before.LambdaFunctionConfigurations?.[0]?.Id, 'thumbs & more');

  assert.equal(await writeOurRules({ s3, clock }, 'packages', owner, wanted), 'written');
  const { QueueConfigurations: queues = [], ...others } = await readNotifications(s3, 'packages');
  assert.deepEqual({ ...others, QueueConfigurations: queues.slice(0, 1) }, before);
  assert.deepEqual(queues.slice(1), wanted);

  assert.equal(await writeOurRules({ s3, clock }, 'packages', owner, wanted), 'unchanged');
  assert.equal(await removeOurRules(s3, 'packages', owner), wanted.length);
  assert.deepEqual(await readNotifications(s3, 'packages'), before);
});

test('a rule in the way is told with its name and destination beside ours, and nothing is written', async () => {
  const { s3, asked } = bucket(
    '<QueueConfiguration><Id>all-tarballs</Id><Queue>arn:theirs</Queue><Event>s3:ObjectCreated:*</Event>' +
      '<Filter><S3Key><FilterRule><Name>Suffix</Name><Value>.tgz</Value></FilterRule></S3Key></Filter></QueueConfiguration>',
  );
  await assert.rejects(writeOurRules({ s3, clock }, 'packages', owner, wanted), (error: Error) => {
    assert.match(error.message, /existing +all-tarballs → arn:theirs: s3:ObjectCreated:\*, keys \*\.tgz/);
    assert.match(error.message, /ours +pkgsrc-indexer\.1 → .*keys packages\/\*\.tgz/);
    assert.match(error.message, /"Conflicting rules".*Nothing was changed/);
    return error.name === 'CannotRun';
  });
  assert.deepEqual(
    asked.map(({ method }) => method),
    ['GET'],
  );
});

test("S3 is asked again while it does not know the queue's policy yet", async () => {
  let refusals = 2;
  const { s3, state } = bucket('', () => (refusals-- > 0 ? unreachable : undefined));
  const manual = new ManualClock();
  const writing = writeOurRules({ s3, clock: manual }, 'packages', owner, wanted);
  let isDone = false;
  void writing.then(() => (isDone = true));
  while (!isDone) await manual.advanceToNext();
  assert.equal(await writing, 'written');
  assert.match(state.configuration, /pkgsrc-indexer\.1/);
  assert.equal(
    manual.now().getTime() - Date.parse('2026-01-01T00:00:00Z'),
    2 * notificationLimits.destinationRetryMilliseconds,
  );
});

test('a destination that stays out of reach is told, after some tries', async () => {
  const { s3, asked } = bucket(foreign, () => unreachable);
  const quick = { now: () => new Date(), sleep: async () => {} };
  await assert.rejects(
    writeOurRules({ s3, clock: quick }, 'packages', owner, wanted),
    /S3 could not reach a destination .* remove rules whose queue, topic or function is gone/,
  );
  assert.equal(asked.filter(({ method }) => method === 'PUT').length, notificationLimits.destinationTriesMax);
});

test('what somebody else wrote at the same time is noticed', async () => {
  const { s3, state } = bucket('', () => {
    queueMicrotask(() => (state.configuration = ''));
    return undefined;
  });
  await assert.rejects(
    writeOurRules({ s3, clock }, 'packages', owner, wanted),
    /another program changed the notification rules/,
  );
});

test('leaving does not depend on the destinations of others, and is quiet where nothing is ours', async () => {
  const { s3, asked } = bucket(foreign);
  assert.equal(await removeOurRules(s3, 'packages', owner), 0);
  assert.equal(asked.length, 1);
  await writeOurRules({ s3, clock }, 'packages', owner, wanted);
  await removeOurRules(s3, 'packages', owner);
  assert.equal(asked.at(-1)?.headers['x-amz-skip-destination-validation'], 'true');
});

test('a bucket that is gone has no rules of ours', async () => {
  const { settings } = scriptedAnswers(() => ({
    status: 404,
    body: '<Error><Code>NoSuchBucket</Code><Message>gone</Message></Error>',
  }));
  assert.equal(await removeOurRules(createS3Client({ isCompatibleStore: true }, settings), 'packages', owner), 0);
});

test('a rule without a name is described all the same', () => {
  const described = describeRule({ id: undefined, destination: 'd', events: ['e'], prefix: '', suffix: '' });
  assert.equal(described, '(no name) → d: e, keys *');
});

const unreachable: Answer = {
  status: 400,
  body: '<Error><Code>InvalidArgument</Code><Message>Unable to validate the following destination configurations</Message></Error>',
};
