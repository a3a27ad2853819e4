/** The table of rows in one SQLite file. It is derived data: an unusable file is set aside, not repaired. */

import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';

import { heldBackOf, heldBackText } from '../../index/hold-back.ts';
import type {
  Clock,
  HeldBack,
  OnChange,
  RecordTable,
  Repository,
  RepositoryState,
  Row,
  RowTag,
  SignatureCheck,
} from '../../ports.ts';
import { SystemClock } from '../system-clock.ts';
import { isBusy, isDamage, isSound, openToRead, openToWrite, stopWaiting, type Unusable } from './sqlite-file.ts';

/** The table on one machine. */
export const tableLimits = {
  /** Rows in memory at a time while a repository's rows are read: 100 of the largest records are 34 MiB. */
  rowsPageMax: 100,
  /** Row tags in memory at a time; each has some 150 bytes. */
  tagsPageMax: 1_000,
  /** Words of a search; the others are ignored. */
  searchWordsMax: 4,
  /** How long a write waits for another process, which has the table for milliseconds. Then its hint is retried. */
  busyMillisecondsMax: 5_000,
} as const;

/** The pause between two attempts doubles from the first to the second. */
const pauseMilliseconds = [5, 200] as const;

export interface SqliteRecordsOptions {
  /** Its directory is created where it is absent. */
  readonly file: string;
  /** The change stream: called after each committed change, synchronously. */
  readonly onChange?: OnChange;
  /** Called when the file turns out to be damaged; the error is thrown as well. Opening it again sets it aside. */
  readonly onDamage?: () => void;
  /** To read while another process writes. An absent file is then an empty table. */
  readonly readOnly?: boolean;
  readonly clock?: Clock;
}

/** `rebuilt`: there was an unusable file; it is at `setAside` now, and the table is empty. */
export type OpenedRecords =
  | { readonly table: SqliteRecords; readonly rebuilt: false }
  | { readonly table: SqliteRecords; readonly rebuilt: true; readonly because: Unusable; readonly setAside: string };

interface StoredRow {
  readonly repository: string;
  readonly file: string;
  readonly state: 'indexed' | 'rejected';
  readonly record: Uint8Array | null;
  readonly recordCrc: number | null;
  readonly warnings: string;
  readonly reasonCode: string;
  readonly reasonMessage: string;
  readonly etag: string;
  readonly size: number;
  readonly lastModified: number;
  readonly indexedAt: number;
  readonly rules: string;
  /** JSON. */
  readonly signature: string | null;
}

/** A change of a row; without `row`, it is deleted. */
export interface RowChange {
  readonly repository: Repository;
  readonly file: string;
  readonly row: Row | undefined;
}

export interface RowCounts {
  readonly indexed: number;
  readonly rejected: number;
}

/** A record differs from what was written. */
class RecordDamaged extends Error {
  override readonly name = 'RecordDamaged';
}

export class SqliteRecords implements RecordTable {
  readonly #file: string;
  /** The inode of the opened file. */
  readonly #inode: number | undefined;
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #onChange: OnChange;
  readonly #onDamage: () => void;
  readonly #clock: Clock;
  /** The greatest run number of the repositories that were forgotten. */
  #runForgotten = 0;

  /** @throws where the file can neither be opened nor set aside, or is unusable and `readOnly`. */
  static open(options: SqliteRecordsOptions): OpenedRecords {
    const { file, readOnly = false } = options;
    if (readOnly) return { table: new SqliteRecords(openToRead(file), options), rebuilt: false };
    mkdirSync(dirname(file), { recursive: true });
    const first = openToWrite(file, 'closely');
    if (first.database !== undefined) {
      stopWaiting(first.database);
      return { table: new SqliteRecords(first.database, options), rebuilt: false };
    }
    const setAside = `${file}.set-aside`;
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(file + suffix)) renameSync(file + suffix, setAside + suffix);
    }
    const second = openToWrite(file, 'quickly');
    if (second.database === undefined) throw new Error(`${file}: a new table is immediately ${second.condition}`);
    stopWaiting(second.database);
    return { table: new SqliteRecords(second.database, options), rebuilt: true, because: first.condition, setAside };
  }

  private constructor(
    database: DatabaseSync,
    { file, onChange = () => {}, onDamage = () => {}, clock = new SystemClock() }: SqliteRecordsOptions,
  ) {
    this.#file = file;
    this.#inode = inodeOf(file);
    this.#database = database;
    this.#statements = prepare(database, onDamage);
    this.#onChange = onChange;
    this.#onDamage = onDamage;
    this.#clock = clock;
  }

  /** False once the file was removed or replaced: later writes are lost when this process ends. */
  get isInPlace(): boolean {
    return inodeOf(this.#file) === this.#inode;
  }

  /** Whether no repository has ever had a row. */
  get isEmpty(): boolean {
    return this.#statements.anyRow.get() === undefined;
  }

  async row(repository: Repository, file: string): Promise<Row | undefined> {
    const stored = this.#statements.row.get(repository, file) as StoredRow | undefined;
    return stored && this.#rowOf(stored);
  }

  async putRow(row: Row): Promise<void> {
    await this.#whenFree(() => this.#put(row));
    this.#notify(row.repository, row.file);
  }

  #put(row: Row): void {
    const { repository, file, state, etag, size } = row;
    const { record = null } = row;
    const warnings = state === 'indexed' ? JSON.stringify(row.warnings) : null;
    const [code, message] = state === 'rejected' ? [row.reason.code, row.reason.message] : [null, null];
    const times = [row.lastModified.getTime(), row.indexedAt.getTime()] as const;
    const recordCrc = record === null ? null : crc32(record);
    const content = [record, recordCrc, warnings, code, message] as const;
    const signature = row.signature === undefined ? null : JSON.stringify(row.signature);
    this.#statements.putRow.run(repository, file, state, ...content, etag, size, ...times, row.rules, signature);
  }

  async deleteRow(repository: Repository, file: string): Promise<void> {
    const { changes } = await this.#whenFree(() => this.#statements.deleteRow.run(repository, file));
    if (changes > 0) this.#notify(repository, file);
  }

  /** Writes all of them or, where it throws, none, in one transaction: less than a tenth of the cost of single writes. */
  async writeAll(changes: Iterable<RowChange>): Promise<void> {
    const changed = await this.#whenFree(() => this.#writeAll(changes));
    const reported = new Set<Repository>();
    for (const { repository, file } of changed) {
      if (reported.has(repository)) continue;
      if (this.#notify(repository, file) === 'all') reported.add(repository);
    }
  }

  #writeAll(changes: Iterable<RowChange>): readonly Pick<RowChange, 'repository' | 'file'>[] {
    const changed: Pick<RowChange, 'repository' | 'file'>[] = [];
    this.#statements.begin.run();
    try {
      for (const { repository, file, row } of changes) {
        if (row !== undefined) this.#put(row);
        else if (this.#statements.deleteRow.run(repository, file).changes === 0) continue;
        changed.push({ repository, file });
      }
      this.#statements.commit.run();
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (this.#database.isTransaction) this.#statements.rollback.run();
      throw error;
    }
    return changed;
  }

  /**
   * While a repository is not adopted, or something is held back, its summary needs all rows. Given a file, summarize would only request a
   * summary of all rows, and the index would come a window later.
   */
  #notify(repository: Repository, file: string): 'file' | 'all' {
    const state = this.#statements.repository.get(repository);
    const what = state?.adopted === 1 && state.heldBack === null ? 'file' : 'all';
    this.#onChange(repository, what === 'file' ? file : undefined);
    return what;
  }

  /** Reads a page at a time, by file name: no cursor stays open, so writes in between do no harm. */
  async *rows(repository: Repository): AsyncGenerator<Row> {
    let page = this.#statements.firstRows.all(repository) as unknown as StoredRow[];
    for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
      for (const stored of page) yield this.#rowOf(stored);
      page = this.#statements.nextRows.all(repository, last.file) as unknown as StoredRow[];
    }
  }

  async *rowTags(repository: Repository, after = ''): AsyncGenerator<RowTag> {
    let page: RowTag[];
    for (let last: string | undefined = after; last !== undefined; last = page.at(-1)?.file) {
      page = this.#statements.rowTags.all(repository, last) as unknown as RowTag[];
      yield* page;
    }
  }

  #rowOf(stored: StoredRow): Row {
    if (isSound(stored)) return rowOf(stored);
    this.#onDamage();
    throw new RecordDamaged(`${this.#file}: the record of ${stored.file} differs from what was written`);
  }

  async *repositories(): AsyncGenerator<Repository> {
    for (const { repository } of this.#statements.repositories.all()) yield String(repository);
  }

  /** A millisecond for 27,699 rows: no record is read. */
  countRows(repository: Repository): RowCounts {
    const { rows, rejected } = this.#statements.countRows.get(repository, repository) ?? {};
    return { indexed: Number(rows) - Number(rejected), rejected: Number(rejected) };
  }

  /**
   * Files with every word in their names, in any case (of ASCII): those that are the first word and a version, then those that begin with
   * it. 3 ms for 27,699 rows: no record is read.
   */
  findFiles(words: readonly string[], filesMax: number): Pick<RowChange, 'repository' | 'file'>[] {
    const escaped = words.map((word) => word.replaceAll(/[%_\\]/g, '\\$&'));
    const patterns = Array.from({ length: tableLimits.searchWordsMax }, (_, at) => `%${escaped[at] ?? ''}%`);
    const first = escaped[0] ?? '';
    // Each placeholder has its value, as Node 22 wants it: it cannot bind ?1 by position.
    const found = this.#statements.findFiles.all(...patterns, first, first, first, filesMax);
    return found.map(({ repository, file }) => ({ repository: String(repository), file: String(file) }));
  }

  async takeRun(repository: Repository): Promise<number> {
    const first = this.#runForgotten + 1;
    return Number((await this.#whenFree(() => this.#statements.takeRun.get(repository, first)))?.run);
  }

  async lastRun(repository: Repository): Promise<number> {
    return Number(this.#statements.repository.get(repository)?.run ?? 0);
  }

  async state(repository: Repository): Promise<RepositoryState> {
    const { adopted, heldBack } = this.#statements.repository.get(repository) ?? {};
    return { isAdopted: adopted === 1, heldBack: typeof heldBack === 'string' ? heldBackOf(heldBack) : undefined };
  }

  async markAdopted(repository: Repository): Promise<void> {
    await this.#whenFree(() => this.#statements.markAdopted.run(repository, this.#runForgotten));
  }

  /** One process at a time takes run numbers, so what it remembers is enough for them to grow. */
  async forget(repository: Repository): Promise<void> {
    const forgotten = await this.#whenFree(() => this.#statements.forget.get(repository));
    this.#runForgotten = Math.max(this.#runForgotten, Number(forgotten?.run ?? 0));
  }

  async setHeldBack(repository: Repository, heldBack: HeldBack | undefined): Promise<void> {
    const text = heldBack === undefined ? null : heldBackText(heldBack);
    await this.#whenFree(() => this.#statements.setHeldBack.run(repository, this.#runForgotten, text));
  }

  async requestSummary(repository: Repository): Promise<void> {
    this.#onChange(repository, undefined);
  }

  close(): void {
    this.#database.close();
  }

  /**
   * Executes a write. While another process writes, it waits without blocking: SQLite's own wait would hold up the web server.
   * @throws the error of SQLite where the table stays busy
   */
  async #whenFree<Result>(write: () => Result): Promise<Result> {
    const deadline = this.#clock.now().getTime() + tableLimits.busyMillisecondsMax;
    const [shortest, longest] = pauseMilliseconds;
    for (let wait: number = shortest; ; wait = Math.min(2 * wait, longest)) {
      try {
        return write();
      } catch (error) {
        if (!isBusy(error) || this.#clock.now().getTime() >= deadline) throw error;
        await this.#clock.sleep(wait);
      }
    }
  }
}

function prepare(database: DatabaseSync, onDamage: () => void) {
  const page = `ORDER BY file LIMIT ${tableLimits.rowsPageMax}`;
  const sql = {
    row: 'SELECT * FROM records WHERE repository = ? AND file = ?',
    putRow: `INSERT OR REPLACE INTO records (repository, file, state, record, recordCrc, warnings, reasonCode,
                                             reasonMessage, etag, size, lastModified, indexedAt, rules, signature)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    anyRow: 'SELECT 1 FROM records LIMIT 1',
    deleteRow: 'DELETE FROM records WHERE repository = ? AND file = ?',
    firstRows: `SELECT * FROM records WHERE repository = ? ${page}`,
    nextRows: `SELECT * FROM records WHERE repository = ? AND file > ? ${page}`,
    rowTags: `SELECT file, etag, rules FROM records WHERE repository = ? AND file > ?
              ORDER BY file LIMIT ${tableLimits.tagsPageMax}`,
    begin: 'BEGIN IMMEDIATE',
    commit: 'COMMIT',
    rollback: 'ROLLBACK',
    repositories: 'SELECT repository FROM records UNION SELECT repository FROM repositories',
    countRows: `SELECT (SELECT count(*) FROM records WHERE repository = ?) AS rows,
                       (SELECT count(*) FROM records WHERE repository = ? AND state = 'rejected') AS rejected`,
    findFiles: `SELECT repository, file FROM records
                WHERE file LIKE ? ESCAPE '\\' AND file LIKE ? ESCAPE '\\' AND file LIKE ? ESCAPE '\\' AND file LIKE ? ESCAPE '\\'
                ORDER BY CASE WHEN file LIKE ? || '-%' ESCAPE '\\' AND file NOT LIKE ? || '-%-%' ESCAPE '\\' THEN 0
                              WHEN file LIKE ? || '%' ESCAPE '\\' THEN 1 ELSE 2 END, file, repository
                LIMIT ?`,
    takeRun: `INSERT INTO repositories (repository, run) VALUES (?, ?)
              ON CONFLICT (repository) DO UPDATE SET run = run + 1 RETURNING run`,
    repository: 'SELECT run, adopted, heldBack FROM repositories WHERE repository = ?',
    markAdopted: `INSERT INTO repositories (repository, run, adopted) VALUES (?, ?, 1)
                ON CONFLICT (repository) DO UPDATE SET adopted = 1`,
    setHeldBack: `INSERT INTO repositories (repository, run, heldBack) VALUES (?, ?, ?)
                  ON CONFLICT (repository) DO UPDATE SET heldBack = excluded.heldBack`,
    forget: 'DELETE FROM repositories WHERE repository = ? RETURNING run',
  };
  return Object.fromEntries(
    Object.entries(sql).map(([name, text]) => [name, watched(database.prepare(text), onDamage)]),
  ) as { readonly [name in keyof typeof sql]: WatchedStatement };
}

interface WatchedStatement {
  get(...values: SQLInputValue[]): ReturnType<StatementSync['get']>;
  all(...values: SQLInputValue[]): ReturnType<StatementSync['all']>;
  run(...values: SQLInputValue[]): ReturnType<StatementSync['run']>;
}

/** Reports damage that the statement finds, and rethrows it. */
function watched(statement: StatementSync, onDamage: () => void): WatchedStatement {
  const watch = <Result>(execute: () => Result): Result => {
    try {
      return execute();
    } catch (error) {
      if (isDamage(error)) onDamage();
      throw error;
    }
  };
  return {
    get: (...values) => watch(() => statement.get(...values)),
    all: (...values) => watch(() => statement.all(...values)),
    run: (...values) => watch(() => statement.run(...values)),
  };
}

function rowOf(stored: StoredRow): Row {
  const { repository, file, etag, size, rules } = stored;
  const lastModified = new Date(stored.lastModified);
  const signature = stored.signature === null ? undefined : (JSON.parse(stored.signature) as SignatureCheck);
  const indexedAt = new Date(stored.indexedAt);
  const facts = { repository, file, etag, size, lastModified, indexedAt, rules, ...(signature && { signature }) };
  return stored.state === 'indexed'
    ? {
        ...facts,
        state: 'indexed',
        record: stored.record ?? new Uint8Array(),
        warnings: JSON.parse(stored.warnings) as string[],
      }
    : {
        ...facts,
        state: 'rejected',
        reason: { code: stored.reasonCode, message: stored.reasonMessage },
        ...(stored.record === null ? {} : { record: stored.record }),
      };
}

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}
