/**
 * Hints into an SQS queue (a standard one), one message each: so a hint that fails takes no other with it when it is sent
 * again, and later into the dead-letter queue. `hintsFrom` (functions/events.ts) reads them.
 */

import {
  type BatchResultErrorEntry,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { encodeHint } from '../../events.ts';

import type { Clock, Hint, HintQueue } from '../../ports.ts';

const kibibyte = 1024;

/** Sending hints to SQS. */
export const queueLimits = {
  /** SendMessageBatch takes this many messages … */
  batchMessagesMax: 10,
  /** … and this many bytes, in one message or in all of them (1 MiB since 2025-08; emulators and older queues: 256 KiB). */
  batchBytesMax: 256 * kibibyte,
  /** Requests under way at once: a reindex of 27,000 packages sends 2,700 batches, each some 10 ms away. */
  batchesConcurrentMax: 8,
  /** Tries of a message that SQS keeps refusing, the waits doubling: 1.5 s in all. The SDK's own retries come on top. */
  sendTriesMax: 5,
  sendRetryMillisecondsMin: 100,
} as const;

export interface SqsHintsOptions {
  readonly queueUrl: string;
  readonly clock: Clock;
}

/** SQS refused hints, for good or too often. Those before and after them may have been sent. */
export class HintsNotSent extends Error {
  override readonly name = 'HintsNotSent';
  constructor(queueUrl: string, refusals: readonly BatchResultErrorEntry[]) {
    const reasons = new Set(refusals.map(({ Code: code, Message: message }) => `${code}: ${message ?? 'no message'}`));
    super(`${queueUrl} refused ${refusals.length} hints (${[...reasons].join('; ')}); send them again`);
  }
}

export class SqsHints implements HintQueue {
  readonly #client: SQSClient;
  readonly #queueUrl: string;
  readonly #clock: Clock;

  constructor(client: SQSClient, { queueUrl, clock }: SqsHintsOptions) {
    this.#client = client;
    this.#queueUrl = queueUrl;
    this.#clock = clock;
  }

  /**
   * Resolves once SQS holds every hint.
   * @throws {HintsNotSent}
   */
  async send(hints: readonly Hint[]): Promise<void> {
    const waiting = batchesOf(hints.map(encodeHint));
    const sendWaiting = async () => {
      for (let batch = waiting.shift(); batch !== undefined; batch = waiting.shift()) await this.#sendBatch(batch);
    };
    try {
      await Promise.all(Array.from({ length: queueLimits.batchesConcurrentMax }, sendWaiting));
    } catch (error) {
      waiting.length = 0; // nobody waits any more for what the others would send
      throw error;
    }
  }

  /** SQS answers 200 although it refused some of a batch, and says which. */
  async #sendBatch(messages: readonly string[]): Promise<void> {
    let entries: SendMessageBatchRequestEntry[] = messages.map((body, index) => ({
      Id: `${index}`,
      MessageBody: body,
    }));
    for (let tries = 1; ; tries += 1) {
      const command = new SendMessageBatchCommand({ QueueUrl: this.#queueUrl, Entries: entries });
      const { Failed: refusals = [] } = await this.#client.send(command);
      if (refusals.length === 0) return;
      const isHopeless = refusals.some(({ SenderFault: ours }) => ours);
      if (isHopeless || tries === queueLimits.sendTriesMax) throw new HintsNotSent(this.#queueUrl, refusals);
      const refused = new Set(refusals.map(({ Id: id }) => id));
      entries = entries.filter(({ Id: id }) => refused.has(id));
      await this.#clock.sleep(queueLimits.sendRetryMillisecondsMin * 2 ** (tries - 1));
    }
  }
}

/**
 * The messages in their order, in batches that SQS takes. Throws on a message that fits into none: a key has at most 1,024
 * bytes, so that is no key.
 */
function batchesOf(messages: readonly string[]): string[][] {
  const { batchMessagesMax, batchBytesMax } = queueLimits;
  const batches: string[][] = [];
  let batch: string[] = [];
  let batchBytes = 0;
  for (const message of messages) {
    const bytes = Buffer.byteLength(message);
    if (bytes > batchBytesMax) {
      throw new Error(`expected a hint of at most ${batchBytesMax} bytes, found ${bytes}: ${message.slice(0, 100)}…`);
    }
    if (batches.length === 0 || batch.length === batchMessagesMax || batchBytes + bytes > batchBytesMax) {
      batch = [];
      batchBytes = 0;
      batches.push(batch);
    }
    batch.push(message);
    batchBytes += bytes;
  }
  return batches;
}
