/**
 * The indexer on one machine: the composition of the steps with a directory, SQLite and a queue in memory. What lambda.ts is to
 * AWS, this is to `index` and `serve`.
 */

import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type DirectoryLock, lockDirectory } from './adapters/local/directory-lock.ts';
import { DirectoryObjects } from './adapters/local/directory-objects.ts';
import type { FileCalls } from './adapters/local/file-calls.ts';
import { type DeadLetter, MemoryHints } from './adapters/local/memory-hints.ts';
import type { SqliteRecords } from './adapters/local/sqlite-records.ts';
import { defaultStateDirectory, openTable, tableFile } from './adapters/local/state-directory.ts';
import { packagesPage } from './adapters/pages.ts';
import { SystemClock } from './adapters/system-clock.ts';
import { type Extraction, extract } from './extract.ts';
import { CannotRun, systemErrorSentence } from './failures.ts';
import type { IndexFormatName } from './index/index-formats.ts';
import { joinKey } from './keys.ts';
import { PageTemplate, pageFile } from './page/page.ts';
import type { Changes, Hint, HintQueue, ObjectKey, OnChange, Repository } from './ports.ts';
import { type ReindexOptions, type ReindexResult, reindex } from './reindex.ts';
import { type Publication, summarize } from './summarize.ts';
import { printable } from './wording.ts';

export interface LocalIndexerOptions {
  readonly directory: string;
  /** Where the table is kept; by default `.indexer` in the directory. */
  readonly stateDirectory?: string | undefined;
  readonly formats: readonly IndexFormatName[];
  /** Whether to put a package browser, index.html, into every repository. */
  readonly page: boolean;
  /** How the directory is read; waiting unless told otherwise. */
  readonly calls?: FileCalls;
  readonly events: LocalIndexerEvents;
}

/** What happens, for whoever shows it. */
interface LocalIndexerEvents {
  /** A row may have changed: the repository's index is to be summarized. */
  readonly onChange: OnChange;
  readonly onExtracted?: (key: ObjectKey, extraction: Extraction) => void;
  /** A key could not be looked at, after `tries` tries. */
  readonly onFailed?: (key: ObjectKey, error: unknown, tries: number) => void;
  readonly onDeadLetter?: (letter: DeadLetter) => void;
  /** Something that the person should know, in a sentence. */
  readonly onNotice: (sentence: string) => void;
}

/** What an indexer cannot work without. */
export type Loss =
  /** The directory is gone, or another one is in its place. */
  | 'directory'
  /** Table or lock were removed. */
  | 'state'
  /** The table is damaged. */
  | 'table';

const clock = new SystemClock();

export class LocalIndexer {
  readonly directory: string;
  readonly stateDirectory: string;
  readonly objects: DirectoryObjects;
  readonly records: SqliteRecords;
  readonly hints: MemoryHints;
  readonly #lock: DirectoryLock;
  readonly #formats: readonly IndexFormatName[];
  readonly #page: PageTemplate | undefined;
  readonly #noticeOnce: (sentence: string) => void;
  #isTableDamaged = false;
  #isAbandoned = false;

  /** @throws {CannotRun} where the directory is missing, not writable, or kept by another indexer. */
  static async open(options: LocalIndexerOptions): Promise<LocalIndexer> {
    const directory = resolve(options.directory);
    const stateDirectory = resolve(options.stateDirectory ?? defaultStateDirectory(directory));
    await checkDirectory(directory);
    try {
      // Not with the directories above it: a missing one is a mistake, and below /proc Node would try for ever.
      await mkdir(stateDirectory);
    } catch (error) {
      if (!(await isDirectory(stateDirectory)))
        throw new CannotRun(
          systemErrorSentence(
            error,
            `the state directory ${stateDirectory} cannot be made (--state puts it elsewhere)`,
          ),
        );
    }
    const lock = lockDirectory(stateDirectory, directory);
    try {
      const page = options.page ? new PageTemplate(await packagesPage()) : undefined;
      const indexer = new LocalIndexer({ ...options, page }, directory, stateDirectory, lock);
      await indexer.#clearAway();
      return indexer;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  private constructor(
    options: Omit<LocalIndexerOptions, 'page'> & { readonly page: PageTemplate | undefined },
    directory: string,
    stateDirectory: string,
    lock: DirectoryLock,
  ) {
    const { events, formats, page } = options;
    const noticeOnce = once(events.onNotice);
    this.#noticeOnce = noticeOnce;
    this.directory = directory;
    this.stateDirectory = stateDirectory;
    this.#lock = lock;
    this.#formats = formats;
    this.#page = page;
    this.objects = new DirectoryObjects({
      root: directory,
      stateDirectory,
      ...(options.calls ? { calls: options.calls } : {}),
      onSkipped: (path, reason) => {
        const name = printable(Buffer.from(path).toString('latin1'));
        if (reason === 'name is not UTF-8') noticeOnce(`left out ${name}: its ${reason}; rename it`);
        if (reason === 'permission is denied')
          noticeOnce(`left out ${name}: ${reason}; let this user read it if packages are in it`);
      },
    });
    const opened = openTable({
      file: tableFile(stateDirectory),
      onChange: events.onChange,
      onDamage: () => {
        this.#isTableDamaged = true;
      },
    });
    this.records = opened.table;
    if (opened.rebuilt)
      events.onNotice(
        `the table was ${opened.because}: a new one is made from the directory (the old one: ${opened.setAside})`,
      );
    this.hints = new MemoryHints({
      clock,
      work: async ({ key, force = false }: Hint) => {
        if (this.#isAbandoned) return;
        const extraction = await extract({ objects: this.objects, records: this.records, clock }, key, { force });
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

  async summarize(repository: Repository, changes: Changes): Promise<Publication> {
    const ports = { objects: this.objects, records: this.records, clock };
    const publication = await summarize(ports, repository, { formats: this.#formats, page: this.#page, changes });
    const page = joinKey(repository, pageFile);
    if ('page' in publication && publication.page === 'foreign')
      this.#noticeOnce(
        `${printable(page)} is left alone, because it is not ours; remove it if you want a package browser there`,
      );
    return publication;
  }

  /** What makes this indexer useless, if anything does: then it is to be abandoned, closed, and a new one opened. */
  async loss(): Promise<Loss | undefined> {
    if (!(await this.objects.isInPlace())) return 'directory';
    if (this.#isTableDamaged) return 'table';
    return this.records.isInPlace && this.#lock.isHeld ? undefined : 'state';
  }

  /** What is still in the queue is done without anything being done: it is about a directory, or a table, that is not there. */
  abandon(): void {
    this.#isAbandoned = true;
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

/** A directory is listed again and again; what is told about it is told once. */
function once(tell: (sentence: string) => void): (sentence: string) => void {
  const told = new Set<string>();
  return (sentence) => {
    if (!told.has(sentence)) tell(sentence);
    told.add(sentence);
  };
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

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
}
