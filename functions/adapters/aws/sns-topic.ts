/** Sends a topic of Amazon SNS a message for each publication; SNS forwards it to web hooks, queues, functions and mailboxes. */

import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { PublicationEvent } from '../../publication-event.ts';

export class SnsTopic {
  readonly #client: SNSClient;
  readonly #arn: string;

  constructor(client: SNSClient, arn: string) {
    this.#client = client;
    this.#arn = arn;
  }

  /** @throws after the client's own retries. */
  async notify(event: PublicationEvent): Promise<void> {
    const { repository } = event;
    // For the filters of subscriptions. An attribute may not be empty.
    const attributes =
      repository === '' ? {} : { MessageAttributes: { repository: { DataType: 'String', StringValue: repository } } };
    await this.#client.send(new PublishCommand({ TopicArn: this.#arn, Message: JSON.stringify(event), ...attributes }));
  }
}
