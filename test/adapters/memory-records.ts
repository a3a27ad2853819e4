/** The table in memory: the simplest RecordTable. */

import { compareByBytes } from '../../functions/keys.ts';
import type {
  HeldBack,
  OnChange,
  RecordTable,
  Repository,
  RepositoryState,
  Retry,
  RetryTable,
  Row,
  RowTag,
} from '../../functions/ports.ts';

interface Stored {
  readonly rows: Map<string, Row>;
  run: number;
  adopted: boolean;
  heldBack: HeldBack | undefined;
}

export class MemoryRecords implements RecordTable, RetryTable {
  readonly #repositories = new Map<Repository, Stored>();
  readonly #retries = new Map<Repository, Retry>();
  readonly #onChange: OnChange;

  constructor(onChange: OnChange = () => {}) {
    this.#onChange = onChange;
  }

  async row(repository: Repository, file: string): Promise<Row | undefined> {
    const row = this.#repositories.get(repository)?.rows.get(file);
    return row && copyOf(row);
  }

  async putRow(row: Row): Promise<void> {
    this.#of(row.repository).rows.set(row.file, copyOf(row));
    this.#onChange(row.repository, row.file);
  }

  async deleteRow(repository: Repository, file: string): Promise<void> {
    if (this.#repositories.get(repository)?.rows.delete(file)) this.#onChange(repository, file);
  }

  async *rows(repository: Repository): AsyncGenerator<Row> {
    const rows = [...(this.#repositories.get(repository)?.rows.values() ?? [])];
    for (const row of rows.sort((a, b) => Buffer.compare(Buffer.from(a.file), Buffer.from(b.file)))) yield copyOf(row);
  }

  async *rowTags(repository: Repository, after = ''): AsyncGenerator<RowTag> {
    for await (const { file, etag, rules } of this.rows(repository))
      if (compareByBytes(file, after) > 0) yield { file, etag, rules };
  }

  async *repositories(): AsyncGenerator<Repository> {
    for (const [repository, { rows, run, adopted }] of [...this.#repositories]) {
      if (rows.size > 0 || run > 0 || adopted) yield repository;
    }
  }

  async takeRun(repository: Repository): Promise<number> {
    const stored = this.#of(repository);
    stored.run += 1;
    return stored.run;
  }

  async lastRun(repository: Repository): Promise<number> {
    return this.#repositories.get(repository)?.run ?? 0;
  }

  async state(repository: Repository): Promise<RepositoryState> {
    const { adopted = false, heldBack } = this.#repositories.get(repository) ?? {};
    return { isAdopted: adopted, heldBack };
  }

  async markAdopted(repository: Repository): Promise<void> {
    this.#of(repository).adopted = true;
  }

  async forget(repository: Repository): Promise<void> {
    this.#of(repository).adopted = false;
    this.#of(repository).heldBack = undefined;
  }

  async setHeldBack(repository: Repository, heldBack: HeldBack | undefined): Promise<void> {
    this.#of(repository).heldBack = heldBack;
  }

  async requestSummary(repository: Repository): Promise<void> {
    this.#onChange(repository, undefined);
  }

  async retry(repository: Repository): Promise<Retry | undefined> {
    return this.#retries.get(repository);
  }

  async setRetry(repository: Repository, retry: Retry | undefined): Promise<void> {
    if (retry === undefined) this.#retries.delete(repository);
    else this.#retries.set(repository, retry);
  }

  #of(repository: Repository): Stored {
    const stored = this.#repositories.get(repository) ?? {
      rows: new Map(),
      run: 0,
      adopted: false,
      heldBack: undefined,
    };
    this.#repositories.set(repository, stored);
    return stored;
  }
}

/** So that neither side can change what the other holds. */
function copyOf(row: Row): Row {
  return row.record === undefined ? { ...row } : { ...row, record: Uint8Array.from(row.record) };
}
