/**
 * `serve`: the composition of local.ts, with a watch of its directory and a web server; `watch`: without the server.
 *
 *     watch ─┬─ onFile ───────────────────────────▶ indexer ◀── receive, remove ── server
 *            └─ onDirectory, onTree ─▶ comparisons ─▶┘
 */

import { Comparisons } from './adapters/local/comparisons.ts';
import { Debouncer, debouncerLimits } from './adapters/local/debouncer.ts';
import type { FileCalls } from './adapters/local/file-calls.ts';
import { type Hook, Hooks } from './adapters/local/hooks.ts';
import type { Loss } from './adapters/local/opened-directory.ts';
import { type RulesOptions, readRules } from './adapters/local/rules-files.ts';
import { type DirectoryWatch, type WatchDirectory, watchDirectory } from './adapters/local/watch-directory.ts';
import type { OpenedPlace } from './adapters/opened-place.ts';
import type { StoreOptions } from './adapters/store/store-address.ts';
import type { StoreObjects } from './adapters/store/store-objects.ts';
import { SystemClock } from './adapters/system-clock.ts';
import { comparedLine, greeting, watchGreeting } from './console-messages.ts';
import { CannotRun, failureSentence } from './failures.ts';
import type { IndexFormatName } from './index/index-formats.ts';
import { isIndexKey, isPackageKey, joinKey } from './keys.ts';
import { LocalIndexer } from './local.ts';
import { LocalOperations } from './local-operations.ts';
import { listen, type ServerOptions } from './local-server.ts';
import type { AnsweredRequest, Log } from './log.ts';
import type { Clock, ObjectKey, Repository } from './ports.ts';
import { ReceivedEvents } from './received-events.ts';
import type { ReindexResult } from './reindex.ts';
import type { Activity } from './server/activity.ts';
import { CannotListen, type HttpServer, type ListeningAddress } from './server/http-server.ts';
import { listeningUrl } from './server/public-url.ts';
import { reportedEvents, reportFailure } from './service-events.ts';
import { StorePolling } from './store-polling.ts';
import { printable } from './wording.ts';

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

export interface ServiceOptions extends ServerOptions, StoreOptions, RulesOptions {
  readonly formats: readonly IndexFormatName[];
  /** Whether to put a package browser into every repository. */
  readonly page: boolean;
  /** Percent of its records that any publication may drop. */
  readonly maxShrink?: number;
  /** Symbolic links in a directory count as what they lead to. */
  readonly followSymlinks?: boolean;
  readonly state?: string;
  /** Programs to tell of each publication. */
  readonly hooks?: readonly Hook[];
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
  readonly #indexer: LocalIndexer<OpenedPlace>;
  readonly #operations: LocalOperations;
  readonly #hooks: Hooks;
  readonly #server: HttpServer | undefined;
  readonly #comparisons = new Comparisons();
  /** Runs them. Its only key is `''`. */
  readonly #comparing: Debouncer;
  readonly #stopping: AbortController;
  #watch: DirectoryWatch | undefined;
  #loss: Loss | undefined;
  /** That the server listens on, if there is one. */
  readonly port: number | undefined;

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
    const { formats, page, debounce, settle, state, hooks: wanted = [] } = options;
    const stopping = new AbortController();
    const hooks = new Hooks({ hooks: wanted, clock, log, onEnded: (outcome) => activity.metrics.hookEnded(outcome) });
    // Nothing changes, and so nothing is reported, before there are operations.
    const events = {
      ...reportedEvents(log, activity, hooks, serviceLimits.deadLetterMilliseconds, askedAt(options)),
      onChanged: (name: Repository) => operations.changed(name),
    };
    const indexer = await LocalIndexer.open(
      { directory, stateDirectory: state, followsLinks: options.followSymlinks, calls, store: options, clock },
      {
        ...{ formats, page, debounce, settle, maxShrink: options.maxShrink },
        rules: await readRules(options),
        clock,
        events,
        describe: wanted.length > 0,
      },
    );
    const operations: LocalOperations = new LocalOperations({ indexer, activity, clock, stop: stopping.signal });
    const { eventsToken: token } = options;
    if (token !== undefined)
      operations.events = new ReceivedEvents({
        token,
        prefix: 'directory' in indexer.stores ? '' : indexer.stores.prefix,
        onKey: (key) => {
          activity.heard(key);
          indexer.fileChanged(key).catch((error: unknown) => reportFailure(log, 'cannot process an event', error));
        },
        onUnknown: (sentence) => log(printable(sentence), 'warn'),
      });
    const listening = await listen({ indexer, operations }, options, surroundings).catch(async (error: unknown) => {
      indexer.stores.discard();
      await indexer.close();
      throw error instanceof CannotListen ? new CannotRun(error.message) : error;
    });
    const { server, address } = listening ?? {};
    const service = new Service({ activity, clock, log, indexer, operations, hooks, server, stopping }, address?.port);
    try {
      await service.#follow(surroundings.watch ?? watchDirectory, options.poll);
      const greet = surroundings.greet ?? log;
      if (address === undefined) greet(watchGreeting(indexer.stores.name));
      else await service.#greet(address, options, greet);
      return service;
    } catch (error) {
      await service.stop();
      throw error;
    }
  }

  private constructor(
    { activity, clock, log, indexer, operations, hooks, server, stopping }: ServiceParts,
    port?: number,
  ) {
    this.#activity = activity;
    this.#clock = clock;
    this.#log = log;
    this.#indexer = indexer;
    this.#operations = operations;
    this.#hooks = hooks;
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
          // The next start compares everything.
          if (!this.#isLost && !stopping.signal.aborted) await indexer.compare(prefix, what);
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
    await this.#server?.close();
    await this.#comparing.close();
    await this.#indexer.close();
    await this.#hooks.close();
  }

  async #follow(watch: WatchDirectory, poll: number | undefined): Promise<void> {
    const { stores } = this.#indexer;
    const pollMilliseconds = poll === undefined ? undefined : 1_000 * poll;
    let compared: ReindexResult;
    if ('directory' in stores) {
      this.#watch = await this.#watchDirectory(watch, stores.directory, pollMilliseconds);
      compared = await this.#indexer.reindex();
    } else {
      const polling = this.#pollStore(stores.objects, pollMilliseconds);
      this.#watch = polling;
      compared = await polling.start();
    }
    const { packages, repositories, hints } = compared;
    this.#operations.watch = this.#watch;
    this.#log(comparedLine(stores.name, packages, repositories, hints));
    this.#repeat(serviceLimits.comparisonMilliseconds, () => this.#compareAll());
    this.#repeat(serviceLimits.deadLetterMilliseconds, () => this.#indexer.hints.retryDeadLetters());
  }

  async #watchDirectory(watch: WatchDirectory, directory: string, pollMilliseconds: number | undefined) {
    return await watch(
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
      { clock: this.#clock, pollMilliseconds },
    );
  }

  #pollStore(objects: Pick<StoreObjects, 'isOwnIndex'>, pollMilliseconds: number | undefined): StorePolling {
    let isFailing = false;
    return new StorePolling({
      indexer: this.#indexer,
      isOwnIndex: (key, etag) => objects.isOwnIndex(key, etag),
      isBusy: () => this.#indexer.hints.pending > 0,
      clock: this.#clock,
      pollMilliseconds,
      onFailed: (error) => {
        if (error !== undefined && !isFailing)
          reportFailure(this.#log, 'cannot compare the store with the table', error);
        isFailing = error !== undefined;
      },
    });
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
      directory: this.#indexer.stores.name,
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
  readonly indexer: LocalIndexer<OpenedPlace>;
  readonly operations: LocalOperations;
  readonly hooks: Hooks;
  readonly server: HttpServer | undefined;
  readonly stopping: AbortController;
}

/** Where the operator can ask the service to publish what is held back. */
function askedAt({ port, views }: ServiceOptions): 'page' | 'request' | 'none' {
  if (port === undefined) return 'none';
  return views?.operations?.who === 'nobody' ? 'request' : 'page';
}
