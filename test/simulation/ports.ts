/**
 * The ports as one work sees them: a bucket and a table in memory, each call a turn of the scheduler, which may go wrong.
 *
 * Both of the table's ways to give rows are there. In one go, as a table with snapshots would: then an index has to be the fold
 * of one state of the rows. Or page by page, as SQLite and DynamoDB do, each page as the rows are when it is read: then every
 * file has to be as it was at some time during the reading, and rows may be combined that never were there together. (Later
 * changes have runs of their own, so what is published in the end is the fold of one state in any case.) Listings likewise.
 */

import { splitKey } from '../../functions/keys.ts';
import { pageFile } from '../../functions/page/page.ts';
import type {
  Clock,
  DelayedHintQueue,
  Hint,
  ListedObject,
  ObjectStore,
  PutOutcome,
  RecordTable,
  RetryTable,
  Row,
  RowTag,
} from '../../functions/ports.ts';
import { bytesOf, type MemoryObjects } from '../adapters/memory-objects.ts';
import type { MemoryRecords } from '../adapters/memory-records.ts';
import { CallFailed, type Work } from './process.ts';

/** Is told of what the invariants are about, at the instant at which it takes effect. */
export interface Witness {
  ranBegan(work: Work, repository: string): void;
  markedWhole(repository: string): void;
  unmarkedWhole(repository: string): void;
  rowPut(row: Row): void;
  rowDeleted(repository: string, file: string): void;
  rowRead(work: Work, file: string): void;
  rowsRead(work: Work, isFirstPage: boolean): void;
  beforePut(work: Work, key: string, body: Uint8Array, published: Date): Promise<void>;
  beforePagePut(work: Work, key: string, body: Uint8Array): void;
  beforeDelete(work: Work, key: string): void;
  afterPut(work: Work, key: string): void;
}

export interface PortsOptions {
  readonly objects: MemoryObjects;
  readonly records: MemoryRecords;
  readonly witness: Witness;
  readonly rowsPerPage: number;
  readonly objectsPerPage: number;
  /** The true time, and what a process takes it for. */
  readonly clockOf: (work: Work) => Date;
  readonly send: (work: Work, hints: readonly Hint[], milliseconds: number) => void;
  /** Whether the store refuses every put of this key at present. */
  readonly isRefused: (key: string) => boolean;
  readonly onPublished: (key: string) => void;
  /** A mutation: puts do not look at their condition. */
  readonly ignoresConditions: boolean;
  /** A mutation: ranges are read of whatever is there. */
  readonly ignoresRangeEtags: boolean;
}

export interface Ports {
  readonly objects: ObjectStore;
  readonly records: RecordTable;
  readonly retries: RetryTable;
  readonly hints: DelayedHintQueue;
  readonly clock: Clock;
}

export function portsOf(work: Work, options: PortsOptions): Ports {
  return {
    objects: objectsOf(work, options),
    records: recordsOf(work, options),
    retries: retriesOf(work, options),
    hints: hintsOf(work, options),
    clock: {
      now: () => options.clockOf(work),
      sleep: (milliseconds) => work.call('sleep', `sleep ${milliseconds} ms`, () => work.pause(milliseconds)),
    },
  };
}

const lost: PutOutcome = { outcome: 'lost-race' };

function objectsOf(work: Work, options: PortsOptions): ObjectStore {
  const { objects, witness, objectsPerPage } = options;
  return {
    head: (key) => work.call('read', `head ${key}`, () => objects.head(key)),
    readRange: (key, etag, offset, length) =>
      work.call('read', `read ${key} from ${offset}`, () => {
        const now = options.ignoresRangeEtags ? objects.objects.get(key)?.etag : etag;
        return objects.readRange(key, now ?? etag, offset, length);
      }),
    put: (key, body, asked) =>
      work.call(
        'put',
        `put ${key} ${JSON.stringify(asked.condition)}`,
        async () => {
          if (options.isRefused(key)) throw new CallFailed(`the put of ${key} is refused`);
          const current = objects.objects.get(key)?.etag;
          const whatever = current === undefined ? ({ ifNoneMatch: '*' } as const) : { ifMatch: current };
          const condition = options.ignoresConditions ? whatever : asked.condition;
          const willHold = 'ifMatch' in condition ? condition.ifMatch === current : current === undefined;
          const isPage = splitKey(key).file === pageFile;
          if (willHold && isPage) witness.beforePagePut(work, key, bytesOf(body));
          if (willHold && !isPage)
            await witness.beforePut(work, key, bytesOf(body), new Date(asked.metadata.published ?? Number.NaN));
          const outcome = await objects.put(key, body, { ...asked, condition });
          if (willHold) {
            if (!isPage) witness.afterPut(work, key);
            options.onPublished(key);
          }
          return outcome;
        },
        lost,
      ),
    delete: (key) =>
      work.call('write', `delete ${key}`, () => {
        witness.beforeDelete(work, key);
        return objects.delete(key);
      }),
    list: (prefix) =>
      pages(
        (after) =>
          work.call('read', `list ${prefix}* after ${after ?? 'nothing'}`, () =>
            pageOf(objects.list(prefix), ({ key }) => key, after, objectsPerPage),
          ),
        ({ key }: ListedObject) => key,
        objectsPerPage,
      ),
  };
}

function recordsOf(work: Work, { records, witness, rowsPerPage }: PortsOptions): RecordTable {
  return {
    row: (repository, file) =>
      work.call('read', `row ${repository}, ${file}`, () => {
        witness.rowRead(work, file);
        return records.row(repository, file);
      }),
    putRow: (row) =>
      work.call('write', `put row ${row.repository}, ${row.file}: ${row.state} ${row.etag.slice(0, 12)}`, () => {
        witness.rowPut(row);
        return records.putRow(row);
      }),
    deleteRow: (repository, file) =>
      work.call('write', `delete row ${repository}, ${file}`, () => {
        witness.rowDeleted(repository, file);
        return records.deleteRow(repository, file);
      }),
    rows: (repository) =>
      pages(
        (after) =>
          work.call('read', `rows of ${repository} after ${after ?? 'nothing'}`, () => {
            witness.rowsRead(work, after === undefined);
            return pageOf(records.rows(repository), ({ file }) => file, after, rowsPerPage);
          }),
        ({ file }: Row) => file,
        rowsPerPage,
      ),
    rowTags: (repository, first) =>
      pages(
        (after = first) =>
          work.call('read', `row tags of ${repository} after ${after ?? 'nothing'}`, () =>
            pageOf(records.rowTags(repository, after), ({ file }) => file, after, rowsPerPage),
          ),
        ({ file }: RowTag) => file,
        rowsPerPage,
      ),
    repositories: () =>
      pages(
        () =>
          work.call('read', 'repositories', () =>
            pageOf(records.repositories(), (repository) => repository, undefined, Number.POSITIVE_INFINITY),
          ),
        (repository: string) => repository,
        Number.POSITIVE_INFINITY,
      ),
    takeRun: (repository) =>
      work.call('write', `take run of ${repository}`, () => {
        witness.ranBegan(work, repository);
        return records.takeRun(repository);
      }),
    lastRun: (repository) => work.call('read', `last run of ${repository}`, () => records.lastRun(repository)),
    state: (repository) => work.call('read', `state of ${repository}`, () => records.state(repository)),
    setHeldBack: (repository, heldBack) =>
      work.call('write', `${heldBack ? 'hold back' : 'hold nothing back of'} ${repository}`, () =>
        records.setHeldBack(repository, heldBack),
      ),
    markAdopted: (repository) =>
      work.call('write', `mark ${repository} whole`, () => {
        witness.markedWhole(repository);
        return records.markAdopted(repository);
      }),
    forget: (repository) =>
      work.call('write', `unmark ${repository}`, () => {
        witness.unmarkedWhole(repository);
        return records.forget(repository);
      }),
    requestSummary: (repository) =>
      work.call('write', `request summary of ${repository}`, () => records.requestSummary(repository)),
  };
}

function retriesOf(work: Work, { records }: PortsOptions): RetryTable {
  return {
    retry: (repository) => work.call('read', `retry of ${repository}`, () => records.retry(repository)),
    setRetry: (repository, retry) =>
      work.call('write', `retry ${repository} ${retry?.failures ?? 'no more'}`, () =>
        records.setRetry(repository, retry),
      ),
  };
}

function hintsOf(work: Work, options: PortsOptions): DelayedHintQueue {
  return {
    send(hints) {
      return this.sendAfter(hints, 0);
    },
    async sendAfter(hints, milliseconds) {
      // In two calls, so that the first half can be sent without the other.
      const middle = Math.ceil(hints.length / 2);
      for (const half of [hints.slice(0, middle), hints.slice(middle)]) {
        if (half.length === 0) continue;
        const keys = half.map(({ key }) => key).join(', ');
        await work.call('write', `send hints for ${keys}`, async () => options.send(work, half, milliseconds));
      }
    },
  };
}

async function* pages<Item>(
  read: (after: string | undefined) => Promise<Item[]>,
  nameOf: (item: Item) => string,
  perPage: number,
): AsyncGenerator<Item> {
  for (let after: string | undefined; ; ) {
    const page = await read(after);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < perPage) return;
    after = nameOf(last);
  }
}

/** The keys here are ASCII: the order of JavaScript is that of bytes. */
async function pageOf<Item>(
  all: AsyncIterable<Item>,
  nameOf: (item: Item) => string,
  after: string | undefined,
  perPage: number,
): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of all) if (after === undefined || nameOf(item) > after) items.push(item);
  items.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  return items.slice(0, perPage);
}
