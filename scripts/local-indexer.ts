/**
 * The indexer on one machine: the composition of the steps with a directory, SQLite and a queue in memory. What lambda.ts is to
 * AWS, this is to `index` and `serve`.
 */

import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DirectoryObjects } from '../functions/adapters/directory-objects.ts';
import { type DeadLetter, MemoryHints } from '../functions/adapters/memory-hints.ts';
import { SqliteRecords } from '../functions/adapters/sqlite-records.ts';
import { SystemClock } from '../functions/adapters/system-clock.ts';
import { type Extraction, extract } from '../functions/extract.ts';
import { splitKey } from '../functions/keys.ts';
import type { Hint, HintQueue, ObjectKey, Repository } from '../functions/ports.ts';
import { type ReindexOptions, type ReindexResult, reindex } from '../functions/reindex.ts';
import { type Publication, summarize } from '../functions/summarize.ts';
import type { IndexFormatName } from '../functions/summary/index-formats.ts';
import { type DirectoryLock, lockDirectory } from './directory-lock.ts';
import { CannotRun, systemErrorSentence } from './exit.ts';

export interface LocalIndexerOptions {
  readonly directory: string;
  /** Where the table is kept; by default `.indexer` in the directory. */
  readonly stateDirectory?: string | undefined;
  readonly formats: readonly IndexFormatName[];
  readonly events: LocalIndexerEvents;
}

/** What happens, for whoever shows it. */
export interface LocalIndexerEvents {
  /** A row may have changed: the repository's index is to be summarized. */
  readonly onChange: (repository: Repository) => void;
  readonly onExtracted?: (key: ObjectKey, extraction: Extraction) => void;
  /** A key could not be looked at, after `tries` tries. */
  readonly onFailed?: (key: ObjectKey, error: unknown, tries: number) => void;
  readonly onDeadLetter?: (letter: DeadLetter) => void;
  /** Something that the person should know, in a sentence. */
  readonly onNotice: (sentence: string) => void;
}

const clock = new SystemClock();

export class LocalIndexer {
  readonly directory: string;
  readonly objects: DirectoryObjects;
  readonly records: SqliteRecords;
  readonly hints: MemoryHints;
  readonly #lock: DirectoryLock;
  readonly #formats: readonly IndexFormatName[];

  /** @throws {CannotRun} where the directory is missing, not writable, or kept by another indexer. */
  static async open(options: LocalIndexerOptions): Promise<LocalIndexer> {
    const directory = resolve(options.directory);
    const stateDirectory = resolve(options.stateDirectory ?? defaultStateDirectory(directory));
    await checkDirectory(directory);
    try {
      await mkdir(stateDirectory, { recursive: true });
    } catch (error) {
      throw new CannotRun(
        systemErrorSentence(error, `the state directory ${stateDirectory} cannot be made (--state puts it elsewhere)`),
      );
    }
    const lock = lockDirectory(stateDirectory, directory);
    try {
      const indexer = new LocalIndexer(options, directory, stateDirectory, lock);
      await indexer.#clearAway();
      return indexer;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  private constructor(options: LocalIndexerOptions, directory: string, stateDirectory: string, lock: DirectoryLock) {
    const { events, formats } = options;
    this.directory = directory;
    this.#lock = lock;
    this.#formats = formats;
    this.objects = new DirectoryObjects({
      root: directory,
      stateDirectory,
      onSkipped: (path, reason) => {
        if (reason === 'name is not UTF-8')
          events.onNotice(`left out ${Buffer.from(path).toString('latin1')}: its ${reason}; rename it`);
      },
    });
    const opened = SqliteRecords.open({ file: tableFile(stateDirectory), onChange: events.onChange });
    this.records = opened.table;
    if (opened.rebuilt)
      events.onNotice(
        `the table was ${opened.because}: a new one is made from the directory (the old one: ${opened.setAside})`,
      );
    this.hints = new MemoryHints({
      clock,
      work: async ({ key, force = false }: Hint) => {
        const extraction = await extract({ objects: this.objects, records: this.records, clock }, key, { force });
        // A package that vanished before it had a row changes nothing in the table, and yet a first publication may wait for it.
        const isAbsent = extraction.outcome === 'unchanged' && extraction.row === undefined;
        if (isAbsent) events.onChange(splitKey(key).repository);
        events.onExtracted?.(key, extraction);
      },
      onError: ({ key }, error, tries) => events.onFailed?.(key, error, tries),
      ...(events.onDeadLetter ? { onDeadLetter: events.onDeadLetter } : {}),
    });
  }

  /** Compares the directory with the table; hints go to the queue, or to `hints`. */
  async reindex(options: ReindexOptions = {}, hints: HintQueue = this.hints): Promise<ReindexResult> {
    return await reindex({ objects: this.objects, records: this.records, hints }, options);
  }

  async summarize(repository: Repository): Promise<Publication> {
    const ports = { objects: this.objects, records: this.records, clock };
    return await summarize(ports, repository, { formats: this.#formats });
  }

  /** Finishes what is in the queue, and lets the directory go. */
  async close(): Promise<void> {
    await this.hints.close();
    this.release();
  }

  /** Lets the directory go without waiting for anything. */
  release(): void {
    this.records.close();
    this.#lock.release();
  }

  /** A process that was killed in the middle of a put leaves a temporary file. */
  async #clearAway(): Promise<void> {
    try {
      await this.objects.removeTemporaryFiles();
    } catch (error) {
      throw new CannotRun(systemErrorSentence(error, (error as NodeJS.ErrnoException).path ?? this.directory));
    }
  }
}

export function defaultStateDirectory(directory: string): string {
  return join(directory, '.indexer');
}

export function tableFile(stateDirectory: string): string {
  return join(stateDirectory, 'records.sqlite');
}

async function checkDirectory(directory: string): Promise<void> {
  try {
    const facts = await stat(directory);
    if (!facts.isDirectory()) throw new CannotRun(`${directory}: expected a directory, found a file`);
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof CannotRun) throw error;
    throw new CannotRun(systemErrorSentence(error, directory));
  }
}
