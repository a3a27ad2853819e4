/**
 * The rows in one DynamoDB table, the repositories in another.
 *
 * | table        | partition key | sort key | attributes                                                       |
 * | ------------ | ------------- | -------- | ---------------------------------------------------------------- |
 * | records      | repository    | file     | state, etag, size, lastModified, indexedAt, rules, signature, record + warnings or reason |
 * | repositories | repository    |          | run, adopted, heldBack (JSON), failures + retryAt (milliseconds since 1970) |
 *
 * The change stream of records (keys only) drives summarize; `changeOfKeys` reads it. The client retries throttled requests, up to its
 * `maxAttempts`.
 */

import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateQuery,
  paginateScan,
  type QueryCommandInput,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { heldBackOf, heldBackText } from '../../index/hold-back.ts';
import type {
  HeldBack,
  RecordTable,
  Repository,
  RepositoryState,
  Retry,
  RetryTable,
  Row,
  RowTag,
  SignatureCheck,
} from '../../ports.ts';

export interface DynamoDbRecordsOptions {
  readonly recordsTable: string;
  readonly repositoriesTable: string;
}

type Item = Record<string, AttributeValue>;

export class DynamoDbRecords implements RecordTable, RetryTable {
  readonly #client: DynamoDBClient;
  readonly #recordsTable: string;
  readonly #repositoriesTable: string;
  /** Repositories that are in their table, and have been summarized before. */
  readonly #known = new Set<Repository>();

  constructor(client: DynamoDBClient, { recordsTable, repositoriesTable }: DynamoDbRecordsOptions) {
    this.#client = client;
    this.#recordsTable = recordsTable;
    this.#repositoriesTable = repositoriesTable;
  }

  async row(repository: Repository, file: string): Promise<Row | undefined> {
    const { Item: item } = await this.#client.send(
      new GetItemCommand({ TableName: this.#recordsTable, Key: keysOf(repository, file), ConsistentRead: true }),
    );
    return item && rowOf(item);
  }

  async putRow(row: Row): Promise<void> {
    const isNew = await this.#enter(row.repository);
    await this.#client.send(new PutItemCommand({ TableName: this.#recordsTable, Item: itemOf(row) }));
    // A first index is made of all rows. Given files only, summarize would request that, and the index would come a window later.
    if (isNew) await this.requestSummary(row.repository);
  }

  async deleteRow(repository: Repository, file: string): Promise<void> {
    await this.#client.send(new DeleteItemCommand({ TableName: this.#recordsTable, Key: keysOf(repository, file) }));
  }

  async *rows(repository: Repository): AsyncGenerator<Row> {
    for await (const item of this.#items(repository, {})) yield rowOf(item);
  }

  async *rowTags(repository: Repository, after?: string): AsyncGenerator<RowTag> {
    const start = after === undefined ? {} : { ExclusiveStartKey: keysOf(repository, after) };
    // Some of these names are reserved words of DynamoDB.
    const names = { '#file': 'file', '#etag': 'etag', '#rules': 'rules' };
    const items = this.#items(repository, {
      ProjectionExpression: Object.keys(names).join(', '),
      ExpressionAttributeNames: names,
      ...start,
    });
    for await (const { file, etag, rules } of items)
      yield { file: file?.S ?? '', etag: etag?.S ?? '', rules: rules?.S ?? '' };
  }

  /** DynamoDB sorts text by its UTF-8 bytes, as the port requires. */
  async *#items(
    repository: Repository,
    { ExpressionAttributeNames: names, ...more }: Partial<QueryCommandInput>,
  ): AsyncGenerator<Item> {
    const pages = paginateQuery(
      { client: this.#client },
      {
        TableName: this.#recordsTable,
        KeyConditionExpression: '#repository = :repository',
        ExpressionAttributeNames: { ...names, '#repository': 'repository' },
        ExpressionAttributeValues: { ':repository': { S: partitionOf(repository) } },
        ConsistentRead: true,
        ...more,
      },
    );
    for await (const { Items: items = [] } of pages) {
      for (const item of items) {
        if (item.file?.S !== requestFile) yield item;
      }
    }
  }

  async *repositories(): AsyncGenerator<Repository> {
    const pages = paginateScan(
      { client: this.#client },
      {
        TableName: this.#repositoriesTable,
        ProjectionExpression: '#repository',
        ExpressionAttributeNames: { '#repository': 'repository' },
        ConsistentRead: true,
      },
    );
    for await (const { Items: items = [] } of pages) {
      for (const item of items) yield repositoryOfKeys(item);
    }
  }

  /** May skip a number, since the client retries an increment whose answer was lost. Numbers only have to grow. */
  async takeRun(repository: Repository): Promise<number> {
    return this.#addToRun(repository, 1);
  }

  async lastRun(repository: Repository): Promise<number> {
    return Number((await this.#repositoryItem(repository))?.run?.N ?? 0);
  }

  async state(repository: Repository): Promise<RepositoryState> {
    const { adopted, heldBack } = (await this.#repositoryItem(repository)) ?? {};
    return {
      isAdopted: adopted?.BOOL ?? false,
      heldBack: heldBack?.S === undefined ? undefined : heldBackOf(heldBack.S),
    };
  }

  async markAdopted(repository: Repository): Promise<void> {
    await this.#setAdopted(repository, true);
  }

  async forget(repository: Repository): Promise<void> {
    await this.#setAdopted(repository, false);
  }

  async retry(repository: Repository): Promise<Retry | undefined> {
    const { failures, retryAt } = (await this.#repositoryItem(repository)) ?? {};
    if (failures?.N === undefined || retryAt?.N === undefined) return undefined;
    return { failures: Number(failures.N), at: new Date(Number(retryAt.N)) };
  }

  async setRetry(repository: Repository, retry: Retry | undefined): Promise<void> {
    const values = retry && { ':failures': { N: `${retry.failures}` }, ':at': { N: `${retry.at.getTime()}` } };
    await this.#client.send(
      new UpdateItemCommand({
        TableName: this.#repositoriesTable,
        Key: { repository: { S: partitionOf(repository) } },
        UpdateExpression: values ? 'SET failures = :failures, retryAt = :at' : 'REMOVE failures, retryAt',
        ...(values && { ExpressionAttributeValues: values }),
      }),
    );
  }

  async setHeldBack(repository: Repository, heldBack: HeldBack | undefined): Promise<void> {
    await this.#client.send(
      new UpdateItemCommand({
        TableName: this.#repositoriesTable,
        Key: { repository: { S: partitionOf(repository) } },
        UpdateExpression: heldBack ? 'SET heldBack = :heldBack' : 'REMOVE heldBack',
        ...(heldBack && { ExpressionAttributeValues: { ':heldBack': { S: heldBackText(heldBack) } } }),
      }),
    );
  }

  /** Increments a counter in a row of its own: only a write that changes an item enters the stream. */
  async requestSummary(repository: Repository): Promise<void> {
    await this.#client.send(
      new UpdateItemCommand({
        TableName: this.#recordsTable,
        Key: keysOf(repository, requestFile),
        UpdateExpression: 'ADD #requests :one',
        ExpressionAttributeNames: { '#requests': 'requests' },
        ExpressionAttributeValues: { ':one': { N: '1' } },
      }),
    );
  }

  /**
   * Adds the repository to its table before its first row, so that `repositories` is complete. After its first summary once for each
   * process, since it costs as much as a row.
   * @returns whether it has never been summarized
   */
  async #enter(repository: Repository): Promise<boolean> {
    if (this.#known.has(repository)) return false;
    const isNew = (await this.#addToRun(repository, 0)) === 0;
    if (!isNew) this.#known.add(repository);
    return isNew;
  }

  async #addToRun(repository: Repository, increment: number): Promise<number> {
    const { Attributes: attributes } = await this.#client.send(
      new UpdateItemCommand({
        TableName: this.#repositoriesTable,
        Key: { repository: { S: partitionOf(repository) } },
        UpdateExpression: 'ADD #run :increment',
        ExpressionAttributeNames: { '#run': 'run' },
        ExpressionAttributeValues: { ':increment': { N: `${increment}` } },
        ReturnValues: 'UPDATED_NEW',
      }),
    );
    return Number(expected(attributes?.run?.N, 'run', `repository ${JSON.stringify(repository)}`));
  }

  async #setAdopted(repository: Repository, isAdopted: boolean): Promise<void> {
    await this.#client.send(
      new UpdateItemCommand({
        TableName: this.#repositoriesTable,
        Key: { repository: { S: partitionOf(repository) } },
        UpdateExpression: isAdopted ? 'SET #adopted = :adopted' : 'SET #adopted = :adopted REMOVE heldBack',
        ExpressionAttributeNames: { '#adopted': 'adopted' },
        ExpressionAttributeValues: { ':adopted': { BOOL: isAdopted } },
      }),
    );
  }

  async #repositoryItem(repository: Repository): Promise<Item | undefined> {
    const { Item: item } = await this.#client.send(
      new GetItemCommand({
        TableName: this.#repositoriesTable,
        Key: { repository: { S: partitionOf(repository) } },
        ConsistentRead: true,
      }),
    );
    return item;
  }
}

type Keys = Readonly<Record<string, { readonly S?: string | undefined }>>;

/** The row that a record of the change stream is about; without a file: anything in the repository may have changed. */
export function changeOfKeys(keys: Keys): { readonly repository: Repository; readonly file: string | undefined } {
  const file = expected(keys.file?.S, 'file', JSON.stringify(keys));
  return { repository: repositoryOfKeys(keys), file: file === requestFile ? undefined : file };
}

/** The item's repository. Throws where it has none. */
function repositoryOfKeys(keys: Keys): Repository {
  const partition = expected(keys.repository?.S, 'repository', JSON.stringify(keys));
  return partition === rootPartition ? '' : partition;
}

/** The key of the bucket's root: its name is the empty string, which DynamoDB does not allow. No repository ends in a slash. */
const rootPartition = '/';

function partitionOf(repository: Repository): string {
  return repository === '' ? rootPartition : repository;
}

/** The sort key of the row that requests a summary. No file has a slash in its name. */
const requestFile = '/summary';

function keysOf(repository: Repository, file: string): Item {
  return { repository: { S: partitionOf(repository) }, file: { S: file } };
}

function itemOf(row: Row): Item {
  return {
    ...keysOf(row.repository, row.file),
    state: { S: row.state },
    etag: { S: row.etag },
    size: { N: `${row.size}` },
    lastModified: { S: row.lastModified.toISOString() },
    indexedAt: { S: row.indexedAt.toISOString() },
    rules: { S: row.rules },
    ...(row.signature && { signature: { S: JSON.stringify(row.signature) } }),
    ...(row.record === undefined ? {} : { record: { B: row.record } }),
    ...(row.state === 'indexed'
      ? { warnings: { L: row.warnings.map((code) => ({ S: code })) } }
      : { reason: { M: { code: { S: row.reason.code }, message: { S: row.reason.message } } } }),
  };
}

function rowOf(item: Item): Row {
  const of = `the row ${JSON.stringify(item.repository?.S)}, ${JSON.stringify(item.file?.S)}`;
  const facts = {
    repository: repositoryOfKeys(item),
    file: expected(item.file?.S, 'file', of),
    etag: expected(item.etag?.S, 'etag', of),
    size: Number(expected(item.size?.N, 'size', of)),
    lastModified: new Date(expected(item.lastModified?.S, 'lastModified', of)),
    indexedAt: new Date(expected(item.indexedAt?.S, 'indexedAt', of)),
    // Older versions wrote rows without it.
    rules: item.rules?.S ?? '',
    ...(item.signature?.S && { signature: JSON.parse(item.signature.S) as SignatureCheck }),
  };
  if (item.state?.S === 'indexed') {
    const warnings = expected(item.warnings?.L, 'warnings', of);
    return {
      ...facts,
      state: 'indexed',
      record: expected(item.record?.B, 'record', of),
      warnings: warnings.map((code) => expected(code.S, 'warnings', of)),
    };
  }
  if (item.state?.S === 'rejected') {
    const { code, message } = expected(item.reason?.M, 'reason', of);
    return {
      ...facts,
      state: 'rejected',
      reason: { code: expected(code?.S, 'reason.code', of), message: expected(message?.S, 'reason.message', of) },
      ...(item.record?.B === undefined ? {} : { record: item.record.B }),
    };
  }
  throw new Error(`${of}: expected the state indexed or rejected, found ${item.state?.S}; ${remedy}`);
}

const remedy = 'another program wrote into this table: delete the item, then run a reindex';

function expected<Value>(value: Value | undefined, name: string, of: string): Value {
  if (value !== undefined) return value;
  throw new Error(`${of}: expected the attribute ${name}, found none or one of another type; ${remedy}`);
}
