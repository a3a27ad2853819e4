/** The file that holds the table: opened, examined, and made where it is absent. */

import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';

const tableFileLimits = {
  /** How long opening waits, and every statement of a thread that does nothing else, for a write of another process: that takes milliseconds. */
  busyMillisecondsMax: 5_000,
} as const;

/** "pkgi", in the file's header: distinguishes our files from those of other programs. */
const applicationId = 0x706b6769;

/** The version of the schema below. A file of another version is replaced, so there are no migrations. */
const schemaVersion = 5;

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
    rules         TEXT NOT NULL,
    signature     TEXT,
    PRIMARY KEY (repository, file)
  ) STRICT;
  CREATE TABLE repositories (
    repository    TEXT NOT NULL PRIMARY KEY,
    run           INTEGER NOT NULL DEFAULT 0,
    adopted       INTEGER NOT NULL DEFAULT 0,
    heldBack      TEXT
  ) STRICT;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${schemaVersion};
`;

/** Rejected rows are few: with this, counting them reads no record. Without it the answers are the same. */
const rejectedIndex = "CREATE INDEX IF NOT EXISTS rejected ON records (repository) WHERE state = 'rejected'";

export type Unusable = 'damaged' | 'of another version' | 'of another program';
type Condition = 'ours' | 'empty' | Unusable;

/** A record as it is stored, with its checksum. */
interface StoredRecord {
  readonly record: Uint8Array | null;
  readonly recordCrc: number | null;
}

export function isSound({ record, recordCrc }: StoredRecord): boolean {
  return record === null ? recordCrc === null : crc32(record) === recordCrc;
}

type OpenedDatabase =
  | { readonly database: DatabaseSync }
  | { readonly database?: undefined; readonly condition: Unusable };

/**
 * With write-ahead logging others can read while we write. `synchronous = NORMAL` may lose the last rows in a power failure, but keeps the
 * order of writes: the next reindex finds what is missing.
 */
export function openToWrite(file: string, how: 'quickly' | 'closely'): OpenedDatabase {
  const { database, condition } = connect(file, 'to write', how);
  if (condition !== 'ours' && condition !== 'empty') {
    database.close();
    return { condition };
  }
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    if (condition === 'empty') create(database);
    database.exec(rejectedIndex);
    return { database };
  } catch (error) {
    database.close();
    throw error;
  }
}

export function openToRead(file: string): DatabaseSync {
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
    database = new DatabaseSync(file, {
      readOnly: purpose === 'to read',
      timeout: tableFileLimits.busyMillisecondsMax,
    });
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
    if (!isSound(stored as unknown as StoredRecord)) return false;
  }
  return true;
}

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

/** From now on a write fails at once where another process writes (`isBusy`), instead of blocking this thread. */
export function stopWaiting(database: DatabaseSync): void {
  database.exec('PRAGMA busy_timeout = 0');
}

/** SQLITE_CORRUPT or SQLITE_NOTADB. */
export function isDamage(error: unknown): boolean {
  return [11, 26].includes(resultCode(error));
}

/** SQLITE_BUSY: another process writes. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === 5;
}

/** https://www.sqlite.org/rescode.html; the upper bits hold details. 0 of other errors. */
function resultCode(error: unknown): number {
  const isOfSqlite = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number';
  return isOfSqlite ? Number(error.errcode) & 0xff : 0;
}
