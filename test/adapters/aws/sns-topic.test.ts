import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SNSClient } from '@aws-sdk/client-sns';
import { SnsTopic } from '../../../functions/adapters/aws/sns-topic.ts';
import type { PublicationEvent } from '../../../functions/publication-event.ts';
import { scriptedAnswers } from './scripted-answers.ts';

const arn = 'arn:aws:sns:eu-central-1:123456789012:publications';
const event: PublicationEvent = {
  repository: 'All',
  sequence: 1,
  published: '2026-11-07T09:05:03.000Z',
  packages: 1,
  added: ['é-1.0.tgz'],
  removed: [],
  changed: [],
  totals: { added: 1, removed: 0, changed: 0 },
};
const accepted = {
  body: '<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>',
};

describe('SnsTopic', () => {
  for (const repository of ['All', ''])
    it(`publishes the event of ${repository || 'the root'} as JSON, with an attribute to filter by`, async () => {
      const { settings, asked } = scriptedAnswers([accepted]);
      await new SnsTopic(new SNSClient(settings), arn).notify({ ...event, repository });
      const form = new URLSearchParams(asked[0]?.body);
      assert.deepEqual([form.get('Action'), form.get('TopicArn')], ['Publish', arn]);
      assert.deepEqual(JSON.parse(form.get('Message') ?? ''), { ...event, repository });
      assert.equal(form.get('MessageAttributes.entry.1.Value.StringValue'), repository || null);
    });

  it('fails where the topic refuses', async () => {
    const body =
      '<ErrorResponse><Error><Code>NotFound</Code><Message>Topic does not exist</Message></Error></ErrorResponse>';
    const { settings } = scriptedAnswers([{ status: 404, body }]);
    await assert.rejects(new SnsTopic(new SNSClient(settings), arn).notify(event), /Topic does not exist/);
  });
});
