/** The table of rows in one SQLite file. All of it is derived data: a file that cannot be used is set aside, not repaired. */

import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { tableLimits } from '../limits.ts';
import type { RecordTable, Repository, Row } from '../ports.ts';

/** "pkgi", in the file's header: tells our files from those of other programs. */
const applicationId = 0x706b6769;

/** Of the schema below. A file of another version is built anew, so there are no migrations. */
const schemaVersion = 1;

/** Text compares by its UTF-8 bytes (collation BINARY): that is the order of the summary. Times are milliseconds since 1970. */
const schema = `
  CREATE TABLE records (
    repository    TEXT NOT NULL,
    file          TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('indexed', 'rejected')),
    record        BLOB,
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
    whole         INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${schemaVersion};
`;

export interface SqliteRecordsOptions {
  /** Its directory is created where it is absent. */
  readonly file: string;
  /** The change stream: told after each change has been committed, in the same turn. */
  readonly onChange?: (repository: Repository) => void;
  /** To look on while another process writes. A file that is absent is an empty table then. */
  readonly readOnly?: boolean;
}

/** `rebuilt`: there was a file, but it could not be used; it is at `setAside` now, and the table is empty. */
export type OpenedRecords =
  | { readonly table: SqliteRecords; readonly rebuilt: false }
  | { readonly table: SqliteRecords; readonly rebuilt: true; readonly because: Unusable; readonly setAside: string };

type Unusable = 'damaged' | 'of another version' | 'of another program';
type Condition = 'ours' | 'empty' | Unusable;

interface StoredRow {
  readonly repository: string;
  readonly file: string;
  readonly state: 'indexed' | 'rejected';
  readonly record: Uint8Array;
  readonly warnings: string;
  readonly reasonCode: string;
  readonly reasonMessage: string;
  readonly etag: string;
  readonly size: number;
  readonly lastModified: number;
  readonly indexedAt: number;
}

export class SqliteRecords implements RecordTable {
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #onChange: (repository: Repository) => void;

  /** @throws where the file can neither be opened nor set aside, or `readOnly` finds one that is not usable. */
  static open({ file, onChange = () => {}, readOnly = false }: SqliteRecordsOptions): OpenedRecords {
    if (readOnly) return { table: new SqliteRecords(openToRead(file), onChange), rebuilt: false };
    mkdirSync(dirname(file), { recursive: true });
    const first = openToWrite(file);
    if (first.database !== undefined) return { table: new SqliteRecords(first.database, onChange), rebuilt: false };

    const setAside = `${file}.set-aside`;
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(file + suffix)) renameSync(file + suffix, setAside + suffix);
    }
    const second = openToWrite(file);
    if (second.database === undefined) throw new Error(`${file}: a new table is ${second.condition} at once`);
    return { table: new SqliteRecords(second.database, onChange), rebuilt: true, because: first.condition, setAside };
  }

  private constructor(database: DatabaseSync, onChange: (repository: Repository) => void) {
    this.#database = database;
    this.#statements = prepare(database);
    this.#onChange = onChange;
  }

  async row(repository: Repository, file: string): Promise<Row | undefined> {
    const stored = this.#statements.row.get(repository, file) as StoredRow | undefined;
    return stored && rowOf(stored);
  }

  async putRow(row: Row): Promise<void> {
    const { repository, file, state, etag, size } = row;
    const [record, warnings] = state === 'indexed' ? [row.record, JSON.stringify(row.warnings)] : [null, null];
    const [code, message] = state === 'rejected' ? [row.reason.code, row.reason.message] : [null, null];
    const times = [row.lastModified.getTime(), row.indexedAt.getTime()] as const;
    this.#statements.putRow.run(repository, file, state, record, warnings, code, message, etag, size, ...times);
    this.#onChange(repository);
  }

  async deleteRow(repository: Repository, file: string): Promise<void> {
    const { changes } = this.#statements.deleteRow.run(repository, file);
    if (changes > 0) this.#onChange(repository);
  }

  /** A page at a time, from one file name to the next: no cursor stays open, so writes in between do no harm. */
  async *rows(repository: Repository): AsyncGenerator<Row> {
    let page = this.#statements.firstRows.all(repository) as unknown as StoredRow[];
    for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
      for (const stored of page) yield rowOf(stored);
      page = this.#statements.nextRows.all(repository, last.file) as unknown as StoredRow[];
    }
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

  async isWhole(repository: Repository): Promise<boolean> {
    return this.#statements.repository.get(repository)?.whole === 1;
  }

  async markWhole(repository: Repository): Promise<void> {
    this.#statements.markWhole.run(repository);
  }

  async requestSummary(repository: Repository): Promise<void> {
    this.#onChange(repository);
  }

  close(): void {
    this.#database.close();
  }
}

function prepare(database: DatabaseSync) {
  const page = `ORDER BY file LIMIT ${tableLimits.rowsPageMax}`;
  const sql = {
    row: 'SELECT * FROM records WHERE repository = ? AND file = ?',
    putRow: `INSERT OR REPLACE INTO records (repository, file, state, record, warnings, reasonCode, reasonMessage,
                                             etag, size, lastModified, indexedAt)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    deleteRow: 'DELETE FROM records WHERE repository = ? AND file = ?',
    firstRows: `SELECT * FROM records WHERE repository = ? ${page}`,
    nextRows: `SELECT * FROM records WHERE repository = ? AND file > ? ${page}`,
    repositories: 'SELECT repository FROM records UNION SELECT repository FROM repositories',
    takeRun: `INSERT INTO repositories (repository, run) VALUES (?, 1)
              ON CONFLICT (repository) DO UPDATE SET run = run + 1 RETURNING run`,
    repository: 'SELECT run, whole FROM repositories WHERE repository = ?',
    markWhole: `INSERT INTO repositories (repository, whole) VALUES (?, 1)
                ON CONFLICT (repository) DO UPDATE SET whole = 1`,
  };
  return Object.fromEntries(Object.entries(sql).map(([name, text]) => [name, database.prepare(text)])) as {
    readonly [name in keyof typeof sql]: StatementSync;
  };
}

function rowOf(stored: StoredRow): Row {
  const { repository, file, etag, size } = stored;
  const lastModified = new Date(stored.lastModified);
  const facts = { repository, file, etag, size, lastModified, indexedAt: new Date(stored.indexedAt) };
  return stored.state === 'indexed'
    ? { ...facts, state: 'indexed', record: stored.record, warnings: JSON.parse(stored.warnings) as string[] }
    : { ...facts, state: 'rejected', reason: { code: stored.reasonCode, message: stored.reasonMessage } };
}

type OpenedDatabase =
  | { readonly database: DatabaseSync }
  | { readonly database?: undefined; readonly condition: Unusable };

/**
 * Write-ahead logging lets readers look on while we write; `synchronous = NORMAL` may lose the last rows in a power failure,
 * never the order of writes: the next reindex finds what is missing.
 */
function openToWrite(file: string): OpenedDatabase {
  const { database, condition } = connect(file, 'to write');
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
  const { database, condition } = connect(file, 'to read');
  if (condition === 'ours') return database;
  database.close();
  if (condition === 'empty') return emptyTable();
  throw new Error(`${file}: expected the table of an indexer of this version, found a file that is ${condition}; \
an indexer that starts here sets it aside and builds the table anew`);
}

function emptyTable(): DatabaseSync {
  const database = new DatabaseSync(':memory:');
  create(database);
  database.exec('PRAGMA query_only = ON');
  return database;
}

function connect(file: string, purpose: 'to read' | 'to write'): { database: DatabaseSync; condition: Condition } {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly: purpose === 'to read', timeout: tableLimits.busyMillisecondsMax });
    return { database, condition: examine(database, purpose === 'to read' ? 'quickly' : 'closely') };
  } catch (cause) {
    database?.close();
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${file}: cannot open this table (${message}); look at its permissions and its directory's`, {
      cause,
    });
  }
}

/** All or nothing, as nobody may see a table that is half there; and not twice, where two processes begin at once. */
function create(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  if (pragma(database, 'user_version') === 0) database.exec(schema);
  database.exec('COMMIT');
}

/** Closely: the structure of every page too, which takes about 0.1 s for 100 MB. */
function examine(database: DatabaseSync, how: 'quickly' | 'closely'): Condition {
  try {
    const isEmpty = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.tables === 0;
    if (pragma(database, 'application_id') !== applicationId) return isEmpty ? 'empty' : 'of another program';
    if (pragma(database, 'user_version') !== schemaVersion) return 'of another version';
    return how === 'closely' && pragma(database, 'quick_check(1)') !== 'ok' ? 'damaged' : 'ours';
  } catch (error) {
    if (isDamage(error)) return 'damaged';
    throw error;
  }
}

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

/** SQLITE_CORRUPT or SQLITE_NOTADB (https://www.sqlite.org/rescode.html); the upper bits hold details. */
function isDamage(error: unknown): boolean {
  if (!(error instanceof Error && 'errcode' in error && typeof error.errcode === 'number')) return false;
  return [11, 26].includes(error.errcode & 0xff);
}
