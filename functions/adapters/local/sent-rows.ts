import type { RecordTable, Repository, RepositoryState, Row } from '../../ports.ts';
import type { RowChange } from './sqlite-records.ts';

/**
 * What extract needs of a table, in a thread that does not write: changes of rows wait here for `take`, and another thread writes them.
 *
 * Two rules for its users. A process that dies loses what waits, though its hints were acknowledged: so it must compare everything when it
 * starts again. And a row may be written long after extract checked the object again: so no key may have two writers.
 */
export class SentRows implements Pick<RecordTable, 'row' | 'putRow' | 'deleteRow' | 'state' | 'requestSummary'> {
  readonly #before: Pick<RecordTable, 'row'> | undefined;
  #changes = new Map<string, RowChange>();

  /** @param before the rows that were there; undefined: none. */
  constructor(before: Pick<RecordTable, 'row'> | undefined) {
    this.#before = before;
  }

  async row(repository: Repository, file: string): Promise<Row | undefined> {
    const change = this.#changes.get(`${repository}/${file}`);
    return change === undefined ? await this.#before?.row(repository, file) : change.row;
  }

  async putRow(row: Row): Promise<void> {
    const { repository, file } = row;
    this.#changes.set(`${repository}/${file}`, { repository, file, row });
  }

  async deleteRow(repository: Repository, file: string): Promise<void> {
    this.#changes.set(`${repository}/${file}`, { repository, file, row: undefined });
  }

  /** The thread that writes the rows requests summaries, too. */
  async state(): Promise<RepositoryState> {
    return { isAdopted: true, heldBack: undefined };
  }

  async requestSummary(): Promise<void> {}

  /** Removes all changes. Their records share one buffer, which can be transferred to another thread. */
  take(): { readonly changes: readonly RowChange[]; readonly buffer: ArrayBuffer } {
    const changes = [...this.#changes.values()];
    this.#changes = new Map();
    const bytes = new Uint8Array(changes.reduce((sum, { row }) => sum + (row?.record?.length ?? 0), 0));
    let end = 0;
    const moved = changes.map((change): RowChange => {
      const { row } = change;
      if (row?.record === undefined) return change;
      const record = bytes.subarray(end, end + row.record.length);
      record.set(row.record);
      end += record.length;
      return { ...change, row: { ...row, record } };
    });
    return { changes: moved, buffer: bytes.buffer };
  }
}
