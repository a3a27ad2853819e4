/** The table of rows in one SQLite file. It is derived data: an unusable file is set aside, not repaired. */

import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';

import type { OnChange, RecordTable, Repository, Row } from '../../ports.ts';

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** The table on one machine. */
export const tableLimits = {
  /** Rows in memory at a time while a repository's rows are read: 100 of the largest records are 34 MiB. */
  rowsPageMax: 100,
  /** Rows per transaction: a transaction for each row costs ten times as much. Other writers wait a few milliseconds. */
  batchRowsMax: 200,
  /** Bytes of records that wait for a transaction, before the last one. */
  batchBytesMax: 1 * mebibyte,
  /** How long to wait for another process's write, which takes milliseconds. */
  busyMillisecondsMax: 5_000,
} as const;

/** "pkgi", in the file's header: distinguishes our files from those of other programs. */
const applicationId = 0x706b6769;

/** The version of the schema below. A file of another version is replaced, so there are no migrations. */
const schemaVersion = 3;

/**
 * Text compares by its UTF-8 bytes (collation BINARY): that is the order of the summary. Times are milliseconds since 1970.
 * `recordCrc`: SQLite has no checksums (https://www.sqlite.org/cksumvfs.html), and a record that the disk changed would get into the index.
 */
const schema = `
  CREATE TABLE records (
    repository    TEXT NOT NULL,
    file          TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('indexed', 'rejected')),
    record        BLOB,
    recordCrc     INTEGER,
    warnings      TEXT,
    reasonCode    TEXT,
    reasonMessage TEXT,
    etag          TEXT NOT NULL,
    size          INTEGER NOT NULL,
    lastModified  INTEGER NOT NULL,
    indexedAt     INTEGER NOT NULL,
    PRIMARY KEY (repository, file)
  ) STRICT;
  CREATE TABLE repositories (
    repository    TEXT NOT NULL PRIMARY KEY,
    run           INTEGER NOT NULL DEFAULT 0,
    adopted       INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${schemaVersion};
`;

export interface SqliteRecordsOptions {
  /** Its directory is created where it is absent. */
  readonly file: string;
  /** The change stream: called after each committed change, synchronously. */
  readonly onChange?: OnChange;
  /** Called when the file turns out to be damaged; the error is thrown as well. Opening it again sets it aside. */
  readonly onDamage?: () => void;
  /** Another thread opened the file before, still has it open, and found it undamaged: then it is never set aside. */
  readonly isExamined?: boolean;
  /** To read while another process writes. An absent file is then an empty table. */
  readonly readOnly?: boolean;
}

/** `rebuilt`: there was an unusable file; it is at `setAside` now, and the table is empty. */
export type OpenedRecords =
  | { readonly table: SqliteRecords; readonly rebuilt: false }
  | { readonly table: SqliteRecords; readonly rebuilt: true; readonly because: Unusable; readonly setAside: string };

type Unusable = 'damaged' | 'of another version' | 'of another program';
type Condition = 'ours' | 'empty' | Unusable;

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
}

/** A change of a row; without `row`, it is deleted. */
export interface RowChange {
  readonly repository: Repository;
  readonly file: string;
  readonly row: Row | undefined;
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

  /** @throws where the file can neither be opened nor set aside, or is unusable and `readOnly`. */
  static open(options: SqliteRecordsOptions): OpenedRecords {
    const { file, readOnly = false, isExamined = false } = options;
    if (readOnly) return { table: new SqliteRecords(openToRead(file), options), rebuilt: false };
    mkdirSync(dirname(file), { recursive: true });
    const first = openToWrite(file, isExamined ? 'quickly' : 'closely');
    if (first.database !== undefined) return { table: new SqliteRecords(first.database, options), rebuilt: false };
    if (isExamined)
      throw new Error(`${file}: expected the table that is already open, found one that is ${first.condition}`);

    const setAside = `${file}.set-aside`;
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(file + suffix)) renameSync(file + suffix, setAside + suffix);
    }
    const second = openToWrite(file, 'quickly');
    if (second.database === undefined) throw new Error(`${file}: a new table is immediately ${second.condition}`);
    return { table: new SqliteRecords(second.database, options), rebuilt: true, because: first.condition, setAside };
  }

  private constructor(
    database: DatabaseSync,
    { file, onChange = () => {}, onDamage = () => {} }: SqliteRecordsOptions,
  ) {
    this.#file = file;
    this.#inode = inodeOf(file);
    this.#database = database;
    this.#statements = prepare(database, onDamage);
    this.#onChange = onChange;
    this.#onDamage = onDamage;
  }

  /** False once the file was removed or replaced: later writes are lost when this process ends. */
  get isInPlace(): boolean {
    return inodeOf(this.#file) === this.#inode;
  }

  async row(repository: Repository, file: string): Promise<Row | undefined> {
    const stored = this.#statements.row.get(repository, file) as StoredRow | undefined;
    return stored && this.#rowOf(stored);
  }

  async putRow(row: Row): Promise<void> {
    this.#put(row);
    this.#notify(row.repository, row.file);
  }

  #put(row: Row): void {
    const { repository, file, state, etag, size } = row;
    const [record, warnings] = state === 'indexed' ? [row.record, JSON.stringify(row.warnings)] : [null, null];
    const [code, message] = state === 'rejected' ? [row.reason.code, row.reason.message] : [null, null];
    const times = [row.lastModified.getTime(), row.indexedAt.getTime()] as const;
    const recordCrc = record === null ? null : crc32(record);
    const content = [record, recordCrc, warnings, code, message] as const;
    this.#statements.putRow.run(repository, file, state, ...content, etag, size, ...times);
  }

  async deleteRow(repository: Repository, file: string): Promise<void> {
    const { changes } = this.#statements.deleteRow.run(repository, file);
    if (changes > 0) this.#notify(repository, file);
  }

  /** Writes all of them or, where it throws, none, in one transaction: less than a tenth of the cost of single writes. */
  writeAll(changes: Iterable<RowChange>): void {
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
    for (const { repository, file } of changed) this.#notify(repository, file);
  }

  /**
   * While a repository is not adopted, its summary needs all rows. Given a file, summarize would only request a summary of all rows, and
   * the first index would come a window later.
   */
  #notify(repository: Repository, file: string): void {
    const isAdopted = this.#statements.repository.get(repository)?.adopted === 1;
    this.#onChange(repository, isAdopted ? file : undefined);
  }

  /** Reads a page at a time, by file name: no cursor stays open, so writes in between do no harm. */
  async *rows(repository: Repository): AsyncGenerator<Row> {
    let page = this.#statements.firstRows.all(repository) as unknown as StoredRow[];
    for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
      for (const stored of page) yield this.#rowOf(stored);
      page = this.#statements.nextRows.all(repository, last.file) as unknown as StoredRow[];
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

  async takeRun(repository: Repository): Promise<number> {
    return Number(this.#statements.takeRun.get(repository)?.run);
  }

  async lastRun(repository: Repository): Promise<number> {
    return Number(this.#statements.repository.get(repository)?.run ?? 0);
  }

  async isAdopted(repository: Repository): Promise<boolean> {
    return this.#statements.repository.get(repository)?.adopted === 1;
  }

  async markAdopted(repository: Repository): Promise<void> {
    this.#statements.markAdopted.run(repository);
  }

  async requestSummary(repository: Repository): Promise<void> {
    this.#onChange(repository, undefined);
  }

  close(): void {
    this.#database.close();
  }
}

function prepare(database: DatabaseSync, onDamage: () => void) {
  const page = `ORDER BY file LIMIT ${tableLimits.rowsPageMax}`;
  const sql = {
    row: 'SELECT * FROM records WHERE repository = ? AND file = ?',
    putRow: `INSERT OR REPLACE INTO records (repository, file, state, record, recordCrc, warnings, reasonCode,
                                             reasonMessage, etag, size, lastModified, indexedAt)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    deleteRow: 'DELETE FROM records WHERE repository = ? AND file = ?',
    firstRows: `SELECT * FROM records WHERE repository = ? ${page}`,
    nextRows: `SELECT * FROM records WHERE repository = ? AND file > ? ${page}`,
    begin: 'BEGIN IMMEDIATE',
    commit: 'COMMIT',
    rollback: 'ROLLBACK',
    repositories: 'SELECT repository FROM records UNION SELECT repository FROM repositories',
    takeRun: `INSERT INTO repositories (repository, run) VALUES (?, 1)
              ON CONFLICT (repository) DO UPDATE SET run = run + 1 RETURNING run`,
    repository: 'SELECT run, adopted FROM repositories WHERE repository = ?',
    markAdopted: `INSERT INTO repositories (repository, adopted) VALUES (?, 1)
                ON CONFLICT (repository) DO UPDATE SET adopted = 1`,
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

function isSound({ record, recordCrc }: Pick<StoredRow, 'record' | 'recordCrc'>): boolean {
  return record === null ? recordCrc === null : crc32(record) === recordCrc;
}

function rowOf(stored: StoredRow): Row {
  const { repository, file, etag, size } = stored;
  const lastModified = new Date(stored.lastModified);
  const facts = { repository, file, etag, size, lastModified, indexedAt: new Date(stored.indexedAt) };
  return stored.state === 'indexed'
    ? {
        ...facts,
        state: 'indexed',
        record: stored.record ?? new Uint8Array(),
        warnings: JSON.parse(stored.warnings) as string[],
      }
    : { ...facts, state: 'rejected', reason: { code: stored.reasonCode, message: stored.reasonMessage } };
}

type OpenedDatabase =
  | { readonly database: DatabaseSync }
  | { readonly database?: undefined; readonly condition: Unusable };

/**
 * With write-ahead logging others can read while we write. `synchronous = NORMAL` may lose the last rows in a power failure, but keeps the
 * order of writes: the next reindex finds what is missing.
 */
function openToWrite(file: string, how: 'quickly' | 'closely'): OpenedDatabase {
  const { database, condition } = connect(file, 'to write', how);
  if (condition !== 'ours' && condition !== 'empty') {
    database.close();
    return { condition };
  }
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    if (condition === 'empty') create(database);
    return { database };
  } catch (error) {
    database.close();
    throw error;
  }
}

function openToRead(file: string): DatabaseSync {
  if (!existsSync(file)) return emptyTable();
  const { database, condition } = connect(file, 'to read', 'quickly');
  if (condition === 'ours') return database;
  database.close();
  if (condition === 'empty') return emptyTable();
  throw new Error(`${file}: expected the table of an indexer of this version, found a file that is ${condition}; \
an indexer that starts here sets it aside and builds a new table`);
}

function emptyTable(): DatabaseSync {
  const database = new DatabaseSync(':memory:');
  create(database);
  database.exec('PRAGMA query_only = ON');
  return database;
}

function connect(
  file: string,
  purpose: 'to read' | 'to write',
  how: 'quickly' | 'closely',
): { database: DatabaseSync; condition: Condition } {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly: purpose === 'to read', timeout: tableLimits.busyMillisecondsMax });
    return { database, condition: examine(database, how) };
  } catch (cause) {
    database?.close();
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${file}: cannot open this table (${message}); check its permissions and those of its directory`, {
      cause,
    });
  }
}

/** In a transaction: others never see half a table, and two processes that start at once create it once. */
function create(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  if (pragma(database, 'user_version') === 0) database.exec(schema);
  database.exec('COMMIT');
}

/** Closely: also checks the structure of every page, and every record, which takes about 0.2 s for 27,699 records (30 MB). */
function examine(database: DatabaseSync, how: 'quickly' | 'closely'): Condition {
  try {
    const isEmpty = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.tables === 0;
    if (pragma(database, 'application_id') !== applicationId) return isEmpty ? 'empty' : 'of another program';
    if (pragma(database, 'user_version') !== schemaVersion) return 'of another version';
    return how === 'closely' && !isUndamaged(database) ? 'damaged' : 'ours';
  } catch (error) {
    if (isDamage(error)) return 'damaged';
    throw error;
  }
}

/** `integrity_check` also compares the table with its index, which `quick_check` does not. */
function isUndamaged(database: DatabaseSync): boolean {
  if (pragma(database, 'integrity_check(1)') !== 'ok') return false;
  for (const stored of database.prepare('SELECT record, recordCrc FROM records').iterate()) {
    if (!isSound(stored as unknown as StoredRow)) return false;
  }
  return true;
}

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

/** SQLITE_CORRUPT or SQLITE_NOTADB (https://www.sqlite.org/rescode.html); the upper bits hold details. */
function isDamage(error: unknown): boolean {
  if (!(error instanceof Error && 'errcode' in error && typeof error.errcode === 'number')) return false;
  return [11, 26].includes(error.errcode & 0xff);
}

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}
