/**
 * `serve`: the composition of local.ts, with a watch of its directory and a web server.
 *
 *     watch ─┬─ onFile ───────────────────────────▶ indexer ◀── receive, remove ── server
 *            └─ onDirectory, onTree ─▶ comparisons ─▶┘
 */

import { Comparisons } from './adapters/local/comparisons.ts';
import { Debouncer, debouncerLimits } from './adapters/local/debouncer.ts';
import { DirectoryLost } from './adapters/local/directory-tree.ts';
import type { FileCalls } from './adapters/local/file-calls.ts';
import type { Loss, OpenedDirectory } from './adapters/local/opened-directory.ts';
import { type DirectoryWatch, type WatchDirectory, watchDirectory } from './adapters/local/watch-directory.ts';
import { SystemClock } from './adapters/system-clock.ts';
import {
  comparedLine,
  deadLetterLine,
  extractedLine,
  failureLine,
  greeting,
  mixtureLine,
  publicationLine,
} from './console-messages.ts';
import { CannotRun, failureSentence } from './failures.ts';
import type { IndexFormatName } from './index/index-formats.ts';
import { isIndexKey, isPackageKey, joinKey } from './keys.ts';
import { LocalIndexer, type LocalIndexerEvents } from './local.ts';
import { LocalOperations } from './local-operations.ts';
import type { AnsweredRequest, Log, LogLevel } from './log.ts';
import type { Clock, ObjectKey, Repository } from './ports.ts';
import type { Activity } from './server/activity.ts';
import { CannotListen, createHttpServer, type HttpServer, type ListeningAddress } from './server/http-server.ts';
import { listeningUrl } from './server/public-url.ts';
import type { ViewPermissions } from './server/site.ts';
import { printable, repositoryName } from './wording.ts';

export const serviceLimits = {
  /** How often everything is compared: some file systems report no changes, and any may lose some. */
  comparisonMilliseconds: 600_000,
  /** How often dead letters are retried: their cause is gone soon, or stays for days. */
  deadLetterMilliseconds: 15_000,
  /** How often the directory, the table and the lock are checked to be the ones that were opened. */
  lossMilliseconds: 1_000,
  /** Directories are compared once no other one was reported for this long: a copied tree reports many … */
  comparisonQuietMilliseconds: 200,
  /** … but at the latest this long after the first. */
  comparisonWaitMillisecondsMax: 1_000,
  /** Repositories that the greeting names. */
  greetedRepositoriesMax: 5,
} as const;

export interface ServiceOptions {
  readonly host: string;
  readonly port: number;
  readonly formats: readonly IndexFormatName[];
  /** Whether to put a package browser into every repository. */
  readonly page: boolean;
  /** Prefixes of MACHINE_ARCH that are accepted; by default any. */
  readonly arch?: readonly string[];
  readonly state?: string;
  /** Where clients find the server; by default its address. */
  readonly publicUrl?: string;
  readonly uploadToken?: string;
  /** Whether an upload may replace a package: by default it may. */
  readonly overwrite?: boolean;
  /** Permits uploads from this machine; it has no effect with a token. */
  readonly localUploads?: boolean;
  /** Bytes. */
  readonly uploadMax?: number;
  /** Who may see what the server is doing; by default everybody who reaches it. */
  readonly views?: Partial<ViewPermissions>;
  /** Seconds without a change before a repository is published. */
  readonly debounce: number;
  /** Seconds without a change before a file is read. */
  readonly settle: number;
  /** Seconds between comparisons of everything, instead of a watch. */
  readonly poll?: number;
}

export interface ServiceSurroundings {
  readonly log: Log;
  /** Prints how to use the server; by default into the log. */
  readonly greet?: (line: string) => void;
  readonly onAnswered?: (request: AnsweredRequest) => void;
  readonly clock?: Clock;
  readonly watch?: WatchDirectory;
  /** How the directory is read. */
  readonly calls?: FileCalls;
}

export class Service {
  readonly #activity: Activity;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #indexer: LocalIndexer<OpenedDirectory>;
  readonly #operations: LocalOperations;
  readonly #server: HttpServer;
  readonly #comparisons = new Comparisons();
  /** Runs them. Its only key is `''`. */
  readonly #comparing: Debouncer;
  readonly #stopping: AbortController;
  #watch: DirectoryWatch | undefined;
  #loss: Loss | undefined;
  /** That the server listens on. */
  readonly port: number;

  /**
   * The server first: it can serve the existing index. The watch before the comparison: so no change is missed.
   * @param activity of the process: it outlives a service that is restarted.
   * @throws {CannotRun}
   */
  static async start(
    directory: string,
    options: ServiceOptions,
    activity: Activity,
    surroundings: ServiceSurroundings,
  ): Promise<Service> {
    const { log, clock = new SystemClock(), calls } = surroundings;
    const { formats, page, arch = [], debounce, settle, state } = options;
    const stopping = new AbortController();
    // Nothing changes, and so nothing is reported, before there are operations.
    const events = { ...reportedEvents(log, activity), onChanged: (name: Repository) => operations.changed(name) };
    const indexer = await LocalIndexer.open(
      { directory, stateDirectory: state, calls },
      { formats, page, rules: { architectures: arch }, debounce, settle, clock, events },
    );
    const operations: LocalOperations = new LocalOperations({ indexer, activity, clock, stop: stopping.signal });
    const { server, address } = await listen(indexer, operations, options, surroundings).catch(
      async (error: unknown) => {
        indexer.stores.discard();
        await indexer.close();
        throw error instanceof CannotListen ? new CannotRun(error.message) : error;
      },
    );
    const parts = { activity, clock, log, indexer, operations, server, stopping };
    const service = new Service(parts, address.port);
    try {
      await service.#follow(surroundings.watch ?? watchDirectory, options.poll);
      await service.#greet(address, options, surroundings.greet ?? log);
      return service;
    } catch (error) {
      await service.stop();
      throw error;
    }
  }

  private constructor({ activity, clock, log, indexer, operations, server, stopping }: ServiceParts, port: number) {
    this.#activity = activity;
    this.#clock = clock;
    this.#log = log;
    this.#indexer = indexer;
    this.#operations = operations;
    this.#server = server;
    this.#stopping = stopping;
    this.port = port;
    this.#comparing = new Debouncer({
      clock,
      limits: {
        ...debouncerLimits,
        quietMilliseconds: serviceLimits.comparisonQuietMilliseconds,
        waitMillisecondsMax: serviceLimits.comparisonWaitMillisecondsMax,
      },
      work: () =>
        this.#comparisons.run(async (prefix, what) => {
          if (!this.#isLost) await indexer.compare(prefix, what);
        }),
      onError: (_, error, failures) => {
        if (failures === 1) reportFailure(log, 'cannot compare the directory with the table', error);
      },
    });
  }

  /**
   * Resolves when the process is asked to stop, or when something is lost. Where the directory cannot even be checked (a disk fails,
   * a parent directory was closed to this user) nothing is lost: the service serves what it can.
   */
  async untilEnd(stop: AbortSignal): Promise<'asked' | Loss> {
    let reported: string | undefined;
    while (!stop.aborted) {
      try {
        this.#loss ??= await this.#indexer.stores.loss();
        reported = undefined;
      } catch (error) {
        reported = this.#reportOnce(error, reported);
      }
      if (this.#loss !== undefined) return this.#loss;
      await this.#clock.sleep(serviceLimits.lossMilliseconds, stop);
    }
    return 'asked';
  }

  /** Finishes the work in progress, publishes it, and releases the directory; after a loss, only the last. */
  async stop(): Promise<void> {
    if (this.#isLost) this.#indexer.abandon();
    this.#stopping.abort();
    await this.#watch?.close();
    await this.#server.close();
    await this.#comparing.close();
    await this.#indexer.close();
  }

  async #follow(watch: WatchDirectory, poll: number | undefined): Promise<void> {
    const { directory } = this.#indexer.stores;
    this.#watch = await watch(
      directory,
      {
        onFile: (key) => this.#onFile(key),
        onDirectory: (prefix) => {
          this.#comparisons.addDirectory(prefix);
          this.#compareSoon();
        },
        onTree: (prefix) => {
          this.#comparisons.addTree(prefix);
          this.#compareSoon();
        },
        onNotice: (sentence) => this.#log(printable(sentence), 'warn'),
      },
      { clock: this.#clock, ...(poll === undefined ? {} : { pollMilliseconds: 1_000 * poll }) },
    );
    this.#operations.watch = this.#watch;
    const { packages, repositories, hints } = await this.#indexer.reindex();
    this.#log(comparedLine(directory, packages, repositories, hints));
    this.#repeat(serviceLimits.comparisonMilliseconds, () => this.#compareAll());
    this.#repeat(serviceLimits.deadLetterMilliseconds, () => this.#indexer.hints.retryDeadLetters());
  }

  get #isLost(): boolean {
    return this.#loss !== undefined;
  }

  #onFile(key: ObjectKey): void {
    if (isPackageKey(key)) {
      this.#activity.heard(key);
      this.#attempt(() => this.#indexer.fileChanged(key));
    } else if (isIndexKey(key)) this.#attempt(() => this.#indexer.checkIndex(key));
  }

  /** A change that is reported while the service stops is found by the next start. */
  #compareSoon(): void {
    if (!this.#stopping.signal.aborted) this.#comparing.touch('');
  }

  #compareAll(): void {
    if (!this.#isLost) this.#attempt(async () => void (await this.#indexer.reindex()));
  }

  #repeat(milliseconds: number, work: () => void): void {
    const { signal } = this.#stopping;
    void this.#clock.sleep(milliseconds, signal).then(() => {
      if (signal.aborted) return;
      work();
      this.#repeat(milliseconds, work);
    });
  }

  /** The next comparison makes up for what fails here. */
  #attempt(work: () => Promise<void>): void {
    void work().catch((error: unknown) => reportFailure(this.#log, 'cannot process a change', error));
  }

  /** @returns what has been reported. @throws an error that is a bug of ours. */
  #reportOnce(error: unknown, reported: string | undefined): string {
    const sentence = failureSentence(error);
    if (sentence === undefined) throw error;
    if (sentence !== reported) this.#log(`${sentence}; will retry`, 'error');
    return sentence;
  }

  async #greet(
    address: ListeningAddress,
    { uploadToken, localUploads = false }: ServiceOptions,
    print: (line: string) => void,
  ): Promise<void> {
    const local = address.isLoopback ? 'local' : 'not-loopback';
    const lines = greeting({
      directory: this.#indexer.stores.directory,
      listening: listeningUrl(address),
      url: address.url,
      repositories: await this.#greetedRepositories(),
      uploads: uploadToken !== undefined ? 'token' : localUploads ? local : 'off',
    });
    for (const line of lines) print(line);
  }

  async #greetedRepositories(): Promise<Repository[]> {
    const repositories: Repository[] = [];
    for (const repository of this.#operations.repositories) {
      if (repositories.length === serviceLimits.greetedRepositoriesMax) break;
      if (await this.#hasFiles(repository)) repositories.push(repository);
    }
    return repositories;
  }

  /** The table may know a repository that was removed. */
  async #hasFiles(repository: Repository): Promise<boolean> {
    for await (const { key } of this.#indexer.stores.objects.listDirectory(joinKey(repository, '')))
      if (isPackageKey(key) || isIndexKey(key)) return true;
    return false;
  }
}

interface ServiceParts {
  readonly activity: Activity;
  readonly clock: Clock;
  readonly log: Log;
  readonly indexer: LocalIndexer<OpenedDirectory>;
  readonly operations: LocalOperations;
  readonly server: HttpServer;
  readonly stopping: AbortController;
}

/** @throws {CannotListen} */
async function listen(
  indexer: LocalIndexer<OpenedDirectory>,
  operations: LocalOperations,
  options: ServiceOptions,
  { log, onAnswered }: ServiceSurroundings,
): Promise<{ readonly server: HttpServer; readonly address: ListeningAddress }> {
  const { host, port, publicUrl, uploadToken, uploadMax, localUploads = false, overwrite = true, views } = options;
  const server = createHttpServer({
    root: indexer.stores.directory,
    host,
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...(uploadToken === undefined ? {} : { uploadToken }),
    localUploads,
    ...(uploadMax === undefined ? {} : { limits: { uploadBytesMax: uploadMax } }),
    uploads: indexer,
    overwrite,
    findRejection: (source, file) => indexer.findRejection(source, file),
    operations,
    ...(views === undefined ? {} : { views }),
    log,
    ...(onAnswered === undefined ? {} : { onAnswered }),
  });
  return { server, address: await server.listen(port) };
}

/** Logs and counts what the indexer does. A failure is logged once, and again only after a success. */
function reportedEvents(log: Log, activity: Activity): LocalIndexerEvents {
  const logIfAny = (line: string | undefined, level?: LogLevel) => line !== undefined && log(line, level);
  return {
    onNotice: (sentence) => log(sentence, 'warn'),
    onUploaded: (key) => activity.uploaded(key),
    onRemoved: (key) => activity.heard(key),
    onExtracted: (key, extraction) => {
      const isRejected = extraction.outcome === 'written' && extraction.row.state === 'rejected';
      logIfAny(extractedLine(key, extraction), isRejected ? 'warn' : 'info');
      activity.extracted(key, extraction);
    },
    onExtractFailed: (key, error, tries) => {
      if (tries === 1) reportFailure(log, `cannot read ${key}`, error);
    },
    onDeadLetter: (letter) => {
      if (!(letter.error instanceof DirectoryLost))
        log(deadLetterLine(letter, serviceLimits.deadLetterMilliseconds), 'error');
    },
    onSummarized: (repository, publication, startedAt) => {
      logIfAny(publicationLine(repository, publication), publication.outcome === 'waiting' ? 'warn' : 'info');
      if (publication.outcome === 'published')
        logIfAny(mixtureLine(repository, publication.summary.architectures), 'warn');
      activity.summarized(repository, publication, startedAt);
    },
    onSummarizeFailed: (repository, error, failures) => {
      if (failures === 1) reportFailure(log, `cannot publish the index of ${repositoryName(repository)}`, error);
    },
  };
}

/** The loss of the directory is reported once, and not for every package in it. */
function reportFailure(log: Log, what: string, error: unknown): void {
  if (!(error instanceof DirectoryLost)) log(failureLine(what, error), 'warn');
}
