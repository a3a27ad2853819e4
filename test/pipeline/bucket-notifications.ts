/** Has a bucket of Ceph's gateway tell an SQS queue of its objects, by the rules that the template gives to S3. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { PutBucketNotificationConfigurationCommand, type S3Client, type TopicConfiguration } from '@aws-sdk/client-s3';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { bucketEvents, keyFilters } from '../../infra/notifications.ts';

export interface BucketNotificationsOptions {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly sqs: SQSClient;
  readonly queueUrl: string;
}

export interface BucketNotifications {
  /** Drop what the bucket tells, as if it had never been told. */
  isLost: boolean;
  /** The gateway sends to a webhook, which sends to the queue: it answers once the queue has the message. */
  stop(): Promise<void>;
}

export async function startBucketNotifications(options: BucketNotificationsOptions): Promise<BucketNotifications> {
  const { s3, bucket, sqs, queueUrl } = options;
  const notifications = { isLost: false, stop };
  const webhook = createServer(async (request, response) => {
    try {
      const MessageBody = await text(request);
      if (!notifications.isLost) await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody }));
      response.end();
    } catch (error) {
      response.destroy(error as Error);
    }
  });
  webhook.listen(0, '127.0.0.1');
  await once(webhook, 'listening');
  const address = webhook.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port to listen on');
  await configure(s3, bucket, `http://127.0.0.1:${address.port}`);
  return notifications;

  async function stop(): Promise<void> {
    webhook.closeAllConnections();
    await new Promise((resolve) => webhook.close(resolve));
  }
}

async function configure(s3: S3Client, bucket: string, webhook: string): Promise<void> {
  const { endpoint, credentials } = s3.config;
  if (endpoint === undefined) throw new Error("expected a client of Ceph's gateway");
  const sns = new SNSClient({ endpoint, region: 'default', credentials });
  const { TopicArn } = await sns.send(
    new CreateTopicCommand({ Name: 'hints', Attributes: { 'push-endpoint': webhook } }),
  );
  sns.destroy();
  // Ceph 16 knows no event of lifecycle rules.
  const Events = bucketEvents.filter((event) => !event.includes('Lifecycle'));
  const TopicConfigurations = keyFilters([]).map(
    ({ suffix }): TopicConfiguration => ({
      Id: `hints${suffix}`,
      TopicArn,
      Events: [...Events],
      Filter: { Key: { FilterRules: [{ Name: 'suffix', Value: suffix }] } },
    }),
  );
  const NotificationConfiguration = { TopicConfigurations };
  await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket: bucket, NotificationConfiguration }));
}
