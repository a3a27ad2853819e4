/** Plays a table's change stream (keys only, one shard) and Lambda's event source mapping that reads it. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { DynamoDBBatchResponse, DynamoDBRecord } from 'aws-lambda';
import type { Exchange } from './recording-proxy.ts';

/** A batch that failed is tried again after this. */
const retryMilliseconds = 200;

/** How often to look for a first change. */
const pollMilliseconds = 20;

export interface ChangeStreamOptions {
  readonly table: string;
  readonly batchSize: number;
  /** How long a change waits for others. */
  readonly windowMilliseconds: number;
  readonly invoke: (event: unknown) => Promise<unknown>;
}

const writes = ['PutItem', 'UpdateItem', 'DeleteItem'];

type Keys = Readonly<Record<string, { readonly S: string }>>;

export class ChangeStream {
  readonly #options: ChangeStreamOptions;
  readonly #stopping = new AbortController();
  /** From the checkpoint on. */
  readonly #records: DynamoDBRecord[] = [];
  readonly #running: Promise<void>;
  #sequenceNumber = 0;

  constructor(options: ChangeStreamOptions) {
    this.#options = options;
    this.#running = this.#deliver();
  }

  /** Tells the stream of a request to DynamoDB: each write that succeeded is a change of its item. */
  observe({ headers, body, status }: Exchange): void {
    const operation = String(headers['x-amz-target']).split('.')[1] ?? '';
    if (status !== 200 || !writes.includes(operation)) return;
    const { TableName, Key, Item } = JSON.parse(body.toString()) as { TableName: string; Key?: Keys; Item?: Keys };
    const { repository, file } = Key ?? Item ?? {};
    if (TableName !== this.#options.table || repository === undefined || file === undefined) return;
    this.#sequenceNumber += 1;
    this.#records.push({
      eventID: `${this.#sequenceNumber}`,
      eventName: operation === 'DeleteItem' ? 'REMOVE' : 'MODIFY',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: 'eu-central-1',
      dynamodb: {
        Keys: { repository, file },
        SequenceNumber: `${this.#sequenceNumber}`,
        SizeBytes: 1,
        StreamViewType: 'KEYS_ONLY',
      },
    });
  }

  /** Changes that were not yet followed. */
  get pending(): number {
    return this.#records.length;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #deliver(): Promise<void> {
    const { batchSize, windowMilliseconds, invoke } = this.#options;
    while (!this.#stopping.signal.aborted) {
      if (this.#records.length === 0) {
        await sleep(pollMilliseconds);
        continue;
      }
      await sleep(windowMilliseconds);
      const batch = this.#records.slice(0, batchSize);
      const done = await doneOf(invoke({ Records: batch }), batch);
      this.#records.splice(0, done);
      if (done < batch.length) await sleep(retryMilliseconds);
    }
  }
}

/** How many records are done: all before the earliest one that failed. Of a failed invocation none is. */
async function doneOf(invocation: Promise<unknown>, batch: readonly DynamoDBRecord[]): Promise<number> {
  try {
    const { batchItemFailures } = (await invocation) as DynamoDBBatchResponse;
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    const first = batch.findIndex(({ dynamodb }) => failed.has(dynamodb?.SequenceNumber ?? ''));
    return first === -1 ? batch.length : first;
  } catch {
    return 0;
  }
}
