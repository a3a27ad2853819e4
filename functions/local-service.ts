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
import { isInUse, repositoryStatus } from './check/repository-status.ts';
import {
  comparedLine,
  deadLetterLine,
  extractedLine,
  failureLine,
  type Greeted,
  greeting,
  publicationLine,
} from './console-messages.ts';
import { CannotRun, failureSentence } from './failures.ts';
import type { IndexFormatName } from './index/index-formats.ts';
import { isIndexKey, isPackageKey, joinKey, splitKey } from './keys.ts';
import { LocalIndexer } from './local.ts';
import type { Clock, ObjectKey, Repository } from './ports.ts';
import type { Activity } from './server/activity.ts';
import { CannotListen, createHttpServer, type HttpServer, type ListeningAddress } from './server/http-server.ts';
import { listeningUrl } from './server/public-url.ts';
import type { RetryRequest, ServiceStatus } from './server/service-status.ts';
import { type KnownRepository, servedRepository, serviceStatus } from './server/service-status-of.ts';
import { StatusCache } from './server/status-cache.ts';
import { TimeSlices } from './server/time-slices.ts';
import { verdictOn } from './verdict.ts';
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
  /** Seconds without a change before a repository is published. */
  readonly debounce: number;
  /** Seconds without a change before a file is read. */
  readonly settle: number;
  /** Seconds between comparisons of everything, instead of a watch. */
  readonly poll?: number;
}

export interface ServiceSurroundings {
  /** Prints a line. */
  readonly log: (line: string) => void;
  readonly clock?: Clock;
  readonly watch?: WatchDirectory;
  /** How the directory is read. */
  readonly calls?: FileCalls;
}

export class Service {
  readonly #options: ServiceOptions;
  readonly #activity: Activity;
  readonly #clock: Clock;
  readonly #log: (line: string) => void;
  readonly #indexer: LocalIndexer<OpenedDirectory>;
  readonly #server: HttpServer;
  readonly #watchDirectory: WatchDirectory;
  readonly #comparisons = new Comparisons();
  /** Runs them. Its only key is `''`. */
  readonly #comparing: Debouncer;
  readonly #statuses: StatusCache<KnownRepository>;
  readonly #stopping = new AbortController();
  #watch: DirectoryWatch | undefined;
  #loss: Loss | undefined;
  #port: number;

  /**
   * @param activity of the process: it outlives a service that is restarted.
   * @throws {CannotRun}
   */
  static async open(
    directory: string,
    options: ServiceOptions,
    activity: Activity,
    surroundings: ServiceSurroundings,
  ): Promise<Service> {
    const { formats, page, debounce, settle, state } = options;
    const { log, clock = new SystemClock(), calls } = surroundings;
    // The indexer has nothing to report before it is started.
    let service: Service | undefined;
    const say = (line: string | undefined) => line !== undefined && log(line);
    const indexer = await LocalIndexer.open(
      { directory, stateDirectory: state, calls },
      {
        formats,
        page,
        debounce,
        settle,
        clock,
        events: {
          onNotice: log,
          onChanged: (repository) => service?.onChanged(repository),
          onUploaded: (key) => service?.onUploaded(key),
          onRemoved: (key) => activity.heard(key),
          onExtracted: (key, extraction) => {
            say(extractedLine(key, extraction));
            activity.extracted(key, extraction);
          },
          onExtractFailed: (key, error, tries) => {
            if (tries === 1) service?.reportFailure(`cannot read ${key}`, error);
          },
          onDeadLetter: (letter) => {
            if (!(letter.error instanceof DirectoryLost))
              log(deadLetterLine(letter, serviceLimits.deadLetterMilliseconds));
          },
          onSummarized: (repository, publication, startedAt) => {
            say(publicationLine(repository, publication));
            activity.summarized(repository, publication, startedAt);
          },
          onSummarizeFailed: (repository, error, failures) => {
            if (failures === 1)
              service?.reportFailure(`cannot publish the index of ${repositoryName(repository)}`, error);
          },
        },
      },
    );
    try {
      service = new Service(options, indexer, activity, surroundings);
      return service;
    } catch (error) {
      indexer.stores.discard();
      await indexer.close();
      throw error instanceof CannotListen ? new CannotRun(error.message) : error;
    }
  }

  private constructor(
    options: ServiceOptions,
    indexer: LocalIndexer<OpenedDirectory>,
    activity: Activity,
    { log, clock = new SystemClock(), watch = watchDirectory }: ServiceSurroundings,
  ) {
    this.#options = options;
    this.#activity = activity;
    this.#clock = clock;
    this.#watchDirectory = watch;
    this.#log = log;
    this.#indexer = indexer;
    this.#port = options.port;
    this.#comparing = new Debouncer({
      clock,
      limits: {
        ...debouncerLimits,
        quietMilliseconds: serviceLimits.comparisonQuietMilliseconds,
        waitMillisecondsMax: serviceLimits.comparisonWaitMillisecondsMax,
      },
      work: () =>
        this.#comparisons.run(async (prefix, what) => {
          if (!this.isLost) await indexer.compare(prefix, what);
        }),
      onError: (_, error, failures) => {
        if (failures === 1) this.reportFailure('cannot compare the directory with the table', error);
      },
    });
    this.#statuses = new StatusCache(async (repository) => {
      const { objects, records } = indexer.stores;
      const slices = new TimeSlices(this.#stopping.signal);
      const status = await repositoryStatus(objects, records, repository, slices.pause);
      return isInUse(status) ? servedRepository(status, clock.now()) : undefined;
    });
    this.#server = createHttpServer({
      root: indexer.stores.directory,
      host: options.host,
      ...(options.publicUrl === undefined ? {} : { publicUrl: options.publicUrl }),
      ...(options.uploadToken === undefined ? {} : { uploadToken: options.uploadToken }),
      localUploads: options.localUploads ?? false,
      ...(options.uploadMax === undefined ? {} : { limits: { uploadBytesMax: options.uploadMax } }),
      uploads: indexer,
      overwrite: options.overwrite ?? true,
      findRejection: verdictOn,
      operations: { status: () => this.#status(), retry: (request) => this.#retry(request) },
      log,
    });
  }

  /** The server first: it can serve the existing index. The watch before the comparison: so no change is missed. */
  async start(): Promise<void> {
    const address = await this.#listen();
    const { directory } = this.#indexer.stores;
    const { poll } = this.#options;
    this.#watch = await this.#watchDirectory(
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
        onNotice: (sentence) => this.#log(printable(sentence)),
      },
      {
        clock: this.#clock,
        ...(poll === undefined ? {} : { pollMilliseconds: 1_000 * poll }),
      },
    );
    const { packages, repositories, hints } = await this.#indexer.reindex();
    this.#log(comparedLine(directory, packages, repositories, hints));
    this.#repeat(serviceLimits.comparisonMilliseconds, () => this.#compareAll());
    this.#repeat(serviceLimits.deadLetterMilliseconds, () => this.#indexer.hints.retryDeadLetters());
    const greeted = {
      directory,
      listening: listeningUrl(address),
      url: address.url,
      repositories: await this.#greetedRepositories(),
      uploads: this.#uploadsBy(address.isLoopback),
    };
    for (const line of greeting(greeted)) this.#log(line);
  }

  /** That the server listens on. */
  get port(): number {
    return this.#port;
  }

  get isLost(): boolean {
    return this.#loss !== undefined;
  }

  onChanged(repository: Repository): void {
    this.#statuses.changed(repository);
  }

  onUploaded(key: ObjectKey): void {
    this.#activity.uploaded(key);
  }

  /** The loss of the directory is reported once, and not for every package in it. */
  reportFailure(what: string, error: unknown): void {
    if (!(error instanceof DirectoryLost)) this.#log(failureLine(what, error));
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
    if (this.isLost) this.#indexer.abandon();
    this.#stopping.abort();
    await this.#watch?.close();
    await this.#server.close();
    await this.#comparing.close();
    await this.#indexer.close();
  }

  async #listen(): Promise<ListeningAddress> {
    try {
      const address = await this.#server.listen(this.#options.port);
      this.#port = address.port;
      return address;
    } catch (error) {
      this.#indexer.stores.discard();
      if (error instanceof CannotListen) throw new CannotRun(error.message);
      throw error;
    }
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
    if (!this.isLost) this.#attempt(async () => void (await this.#indexer.reindex()));
  }

  #repeat(milliseconds: number, work: () => void): void {
    const { signal } = this.#stopping;
    void this.#clock.sleep(milliseconds, signal).then(() => {
      if (signal.aborted) return;
      work();
      this.#repeat(milliseconds, work);
    });
  }

  /** What fails here is made good by the next comparison. */
  #attempt(work: () => Promise<void>): void {
    void work().catch((error: unknown) => this.reportFailure('cannot process a change', error));
  }

  /** @returns what is reported by now. @throws an error that is the program's own. */
  #reportOnce(error: unknown, reported: string | undefined): string {
    const sentence = failureSentence(error);
    if (sentence === undefined) throw error;
    if (sentence !== reported) this.#log(`${sentence}; will retry`);
    return sentence;
  }

  #uploadsBy(isLoopback: boolean): Greeted['uploads'] {
    const { uploadToken, localUploads = false } = this.#options;
    if (uploadToken !== undefined) return 'token';
    if (!localUploads) return 'off';
    return isLoopback ? 'local' : 'not-loopback';
  }

  async #greetedRepositories(): Promise<Repository[]> {
    const repositories: Repository[] = [];
    for (const repository of this.#statuses.repositories) {
      if (repositories.length === serviceLimits.greetedRepositoriesMax) break;
      if (await this.#hasFiles(repository)) repositories.push(repository);
    }
    return repositories;
  }

  /** The table may know a repository that was removed. */
  async #hasFiles(repository: Repository): Promise<boolean> {
    for await (const { key } of this.#indexer.stores.objects.list(joinKey(repository, '')))
      if (splitKey(key).repository === repository && (isPackageKey(key) || isIndexKey(key))) return true;
    return false;
  }

  async #status(): Promise<ServiceStatus> {
    const repositories = await this.#statuses.all();
    const { hints, publications } = this.#indexer;
    const queue = { pending: hints.pending, publications: publications.pending, deadLetters: hints.deadLetters };
    return serviceStatus(this.#activity, queue, this.#watch?.polled ?? [], repositories, this.#clock.now());
  }

  /** @returns how many packages are read again. */
  async #retry(request: RetryRequest): Promise<number> {
    const keys = 'key' in request ? [request.key] : await this.#failedKeys();
    await this.#indexer.send(keys.map((key) => ({ key, force: true })));
    return keys.length;
  }

  /** Packages that are rejected, pending or dead letters. */
  async #failedKeys(): Promise<ObjectKey[]> {
    const repositories = await this.#statuses.all();
    const keys = repositories.flatMap(({ repository, rejected, pending }) => [
      ...rejected.map(({ file }) => joinKey(repository, file)),
      ...pending,
    ]);
    return [...new Set([...keys, ...this.#indexer.hints.deadLetters.map(({ hint }) => hint.key)])];
  }
}
