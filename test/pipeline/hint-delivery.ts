/** Plays Lambda's event source mapping between a queue and its function. */

import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSBatchResponse } from 'aws-lambda';

/** A message that was handed back is delivered again after this; Lambda waits for the queue's visibility timeout. */
const againAfterSeconds = 2;

export interface HintDeliveryOptions {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly batchSize: number;
  /** One for each batch that may be under way. */
  readonly invoke: readonly ((event: unknown) => Promise<unknown>)[];
}

export class HintDelivery {
  readonly #options: HintDeliveryOptions;
  readonly #stopping = new AbortController();
  readonly #running: Promise<unknown>;

  constructor(options: HintDeliveryOptions) {
    this.#options = options;
    this.#running = Promise.all(options.invoke.map((invoke) => this.#deliver(invoke)));
  }

  /** @throws what went wrong while delivering, other than a failed invocation. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #deliver(invoke: (event: unknown) => Promise<unknown>): Promise<void> {
    const { client, queueUrl: QueueUrl, batchSize } = this.#options;
    const abortSignal = this.#stopping.signal;
    while (!abortSignal.aborted) {
      const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: batchSize, WaitTimeSeconds: 1 });
      const messages = await client.send(command, { abortSignal }).then(
        ({ Messages = [] }) => Messages,
        (error: unknown) => {
          if (abortSignal.aborted) return [];
          throw error;
        },
      );
      if (messages.length === 0) continue;
      const failed = await failedOf(invoke({ Records: messages.map(recordOf) }), messages);
      for (const { MessageId, ReceiptHandle } of messages) {
        const again = { QueueUrl, ReceiptHandle, VisibilityTimeout: againAfterSeconds };
        if (failed.has(MessageId)) await client.send(new ChangeMessageVisibilityCommand(again));
        else await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
  }
}

/** Of a failed invocation every message fails. */
async function failedOf(invocation: Promise<unknown>, messages: readonly Message[]): Promise<Set<string | undefined>> {
  try {
    const { batchItemFailures } = (await invocation) as SQSBatchResponse;
    return new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  } catch {
    return new Set(messages.map(({ MessageId }) => MessageId));
  }
}

/** A message as Lambda hands it over. */
function recordOf({ MessageId, ReceiptHandle, Body, MD5OfBody }: Message): object {
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    md5OfBody: MD5OfBody,
    attributes: {},
    messageAttributes: {},
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-central-1:123456789012:hints',
    awsRegion: 'eu-central-1',
  };
}
