/**
 * What must hold, always and in the end. Nothing here is computed by the code that is tested: records are spelt out in
 * made-packages.ts, and indexes are read by the reader that stands for pkgin.
 */

import { hash } from 'node:crypto';
import type { IndexFormatName } from '../../functions/index/index-formats.ts';
import { indexFiles, joinKey, splitKey } from '../../functions/keys.ts';
import { pageFile } from '../../functions/page/page.ts';
import type { RepositoryState, Row } from '../../functions/ports.ts';
import type { Rules } from '../../functions/record/rules.ts';
import type { MemoryObjects } from '../adapters/memory-objects.ts';
import { readIndex } from '../pkgin-reader.ts';
import { type MadePackage, recordOf } from './made-packages.ts';
import { filesOnPage } from './page-reader.ts';
import type { Setting } from './plan.ts';
import type { Witness } from './ports.ts';
import type { Work } from './process.ts';
import { rebuilt } from './rebuild.ts';

/** Something that must never happen did. */
export class Violation extends Error {
  override readonly name = 'Violation';
  /** A few words, the same for every violation of its kind. */
  readonly invariant: string;

  constructor(invariant: string, details: string) {
    super(`${invariant}: ${details}`);
    this.invariant = invariant;
  }
}

export interface InvariantsOptions {
  readonly objects: MemoryObjects;
  /** What was uploaded, by its ETag. */
  readonly uploaded: ReadonlyMap<string, MadePackage>;
  readonly store: Setting['store'];
  readonly blockBytes: number;
  readonly page: boolean;
  readonly maxShrink: number | undefined;
  readonly hasClockSteps: boolean;
  /** The rules now. */
  readonly rules: () => Rules;
}

/** A file's record at some time; undefined: it had no row, or a rejected one. Versions count changes of rows. */
interface RowState {
  readonly since: number;
  readonly record: string | undefined;
}

/** When rows were read: the versions at the first and at the last page. */
interface Reading {
  readonly from: number;
  to: number;
}

/** What an index says of a file was read then: for each file, or for all others. */
interface Readings {
  rest: Reading | undefined;
  readonly files: Map<string, Reading>;
}

interface Published {
  readonly text: string;
  readonly second: number;
  /** Seconds. */
  readonly lastModified: number;
  /** The latest Last-Modified of another text before. */
  readonly before: number;
  readonly rows: Readings;
}

export class Invariants implements Witness {
  readonly #options: InvariantsOptions;
  readonly #rows = new Map<string, Row>();
  readonly #history = new Map<string, Map<string, RowState[]>>();
  #version = 0;
  /** Of the passes that go on. */
  readonly #readings = new Map<Work, Readings>();
  readonly #whole = new Set<string>();
  /** Counts runs, and changes of packages. */
  #instant = 0;
  readonly #runs = new Map<Work, { readonly began: number; readonly wasWhole: boolean }>();
  readonly #changed = new Map<string, number>();
  readonly #published = new Map<string, Published>();
  /** Indexes of others: there before we had published any, or put over ours. */
  readonly #foreign = new Map<string, 'before ours' | 'over ours'>();
  /** Indexes that are copies of another repository's. */
  readonly #copied = new Set<string>();
  /**
   * Keys from which an index was removed, in a store whose ETags are of the content: a put that was on its way may bring back the very bytes
   * that another run has seen, so that two publications have one second.
   */
  readonly #gone = new Set<string>();
  /** Repositories that have an index of ours. */
  readonly #ours = new Set<string>();
  /** The files of every index that there was of ours, one a line, by repository. */
  readonly #lists = new Map<string, Set<string>>();
  /** Pages of ours, by what they were made of. */
  readonly #pages = new Map<string, Readings>();
  /** Pages of others. */
  readonly #foreignPages = new Map<string, Uint8Array>();

  constructor(options: InvariantsOptions) {
    this.#options = options;
  }

  // What users do.

  packageChanged(key: string): void {
    this.#instant += 1;
    this.#changed.set(key, this.#instant);
  }

  /** @param of the repository that it was published in by us, with what the store knows of it; undefined where it was not. */
  foreignIndexPut(key: string, of?: string): void {
    const { repository, file } = splitKey(key);
    this.#foreign.delete(key);
    if (!this.#ours.has(repository)) this.#foreign.set(key, 'before ours');
    else if (of !== repository && file === 'pkg_summary.gz') this.#foreign.set(key, 'over ours');
    if (of === undefined || of === repository) this.#copied.delete(key);
    else this.#copied.add(key);
    this.#published.delete(key);
  }

  objectGone(key: string): void {
    if (this.#options.store === 's3') this.#gone.add(key);
    this.#published.delete(key);
    this.#foreign.delete(key);
    this.#copied.delete(key);
    this.pagePut(key, undefined);
  }

  /** @param foreign undefined where the page is one of ours, or is gone. */
  pagePut(key: string, foreign: Uint8Array | undefined): void {
    this.#pages.delete(key);
    if (foreign === undefined) this.#foreignPages.delete(key);
    else this.#foreignPages.set(key, foreign);
  }

  /** An index of ours that was there before. */
  indexWasThere(repository: string, files: Iterable<string>): void {
    this.#listed(repository).add([...files].join('\n'));
  }

  // What the steps do.

  ranBegan(work: Work, repository: string): void {
    this.#instant += 1;
    this.#readings.set(work, { rest: undefined, files: new Map() });
    this.#runs.set(work, { began: this.#instant, wasWhole: this.#whole.has(repository) });
  }

  markedWhole(repository: string): void {
    this.#whole.add(repository);
  }

  unmarkedWhole(repository: string): void {
    this.#whole.delete(repository);
    this.#ours.delete(repository);
  }

  rowPut(row: Row): void {
    const key = joinKey(row.repository, row.file);
    const made = this.#options.uploaded.get(row.etag);
    if (made === undefined) throw new Violation('a row is of nothing that ever was', `${key} ${row.etag}`);
    const expected = recordOf(made, row.file, row.rules.split(' ').slice(1));
    const record = row.state === 'indexed' ? latin1(row.record) : undefined;
    if (record !== expected)
      throw new Violation(
        'a row does not say what its object is',
        `${key} ${row.etag}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(record)}`,
      );
    this.#rows.set(key, row);
    this.#remember(row.repository, row.file, record);
  }

  rowDeleted(repository: string, file: string): void {
    this.#rows.delete(joinKey(repository, file));
    this.#remember(repository, file, undefined);
  }

  rowRead(work: Work, file: string): void {
    this.#readings.get(work)?.files.set(file, { from: this.#version, to: this.#version });
  }

  rowsRead(work: Work, isFirstPage: boolean): void {
    const readings = this.#readings.get(work);
    if (readings === undefined) return;
    if (isFirstPage || readings.rest === undefined) readings.rest = { from: this.#version, to: this.#version };
    else readings.rest.to = this.#version;
  }

  async beforePut(work: Work, key: string, body: Uint8Array, published: Date): Promise<void> {
    const { repository, file } = splitKey(key);
    const format = file.endsWith('.gz') ? 'gz' : 'zst';
    const index = readOnce(body, format, key);
    const rows = this.#readings.get(work);
    if (rows === undefined || (rows.rest === undefined && rows.files.size === 0))
      throw new Violation('an index is published without reading the rows', key);
    if (this.#copied.delete(key) && rows.rest === undefined)
      throw new Violation('changes are made in indexes of the repository alone', key);
    this.#checkFold(key, repository, index, rows);
    this.#checkShrinkage(key, index.records.size);
    const full = await rebuilt(index.records, format, this.#options.blockBytes, published);
    if (!Buffer.from(full.index).equals(body))
      throw new Violation('an index is what a full rebuild would give', `${key}: ${JSON.stringify(index.text)}`);
    const previous = this.#published.get(key);
    const second = published.getTime() / 1000;
    if (!Number.isInteger(second))
      throw new Violation('publication times are whole seconds', `${key}: ${published.getTime()} ms`);
    if (index.modificationTime !== undefined && index.modificationTime !== second)
      throw new Violation('MTIME is the time of publication', `${key}: ${index.modificationTime}, not ${second}`);
    if (previous !== undefined && this.#hasNewBytes(key)) {
      this.#checkDirection('the index goes backwards', key, previous.rows, rows);
      if (second <= previous.second)
        throw new Violation('publication times grow', `${key}: ${second} after ${previous.second}`);
    }
    this.#checkCoverage(work, key, (fileName, record) => index.records.get(fileName) === record);
    const before =
      previous?.text === index.text ? previous.before : Math.max(previous?.before ?? 0, previous?.lastModified ?? 0);
    this.#published.set(key, {
      second,
      text: index.text,
      before,
      lastModified: 0,
      rows: takenFrom(rows, previous?.rows),
    });
    this.#ours.add(repository);
    this.indexWasThere(repository, index.records.keys());
  }

  beforePagePut(work: Work, key: string, body: Uint8Array): void {
    const files = filesOnPage(body);
    const rows = this.#readings.get(work) ?? { rest: undefined, files: new Map() };
    if (!this.#options.page) throw new Violation('a page is put where none is wanted', key);
    if (this.#foreignPages.has(key)) throw new Violation('a foreign page is touched', key);
    if (files === undefined || !this.#listed(splitKey(key).repository).has(files.join('\n')))
      throw new Violation('every page lists the files of an index', `${key}: ${files}`);
    const previous = this.#pages.get(key);
    if (previous !== undefined && this.#options.store === 'directory')
      this.#checkDirection('the page goes backwards', key, previous, rows);
    this.#pages.set(key, takenFrom(rows, previous));
  }

  afterPut(_work: Work, key: string): void {
    const published = this.#published.get(key);
    if (published === undefined) return;
    const lastModified = (this.#options.objects.objects.get(key)?.lastModified.getTime() ?? 0) / 1000;
    const mayStandStill = this.#options.store === 's3' && this.#options.hasClockSteps;
    if (lastModified <= published.before && !mayStandStill && this.#hasNewBytes(key))
      throw new Violation('Last-Modified grows', `${key}: ${lastModified} after ${published.before}`);
    this.#published.set(key, { ...published, lastModified });
  }

  beforeDelete(work: Work, key: string): void {
    const { repository } = splitKey(key);
    const rest = this.#readings.get(work)?.rest;
    // Without all rows only where the repository was whole before, and nothing is asked for.
    if (rest !== undefined)
      this.#checkCoverage(work, key, (file, record) => this.#saidWithin(rest, repository, file, record));
    this.#published.delete(key);
  }

  // What must hold once everything is at rest.

  /** A hint is not lost: the row agrees with the object. */
  checkRows(isExempt: (key: string) => boolean): void {
    const keys = new Set([...this.#rows.keys(), ...this.#packages()]);
    for (const key of keys) {
      const [row, object] = [this.#rows.get(key)?.etag, this.#options.objects.objects.get(key)?.etag];
      if (row !== object && !isExempt(key))
        throw new Violation(
          'a hint is lost',
          `${key}: the object is ${object ?? 'absent'}, the row ${row ?? 'absent'}`,
        );
    }
  }

  /** A row that says that other rules made it would be judged again for ever. */
  checkRules(isExempt: (key: string) => boolean): void {
    const { architectures } = this.#options.rules();
    for (const [key, { rules }] of this.#rows)
      if (rules.split(' ').slice(1).join() !== architectures.join() && !isExempt(key))
        throw new Violation('changed rules reach every row', `${key}: expected ${architectures}, found ${rules}`);
  }

  /** Of a repository of which nothing is left, only a name in the table may be. */
  async checkAdopted(stateOf: (repository: string) => Promise<RepositoryState>): Promise<void> {
    for (const repository of this.#whole) {
      const isEmpty = ![...this.#options.objects.objects.keys()].some(
        (key) => splitKey(key).repository === repository && splitKey(key).file !== pageFile,
      );
      if (isEmpty && (await stateOf(repository)).isAdopted)
        throw new Violation('a repository of which nothing is left is not adopted', repository);
    }
  }

  /** What is held back is not in the index. */
  checkHeldBack(repository: string, formats: readonly IndexFormatName[]): void {
    try {
      this.#checkIndexesOf(repository, formats);
    } catch (error) {
      if (error instanceof Violation) return;
      throw error;
    }
    throw new Violation('nothing is held back that is published', repository);
  }

  /**
   * The indexes are folds of the bucket, in these formats and in no other.
   * @param but repositories that are passed over
   */
  checkIndexes(formats: readonly IndexFormatName[], but: readonly (string | undefined)[] = []): void {
    // A client that has any other text finds a later Last-Modified now.
    for (const [key, { lastModified, before }] of this.#published)
      if (lastModified <= before && this.#hasNewBytes(key))
        throw new Violation('Last-Modified is later in the end', `${key}: ${lastModified} after ${before}`);
    const { objects } = this.#options.objects;
    // A page alone makes no repository.
    const keys = [...objects.keys()].filter((key) => splitKey(key).file !== pageFile);
    for (const repository of new Set(keys.map((key) => splitKey(key).repository))) {
      if (!but.includes(repository) && !repository.endsWith('.indexer-state'))
        this.#checkIndexesOf(repository, formats);
    }
  }

  #checkIndexesOf(repository: string, formats: readonly IndexFormatName[]): void {
    const { objects } = this.#options.objects;
    const fold = [...this.recordsOf(repository).values()].join('') || '\n';
    for (const file of indexFiles) {
      const key = joinKey(repository, file);
      const body = objects.get(key)?.body;
      const format = formats.find((name) => file === `pkg_summary.${name}`);
      if (format === undefined && body !== undefined)
        throw new Violation('a format that is switched off is absent', key);
      if (format === undefined) continue;
      const found = body === undefined ? undefined : readOnce(body, format, key).text;
      if (found !== fold)
        throw new Violation(
          'the index is the fold of the bucket',
          `${key}: expected ${JSON.stringify(fold)}, found ${JSON.stringify(found)}`,
        );
    }
  }

  /** Pages list what is in the index; those of others are as they were. */
  checkPages(): void {
    const { objects } = this.#options.objects;
    for (const repository of this.#ours) {
      const key = joinKey(repository, pageFile);
      const body = objects.get(key)?.body;
      const foreign = this.#foreignPages.get(key);
      if (foreign !== undefined && !Buffer.from(foreign).equals(body ?? new Uint8Array()))
        throw new Violation('a foreign page is touched', key);
      if (foreign !== undefined || !this.#options.page) continue;
      const found = body === undefined ? undefined : filesOnPage(body)?.join(' ');
      const expected = [...this.recordsOf(repository).keys()].join(' ');
      if (found !== expected)
        throw new Violation('the page lists the files of the index', `${key}: expected ${expected}, found ${found}`);
    }
  }

  /** The records of the packages that are in the bucket, by their files. */
  recordsOf(repository: string): ReadonlyMap<string, string> {
    const files = [...this.#packages()].map(splitKey).filter((key) => key.repository === repository);
    const records = files.map(({ file }) => [file, this.#recordInBucket(joinKey(repository, file)) ?? ''] as const);
    return new Map(records.filter(([, record]) => record !== '').sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #listed(repository: string): Set<string> {
    const lists = this.#lists.get(repository) ?? new Set();
    this.#lists.set(repository, lists);
    return lists;
  }

  *#packages(): Generator<string> {
    for (const key of this.#options.objects.objects.keys()) if (key.endsWith('.tgz')) yield key;
  }

  #recordInBucket(key: string): string | undefined {
    const made = this.#options.uploaded.get(this.#options.objects.objects.get(key)?.etag ?? '');
    return made && recordOf(made, splitKey(key).file, this.#options.rules().architectures);
  }

  /**
   * Whether no two publications have equal bytes. There is no time in zstd: where ETags are of content, one may come back, and
   * If-Match hold for an index that only looks like the one that was seen. It is made good by the look that follows.
   */
  #hasNewBytes(key: string): boolean {
    return this.#options.store === 'directory' || (key.endsWith('.gz') && !this.#gone.has(key));
  }

  #remember(repository: string, file: string, record: string | undefined): void {
    this.#version += 1;
    const files = this.#history.get(repository) ?? new Map<string, RowState[]>();
    this.#history.set(repository, files);
    const states = files.get(file) ?? [{ since: 0, record: undefined }];
    files.set(file, states);
    states.push({ since: this.#version, record });
  }

  /**
   * The records are in order, and each is what its row said at some time during the reading; or, if only some rows were read, what the
   * index says that is replaced.
   */
  #checkFold(key: string, repository: string, { text, records }: Index, readings: Readings): void {
    const ordered = [...records.keys()].sort().map((file) => records.get(file));
    const replaced = readings.rest === undefined ? this.#recordsAt(key) : new Map<string, string>();
    const files = new Set([...records.keys(), ...replaced.keys(), ...(this.#history.get(repository)?.keys() ?? [])]);
    const isFold =
      (ordered.join('') || '\n') === text &&
      [...files].every((file) => {
        const reading = readingOf(readings, file);
        return reading === undefined
          ? replaced.get(file) === records.get(file)
          : this.#saidWithin(reading, repository, file, records.get(file));
      });
    if (!isFold)
      throw new Violation('every index is the fold of some state of the rows', `${key}: ${JSON.stringify(text)}`);
  }

  /** Many records go only once that is confirmed, for the very index that is replaced. */
  #checkShrinkage(key: string, to: number): void {
    const { repository, file } = splitKey(key);
    const from = file === 'pkg_summary.gz' ? this.#recordsBefore(key) : 0;
    const { objects, maxShrink = 100 } = this.#options;
    const isForeign = objects.objects.get(key)?.metadata['repository-sha256'] !== hash('sha256', repository);
    const isEmptied = to === 0 && isForeign;
    if (from <= to || (!isEmptied && 100 * (from - to) <= maxShrink * from)) return;
    const confirmation = objects.objects.get(joinKey(repository, '.indexer-state/confirmed.json'))?.body;
    const confirmed = JSON.parse(Buffer.from(confirmation ?? Buffer.from('{}')).toString()) as {
      readonly index?: string;
    };
    if (confirmed.index !== objects.objects.get(key)?.etag)
      throw new Violation('many records go only once that is confirmed', `${key}: ${from} → ${to}`);
  }

  /** 0 where the index cannot be read. */
  #recordsBefore(key: string): number {
    try {
      return this.#options.objects.objects.has(key) ? this.#recordsAt(key).size : 0;
    } catch (error) {
      if (error instanceof Violation) return 0;
      throw error;
    }
  }

  #checkDirection(invariant: string, key: string, before: Readings, now: Readings): void {
    const { repository } = splitKey(key);
    for (const row of new Set([...now.files.keys(), ...(this.#history.get(repository)?.keys() ?? [])])) {
      const [was, is] = [readingOf(before, row), readingOf(now, row)];
      if (was !== undefined && is !== undefined && was.to > is.from)
        throw new Violation(invariant, `${key}: ${row} of ${is.from} over that of ${was.to}`);
    }
  }

  #recordsAt(key: string): ReadonlyMap<string, string> {
    const body = this.#options.objects.objects.get(key)?.body ?? new Uint8Array();
    return readOnce(body, key.endsWith('.gz') ? 'gz' : 'zst', key).records;
  }

  /** Whether the file's row said so at some time during the reading. */
  #saidWithin({ from, to }: Reading, repository: string, file: string, record: string | undefined): boolean {
    const states = this.#history.get(repository)?.get(file) ?? [{ since: 0, record: undefined }];
    const first = states.findLastIndex(({ since }) => since <= from);
    return states.slice(first).some((state) => state.since <= Math.max(from, to) && state.record === record);
  }

  /** An index that is not ours gives way only to one that has every package. */
  #checkCoverage(work: Work, key: string, has: (file: string, record: string | undefined) => boolean): void {
    const { repository } = splitKey(key);
    const run = this.#runs.get(work);
    const foreign = this.#foreign.get(key);
    this.#foreign.delete(key);
    if (foreign === undefined || run === undefined || (run.wasWhole && foreign === 'before ours')) return;
    for (const packageKey of this.#packages()) {
      const { repository: holder, file } = splitKey(packageKey);
      if (holder !== repository || (this.#changed.get(packageKey) ?? 0) > run.began) continue;
      if (!has(file, this.#recordInBucket(packageKey)))
        throw new Violation('a foreign index is replaced by a smaller one', `${key} without ${packageKey}`);
    }
  }
}

function readingOf({ rest, files }: Readings, file: string): Reading | undefined {
  return rest ?? files.get(file);
}

/** What is published is made of what was read, and otherwise of what it replaces. */
function takenFrom(rows: Readings, previous: Readings | undefined): Readings {
  return rows.rest === undefined
    ? { rest: previous?.rest, files: new Map([...(previous?.files ?? []), ...rows.files]) }
    : { rest: { ...rows.rest }, files: new Map(rows.files) };
}

interface Index {
  readonly text: string;
  /** By FILE_NAME. */
  readonly records: ReadonlyMap<string, string>;
  /** Seconds; gzip only. */
  readonly modificationTime: number | undefined;
}

const readings = new Map<string, Index>();
const readingsMax = 5_000;

/** Reads an index as pkgin does; equal ones once. */
function readOnce(body: Uint8Array, format: 'gz' | 'zst', key: string): Index {
  const id = latin1(body);
  const known = readings.get(id) ?? readWhole(body, format, key);
  if (readings.size >= readingsMax) readings.clear();
  readings.set(id, known);
  return known;
}

function readWhole(body: Uint8Array, format: 'gz' | 'zst', key: string): Index {
  try {
    const text = latin1(readIndex(body, format).summary);
    const records = text === '\n' ? [] : text.split(/(?<=\n\n)/);
    const modificationTime = format === 'gz' ? Buffer.from(body).readUInt32LE(4) : undefined;
    return { text, records: new Map(records.map((record) => [fileOf(record), record])), modificationTime };
  } catch (error) {
    throw new Violation('pkgin reads every index', `${key}: ${error}`);
  }
}

function fileOf(record: string): string {
  return /^FILE_NAME=(.*)$/m.exec(record)?.[1] ?? '';
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
