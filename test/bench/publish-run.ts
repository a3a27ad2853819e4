/**
 * One run of the benchmark of publishing, in a process of its own, over a directory and SQLite:
 *
 *   node publish-run.ts prepare DIRECTORY N|FILE   so many made rows, or those of a summary in zst; published
 *   node publish-run.ts change DIRECTORY FILE…     the row of one file after the other changes and is published
 *   node publish-run.ts add DIRECTORY FILE…        beside one file after the other another one comes and is published: index and page
 *   node publish-run.ts rebuild DIRECTORY          the index is removed, and made anew
 */

import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { DirectoryObjects } from '../../functions/adapters/local/directory-objects.ts';
import { SqliteRecords } from '../../functions/adapters/local/sqlite-records.ts';
import { packagesPage } from '../../functions/adapters/pages.ts';
import { recordsOf } from '../../functions/index/blocks.ts';
import { PageTemplate } from '../../functions/page/page.ts';
import type {
  Changes,
  ETag,
  IndexedRow,
  ObjectBody,
  ObjectKey,
  PutOptions,
  PutOutcome,
} from '../../functions/ports.ts';
import { summarize } from '../../functions/summarize.ts';
import { fillComments } from '../filled-comments.ts';
import { madeRows } from './made-packages.ts';
import { type Cost, costOf } from './measurement.ts';

/** What one publication did. */
export interface PublishCost extends Cost {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly rowsRead: number;
}

export interface PublishRun {
  readonly costs: readonly PublishCost[];
  readonly peakMebibytes: number;
}

const repository = 'All';
const [way = '', directory = '', ...names] = process.argv.slice(2);

/** Counts what goes to and from the disk. */
class CountedObjects extends DirectoryObjects {
  readonly counted = { bytesRead: 0, bytesWritten: 0, rowsRead: 0 };

  override async readRange(key: ObjectKey, etag: ETag, offset: number, length: number): Promise<Uint8Array> {
    const bytes = await super.readRange(key, etag, offset, length);
    this.counted.bytesRead += bytes.length;
    return bytes;
  }

  override async put(key: ObjectKey, body: ObjectBody, options: PutOptions): Promise<PutOutcome> {
    // Not put together for that: it would be in the memory that is measured.
    for (const { length } of body instanceof Uint8Array ? [body] : body) this.counted.bytesWritten += length;
    return super.put(key, body, options);
  }
}

/** Publications are a second apart: time goes by as fast as somebody waits for it. */
let now = Date.now();
const clock = {
  now: () => new Date(now),
  sleep: async (milliseconds: number) => {
    now += milliseconds;
  },
};

const page = new PageTemplate(await packagesPage());

if (way === 'prepare') await mkdir(join(directory, repository), { recursive: true });
const stateDirectory = join(directory, '.indexer');
const { table: records } = SqliteRecords.open({ file: join(stateDirectory, 'records.sqlite') });
const objects = new CountedObjects({ root: directory, stateDirectory });
const readRow = records.row.bind(records);
const readRows = records.rows.bind(records);
records.row = (of, file) => {
  objects.counted.rowsRead += 1;
  return readRow(of, file);
};
records.rows = async function* (of) {
  for await (const row of readRows(of)) {
    objects.counted.rowsRead += 1;
    yield row;
  }
};

switch (way) {
  case 'prepare':
    for await (const row of rowsOf(names[0] ?? '')) await records.putRow(row);
    await publish('all');
    break;
  case 'change':
    print(await changes(names, (file) => file));
    break;
  case 'add':
    print(await changes(names, (file) => `a-new-${file}`));
    break;
  case 'rebuild':
    await rm(join(directory, repository), { recursive: true });
    await mkdir(join(directory, repository));
    print([await publish('all')]);
    break;
  default:
    throw new Error(`expected prepare, change, add or rebuild, found ${JSON.stringify(way)}`);
}
records.close();

async function changes(files: readonly string[], changed: (file: string) => string): Promise<PublishCost[]> {
  const costs: PublishCost[] = [];
  for (const [change, file] of files.entries()) {
    const row = await readRow(repository, file);
    if (row?.state !== 'indexed') throw new Error('expected rows that are indexed');
    const record = Buffer.from(row.record)
      .toString('latin1')
      .replace(/^(FILE_SIZE=)\d+$/m, `$1${1_000 + change}`)
      .replace(/^(FILE_NAME=).*$/m, (_, start: string) => start + Buffer.from(changed(file)).toString('latin1'));
    const facts = { file: changed(file), etag: `${row.etag}-${change}` };
    await records.putRow({ ...row, ...facts, record: Buffer.from(record, 'latin1') });
    now += 3_000;
    costs.push(await publish(new Set([facts.file])));
  }
  return costs;
}

async function publish(changed: Changes): Promise<PublishCost> {
  const { counted } = objects;
  Object.assign(counted, { bytesRead: 0, bytesWritten: 0, rowsRead: 0 });
  const cost = await costOf(async () => {
    const { outcome } = await summarize({ objects, records, clock }, repository, { changes: changed, page });
    if (outcome !== 'published') throw new Error(`expected a publication, found ${outcome}`);
  });
  return { ...cost, ...counted };
}

function print(costs: readonly PublishCost[]): void {
  const run: PublishRun = { costs, peakMebibytes: process.resourceUsage().maxRSS / 1024 };
  console.log(JSON.stringify(run));
}

async function* rowsOf(source: string): AsyncGenerator<IndexedRow> {
  if (/^\d+$/.test(source)) yield* madeRows(Number(source), repository);
  else {
    const date = new Date(0);
    for (const { file, record } of recordsOf(fillComments(zstdDecompressSync(await readFile(source))))) {
      const facts = { repository, file, etag: file, size: 1, lastModified: date, indexedAt: date, rules: '' };
      yield { ...facts, state: 'indexed', record, warnings: [] };
    }
  }
}
