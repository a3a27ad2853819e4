/** A table that is written to in batches: for many rows at once, by one that does nothing else. */

import type { RecordTable, Repository, Row } from '../../ports.ts';
import type { RowChange, SqliteRecords } from './sqlite-records.ts';
import { tableLimits } from './sqlite-records.ts';

/**
 * Changes of rows wait here, and are written together: when there are enough, and before anything else is asked of the table. `row`
 * knows them. The change stream tells of them once they are written.
 *
 * A process that dies loses what waits, and its hints were acknowledged: so this is for who compares everything at each start. And a row
 * may be written long after extract has looked again: so nobody else may write the same row meanwhile. A key goes to one writer, once.
 * Where writing fails, what waits goes on waiting: the next one tries it again, and `writeAll` tells in the end.
 */
export class BatchedRecords implements RecordTable {
  readonly #table: SqliteRecords;
  readonly #waiting = new Map<string, RowChange>();
  #waitingBytes = 0;

  constructor(table: SqliteRecords) {
    this.#table = table;
  }

  async row(repository: Repository, file: string): Promise<Row | undefined> {
    const change = this.#waiting.get(keyOf(repository, file));
    return change === undefined ? await this.#table.row(repository, file) : change.row;
  }

  async putRow(row: Row): Promise<void> {
    const { repository, file } = row;
    this.#add({ repository, file, row });
  }

  async deleteRow(repository: Repository, file: string): Promise<void> {
    this.#add({ repository, file, row: undefined });
  }

  #add(change: RowChange): void {
    this.#waiting.set(keyOf(change.repository, change.file), change);
    this.#waitingBytes += change.row?.state === 'indexed' ? change.row.record.length : 0;
    const { batchRowsMax, batchBytesMax } = tableLimits;
    if (this.#waiting.size >= batchRowsMax || this.#waitingBytes >= batchBytesMax) this.writeAll();
  }

  /** Writes what waits. */
  writeAll(): void {
    if (this.#waiting.size === 0) return;
    this.#table.writeAll(this.#waiting.values());
    this.#waiting.clear();
    this.#waitingBytes = 0;
  }

  async *rows(repository: Repository): AsyncGenerator<Row> {
    this.writeAll();
    yield* this.#table.rows(repository);
  }

  async *repositories(): AsyncGenerator<Repository> {
    this.writeAll();
    yield* this.#table.repositories();
  }

  async takeRun(repository: Repository): Promise<number> {
    this.writeAll();
    return await this.#table.takeRun(repository);
  }

  async lastRun(repository: Repository): Promise<number> {
    this.writeAll();
    return await this.#table.lastRun(repository);
  }

  async isAdopted(repository: Repository): Promise<boolean> {
    return await this.#table.isAdopted(repository);
  }

  async markAdopted(repository: Repository): Promise<void> {
    this.writeAll();
    await this.#table.markAdopted(repository);
  }

  async requestSummary(repository: Repository): Promise<void> {
    this.writeAll();
    await this.#table.requestSummary(repository);
  }
}

function keyOf(repository: Repository, file: string): string {
  return `${repository}/${file}`;
}
