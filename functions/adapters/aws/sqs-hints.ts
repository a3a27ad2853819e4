/**
 * Sends hints to a standard SQS queue, one message each: a hint that fails is then retried, and moved to the dead-letter queue, by itself.
 * `hintsFrom` (functions/events.ts) reads them.
 */

import {
  type BatchResultErrorEntry,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import pMap from 'p-map';
import { encodeHint } from '../../events.ts';
import type { Clock, DelayedHintQueue, Hint } from '../../ports.ts';

const kibibyte = 1024;

/** Sending hints to SQS. */
export const queueLimits = {
  /** Messages in one SendMessageBatch … */
  batchMessagesMax: 10,
  /** … and their bytes, in one message or in all of them (1 MiB since 2025-08; emulators and older queues: 256 KiB). */
  batchBytesMax: 256 * kibibyte,
  /** Requests at the same time: a reindex of 27,000 packages sends 2,700 batches, of about 10 ms each. */
  batchesConcurrentMax: 8,
  /** Attempts for a message that SQS refuses, with doubling pauses: 1.5 s in all. The SDK's own retries are not counted. */
  sendTriesMax: 5,
  sendRetryMillisecondsMin: 100,
} as const;

export interface SqsHintsOptions {
  readonly queueUrl: string;
  readonly clock: Clock;
}

/** SQS refused hints, permanently or too often. It may have accepted others of the same call. */
export class HintsNotSent extends Error {
  override readonly name = 'HintsNotSent';
  constructor(queueUrl: string, refusals: readonly BatchResultErrorEntry[]) {
    const reasons = new Set(refusals.map(({ Code: code, Message: message }) => `${code}: ${message ?? 'no message'}`));
    super(`${queueUrl} refused ${refusals.length} hints (${[...reasons].join('; ')}); send them again`);
  }
}

export class SqsHints implements DelayedHintQueue {
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
    await this.sendAfter(hints, 0);
  }

  /** SQS delays a message by 15 minutes at most. */
  async sendAfter(hints: readonly Hint[], milliseconds: number): Promise<void> {
    const delay = milliseconds === 0 ? {} : { DelaySeconds: Math.ceil(milliseconds / 1000) };
    const concurrency = queueLimits.batchesConcurrentMax;
    await pMap(batchesOf(hints.map(encodeHint)), (batch) => this.#sendBatch(batch, delay), { concurrency });
  }

  /** SQS answers 200 even if it refused some messages of a batch, and names them. */
  async #sendBatch(messages: readonly string[], delay: { readonly DelaySeconds?: number }): Promise<void> {
    let entries: SendMessageBatchRequestEntry[] = messages.map((body, index) => ({
      Id: `${index}`,
      MessageBody: body,
      ...delay,
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

/** The messages in order, in batches within SQS's limits. Throws for a message that is too large: S3's keys have at most 1,024 bytes. */
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
