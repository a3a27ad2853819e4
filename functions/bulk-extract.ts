/** Extracts packages of a directory one after the other, as fast as one thread can, and hands over their rows. */

import { DirectoryObjects } from './adapters/local/directory-objects.ts';
import { syncCalls } from './adapters/local/file-calls.ts';
import { hintLimits, MemoryHints } from './adapters/local/memory-hints.ts';
import type { OpenedObject } from './adapters/local/opened-object.ts';
import { SentRows } from './adapters/local/sent-rows.ts';
import { Settling } from './adapters/local/settling.ts';
import { type RowChange, SqliteRecords } from './adapters/local/sqlite-records.ts';
import { SystemClock } from './adapters/system-clock.ts';
import { extract } from './extract.ts';
import { systemErrorSentence } from './failures.ts';
import { packageLimits } from './package/limits.ts';
import type { Hint, ObjectKey } from './ports.ts';
import type { Rules } from './record/rules.ts';

export interface BulkWork {
  /** All paths are absolute. */
  readonly directory: string;
  readonly stateDirectory: string;
  readonly followsLinks?: boolean;
  /** The table with rows of before; undefined where there are none. */
  readonly table: string | undefined;
  readonly rules: Rules;
  readonly settleMilliseconds: number;
}

/** What became of some hints. */
export interface Extracted {
  readonly hints: number;
  /** To be written. */
  readonly changes: readonly RowChange[];
  readonly rejected: readonly { readonly key: ObjectKey; readonly code: string; readonly message: string }[];
  /** Files that are still being written. */
  readonly leftOut: readonly ObjectKey[];
  /** A sentence for each key that could not be read. */
  readonly failed: readonly string[];
}

export class BulkExtract {
  readonly #work: BulkWork;
  readonly #clock = new SystemClock();
  readonly #settling: Settling;
  readonly #objects: DirectoryObjects;
  readonly #table: SqliteRecords | undefined;
  readonly #records: SentRows;
  readonly #queue: MemoryHints;
  /** For the heads of all packages, one after the other. */
  readonly #buffer = Buffer.allocUnsafeSlow(packageLimits.firstRangeBytes * packageLimits.rangeGrowthFactor);
  readonly #rejected: Extracted['rejected'][number][] = [];
  readonly #leftOut: ObjectKey[] = [];
  readonly #failed: string[] = [];

  /** @throws where the table cannot be read. */
  constructor(work: BulkWork) {
    const { directory, stateDirectory, table: file, followsLinks, settleMilliseconds } = work;
    this.#work = work;
    this.#settling = new Settling({ clock: this.#clock, settleMilliseconds });
    this.#objects = new DirectoryObjects({ root: directory, stateDirectory, followsLinks, calls: syncCalls });
    this.#table = file === undefined ? undefined : SqliteRecords.open({ file, readOnly: true }).table;
    this.#records = new SentRows(this.#table);
    this.#queue = new MemoryHints({
      clock: this.#clock,
      limits: { ...hintLimits, hintsConcurrentMax: 1 },
      work: (hint) => this.#follow(hint),
      onDeadLetter: ({ hint, error }) => this.#failed.push(systemErrorSentence(error, `cannot index ${hint.key}`)),
    });
  }

  /**
   * Nothing else happens in this thread meanwhile.
   * @returns also the buffer of all records.
   */
  async follow(hints: readonly Hint[]): Promise<{ readonly extracted: Extracted; readonly buffer: ArrayBuffer }> {
    await this.#queue.send(hints);
    await this.#queue.idle();
    const { changes, buffer } = this.#records.take();
    const [rejected, leftOut, failed] = [this.#rejected.splice(0), this.#leftOut.splice(0), this.#failed.splice(0)];
    return { extracted: { hints: hints.length, changes, rejected, leftOut, failed }, buffer };
  }

  close(): void {
    this.#table?.close();
  }

  async #follow(hint: Hint): Promise<void> {
    const objects = this.#objects.openedObject(hint.key, this.#buffer);
    try {
      const wait = await this.#settling.millisecondsLeft(hint.key, () => objects.settlingFile());
      if (wait === 0) await this.#extract(objects, hint);
      else this.#leftOut.push(hint.key);
    } finally {
      await objects.close();
    }
  }

  async #extract(objects: OpenedObject, { key, force = false }: Hint): Promise<void> {
    const ports = { objects, records: this.#records, clock: this.#clock };
    const extraction = await extract(ports, key, { force, rules: this.#work.rules });
    const row = extraction.outcome === 'removed' ? undefined : extraction.row;
    if (row?.state === 'rejected') this.#rejected.push({ key, ...row.reason });
  }
}
