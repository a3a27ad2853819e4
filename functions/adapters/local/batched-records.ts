/** A table that writes many rows in one transaction. */

import type { RecordTable, Repository, Row } from '../../ports.ts';
import type { RowChange, SqliteRecords } from './sqlite-records.ts';
import { tableLimits } from './sqlite-records.ts';

/**
 * Changes of rows wait here until there are enough, or until something else than a row is read. `row` includes them. They enter the change
 * stream when they are written. If writing fails, they stay in the batch; the next change tries again, and so does `writeAll`, which throws.
 *
 * Two rules for its users. A process that dies loses what is waiting, though its hints were acknowledged: so it must compare everything
 * when it starts again. And a row may be written long after extract checked the object again: so no key may have two writers.
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
    this.#waitingBytes += change.row?.record?.length ?? 0;
    const { batchRowsMax, batchBytesMax } = tableLimits;
    if (this.#waiting.size >= batchRowsMax || this.#waitingBytes >= batchBytesMax) this.writeAll();
  }

  /** Writes what is waiting. */
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

  async forget(repository: Repository): Promise<void> {
    this.writeAll();
    await this.#table.forget(repository);
  }

  async requestSummary(repository: Repository): Promise<void> {
    this.writeAll();
    await this.#table.requestSummary(repository);
  }
}

function keyOf(repository: Repository, file: string): string {
  return `${repository}/${file}`;
}
