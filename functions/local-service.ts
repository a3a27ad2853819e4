/** The indexer and a web server over one directory: the pieces, and the order in which they start and stop. */

import type { AsyncSubscription } from '@parcel/watcher';
import { Debouncer } from './adapters/local/debouncer.ts';
import { localLimits } from './adapters/local/limits.ts';
import { watchDirectory } from './adapters/local/watch-directory.ts';
import { SystemClock } from './adapters/system-clock.ts';
import {
  reportMissedChange,
  say,
  sayExtracted,
  sayFailure,
  sayPublication,
  sayTriedAgain,
} from './console-messages.ts';
import { CannotRun, systemErrorSentence } from './failures.ts';
import { type IndexFormatName, indexFormats } from './index/index-formats.ts';
import { isIndexKey, isPackageKey, joinKey, splitKey } from './keys.ts';
import { LocalIndexer, type Loss } from './local.ts';
import type { Changes, Hint, HintQueue, ObjectKey, Repository } from './ports.ts';
import type { Activity } from './server/activity.ts';
import { findingsNews } from './server/findings-news.ts';
import { CannotListen, createHttpServer, type HttpServer } from './server/http-server.ts';
import type { RetryRequest, ServiceStatus } from './server/service-status.ts';
import { serviceStatus } from './server/service-status-of.ts';
import type { UploadReceiver } from './server/site.ts';
import { statusLimits } from './server/status-limits.ts';
import { SurveyThread } from './server/survey-thread.ts';
import { Surveys } from './server/surveys.ts';
import { count, printable, repositoryName } from './wording.ts';

export interface ServiceOptions {
  readonly host: string;
  readonly port: number;
  readonly formats: readonly IndexFormatName[];
  /** Whether to put a package browser into every repository. */
  readonly page: boolean;
  readonly state?: string;
  readonly uploadToken?: string;
  /** Bytes. */
  readonly uploadMax?: number;
  /** Seconds of quiet before a repository's index is replaced. */
  readonly debounce: number;
}

/** What a service cannot go on without. */
export type ServiceLoss = Loss | 'watch';

const clock = new SystemClock();

export class Service {
  readonly #options: ServiceOptions;
  readonly #activity: Activity;
  readonly #indexer: LocalIndexer;
  readonly #publications: Debouncer;
  /** Directories that came or went, by their prefix. */
  readonly #trees: Debouncer;
  /** Everything, for what the watch did not tell. */
  readonly #unseen: Debouncer;
  readonly #surveyThread: SurveyThread;
  readonly #surveys: Surveys;
  /** Repositories that were published, and are to be surveyed once they are quiet. */
  readonly #surveying: Debouncer;
  readonly #server: HttpServer;
  #watch: AsyncSubscription | undefined;
  #reindexing: NodeJS.Timeout | undefined;
  #retrying: NodeJS.Timeout | undefined;
  readonly #looks = new Set<NodeJS.Timeout>();
  #isStopping = false;
  #loss: ServiceLoss | undefined;
  #port: number;

  /** @param activity of the process: it goes on where a service is replaced by another one. */
  static async open(directory: string, options: ServiceOptions, activity: Activity): Promise<Service> {
    let service: Service | undefined;
    const indexer = await LocalIndexer.open({
      directory,
      stateDirectory: options.state,
      formats: options.formats,
      page: options.page,
      events: {
        onChange: (repository, file) => service?.onChange(repository, file),
        onExtracted: (key, extraction) => {
          sayExtracted(key, extraction);
          activity.extracted(key, extraction);
          service?.onLookedAt(key);
        },
        onFailed: (key, error, tries) => {
          if (tries === 1) sayFailure(`${printable(key)}: cannot be read`, error);
        },
        onDeadLetter: ({ hint, error, tries }) => {
          const seconds = localLimits.deadLetterMilliseconds / 1000;
          say(
            `${printable(systemErrorSentence(error, `${hint.key} failed ${count(tries, 'time')}`))}; from now on it is tried every ${seconds} seconds`,
          );
        },
        onNotice: say,
      },
    });
    try {
      service = new Service(options, indexer, activity);
      return service;
    } catch (error) {
      indexer.release();
      throw error instanceof CannotListen ? new CannotRun(error.message) : error;
    }
  }

  private constructor(options: ServiceOptions, indexer: LocalIndexer, activity: Activity) {
    const { directory, stateDirectory } = indexer;
    this.#options = options;
    this.#port = options.port;
    this.#indexer = indexer;
    this.#activity = activity;
    this.#publications = this.#debouncer(
      { quiet: 1000 * options.debounce, longest: 10_000 * options.debounce },
      (repository, changes) => this.#publish(repository, changes),
      (repository) => `the index of ${printable(repositoryName(repository))} cannot be published`,
    );
    this.#trees = this.#debouncer(
      { quiet: localLimits.settleMilliseconds, longest: localLimits.debounceMilliseconds },
      async (prefix) => void (await indexer.reindex({ prefix }, this.#settled)),
      (prefix) => `${printable(prefix || 'the directory')} cannot be looked through`,
    );
    this.#unseen = this.#debouncer(
      { quiet: localLimits.unseenQuietMilliseconds, longest: localLimits.unseenMilliseconds },
      async () => void (await indexer.reindex({ onlyPackages: true }, this.#settled)),
      () => 'the directory cannot be looked through',
    );
    this.#surveying = this.#debouncer(
      { quiet: statusLimits.surveyQuietMilliseconds, longest: statusLimits.surveyMilliseconds },
      (repository) => this.#survey(repository),
      (repository) => `${printable(repositoryName(repository))} cannot be checked`,
    );
    this.#surveyThread = new SurveyThread({ directory, stateDirectory });
    this.#surveys = new Surveys({
      clock,
      survey: (repository) => this.#surveyThread.survey(repository),
      onReport: (repository, report, before) => {
        const news = report === undefined ? undefined : findingsNews(report, before);
        if (news !== undefined) say(`${printable(repositoryName(repository))}: ${news}`);
      },
    });
    this.#server = createHttpServer({
      root: directory,
      host: options.host,
      ...(options.uploadToken === undefined ? {} : { uploadToken: options.uploadToken }),
      ...(options.uploadMax === undefined ? {} : { limits: { uploadBytesMax: options.uploadMax } }),
      uploads: this.#uploads(),
      operations: { status: () => this.#status(), retry: (wanted) => this.#retry(wanted) },
      log: say,
    });
  }

  /** Whatever is lost is not worked on. A failure is told once, and not again before it has worked. */
  #debouncer(
    milliseconds: { readonly quiet: number; readonly longest: number },
    work: (key: string, changes: Changes) => Promise<void>,
    whatFailed: (key: string) => string,
  ): Debouncer {
    return new Debouncer({
      clock,
      limits: {
        ...localLimits,
        debounceQuietMilliseconds: milliseconds.quiet,
        debounceMilliseconds: milliseconds.longest,
      },
      work: async (key, changes) => {
        if (!this.isLost) await work(key, changes);
      },
      onError: (key, error, failures) => {
        if (failures === 1) sayFailure(whatFailed(key), error);
      },
    });
  }

  /** A file may still be copied: it is read once nothing has been heard of it for a while. */
  readonly #settled: HintQueue = {
    send: async (hints) => {
      await this.#indexer.hints.sendAfter(hints, localLimits.settleMilliseconds);
      for (const { key } of hints) this.#surveys.changed(splitKey(key).repository);
    },
  };

  /** The server first: the index that is there serves from the start. The watch before the comparison: so nothing is missed. */
  async start(): Promise<void> {
    const { port, host } = await this.#listen();
    const { directory, stateDirectory } = this.#indexer;
    this.#watch = await watchDirectory(directory, stateDirectory, {
      onPackage: (key) => {
        this.#activity.heard(key);
        void this.#settled.send([{ key }]).catch(reportMissedChange);
      },
      onIndex: (key) => void this.#lookAtIndex(key).catch(reportMissedChange),
      onTree: (prefix) => {
        // Told late, of a look that took longer than everything that was under way: the next start looks at all of it.
        if (!this.#isStopping) this.#trees.touch(prefix);
      },
      onBatch: () => {
        if (!this.#isStopping) this.#unseen.touch('');
      },
      onEnd: (error) => {
        say(`the watch of ${directory} failed: ${error.message}`);
        this.#loss = 'watch';
      },
    });
    const { packages, repositories, hints } = await this.#indexer.reindex({}, this.#settled);
    const differ = hints === 0 ? 'all of them known' : `${count(hints, 'difference')} to look at`;
    say(
      `${this.#indexer.directory}: ${count(packages, 'package')} in ${count(repositories, 'repository', 'repositories')}, ${differ}`,
    );
    this.#reindexing = setInterval(() => this.#trees.touch(''), localLimits.reindexMilliseconds);
    this.#retrying = setInterval(() => this.#indexer.hints.retryDeadLetters(), localLimits.deadLetterMilliseconds);
    await this.#greet(`http://${host}:${port}`);
  }

  /** Of the server: the one that was asked for, or one that was free. */
  get port(): number {
    return this.#port;
  }

  get isLost(): boolean {
    return this.#loss !== undefined;
  }

  /** The row of a file changed, or anything in the repository. */
  onChange(repository: Repository, file: string | undefined): void {
    this.#publications.touch(repository, file);
    this.#surveys.changed(repository);
  }

  /** Whatever the key's row says now, it is not pending any more. */
  onLookedAt(key: ObjectKey): void {
    this.#surveys.changed(splitKey(key).repository);
  }

  /**
   * Resolves when the process is asked to stop, or nothing can be done here any more. A place that cannot even be looked at (the
   * disk fails, a directory above was closed to this user) is not lost: what can be served is served on.
   */
  async untilEnd(stop: AbortSignal): Promise<'asked' | ServiceLoss> {
    let said: string | undefined;
    while (!stop.aborted) {
      try {
        this.#loss ??= await this.#indexer.loss();
        said = undefined;
      } catch (error) {
        said = sayTriedAgain(error, said);
      }
      if (this.#loss !== undefined) return this.#loss;
      await clock.sleep(localLimits.lossMilliseconds, stop);
    }
    return 'asked';
  }

  /** Finishes what is under way, publishes it, and lets the directory go; after a loss, only the latter. */
  async stop(): Promise<void> {
    if (this.isLost) this.#indexer.abandon();
    this.#isStopping = true;
    clearInterval(this.#reindexing);
    clearInterval(this.#retrying);
    for (const timer of this.#looks) clearTimeout(timer);
    await this.#watch?.unsubscribe();
    await this.#server.close();
    await Promise.all([this.#trees.close(), this.#unseen.close()]);
    await this.#indexer.hints.close();
    await this.#publications.close();
    await this.#surveyThread.close();
    await this.#surveying.close();
    this.#indexer.release();
  }

  async #listen(): Promise<{ readonly port: number; readonly host: string }> {
    try {
      const { port, address, family } = await this.#server.listen(this.#options.port);
      this.#port = port;
      return { port, host: family === 'IPv6' ? `[${address}]` : address };
    } catch (error) {
      if (error instanceof CannotListen) throw new CannotRun(error.message);
      throw error;
    }
  }

  async #greet(url: string): Promise<void> {
    const repositories: Repository[] = [];
    for (const repository of this.#surveys.repositories)
      if (repositories.length < shownMax && (await this.#isThere(repository))) repositories.push(repository);
    const shown = repositories.length === 0 ? ['All'] : repositories;
    say(`serving ${this.#indexer.directory} on ${url}/`);
    say('for pkgin, put into its repositories.conf:');
    for (const repository of shown)
      say(`  ${url}/${joinKey(repository, '').split('/').map(encodeURIComponent).join('/')}`.replace(/\/$/, ''));
    say(`to upload:  curl -T PACKAGE.tgz ${url}/${joinKey(shown[0] ?? '', '')}    to stop: Ctrl-C`);
    say(`what is going on:  ${url}/-/`);
  }

  /** The table may remember one of which nothing is left. */
  async #isThere(repository: Repository): Promise<boolean> {
    for await (const { key } of this.#indexer.objects.list(joinKey(repository, '')))
      if (splitKey(key).repository === repository && (isPackageKey(key) || isIndexKey(key))) return true;
    return false;
  }

  #uploads(): UploadReceiver {
    const { objects } = this.#indexer;
    return {
      receive: async (key, body, options) => {
        const received = await objects.receive(key, body, options);
        if (received.outcome !== 'exists') {
          this.#activity.uploaded(key);
          await this.#send([{ key }]);
          this.#lookAgain(() => this.#send([{ key }]));
        }
        return received;
      },
      remove: async (key) => {
        const isThere = (await objects.head(key)) !== undefined;
        await objects.delete(key);
        if (isThere) {
          this.#activity.heard(key);
          await this.#send([{ key }]);
        }
        return isThere;
      },
    };
  }

  async #send(hints: readonly Hint[]): Promise<void> {
    await this.#indexer.hints.send(hints);
    for (const { key } of hints) this.#surveys.changed(splitKey(key).repository);
  }

  async #publish(repository: Repository, changes: Changes): Promise<void> {
    const begunAt = clock.now();
    const publication = await this.#indexer.summarize(repository, changes);
    sayPublication(repository, publication);
    this.#activity.summarized(repository, publication, begunAt);
    this.#surveys.changed(repository);
    if (!this.#isStopping) this.#surveying.touch(repository);
    for (const { name, file } of indexFormats) {
      if (this.#options.formats.includes(name)) this.#lookAgain(() => this.#lookAtIndex(joinKey(repository, file)));
    }
  }

  /** For whoever looks later, and for what its report has to tell. */
  async #survey(repository: Repository): Promise<void> {
    try {
      if (!this.#isStopping) await this.#surveys.of(repository);
    } catch (error) {
      if (!this.#isStopping) throw error;
    }
  }

  /** A file of ours that is removed again before the watch has told of it would be in no event: see watch-directory.ts. */
  #lookAgain(look: () => Promise<void>): void {
    if (this.#isStopping) return;
    const timer = setTimeout(() => {
      this.#looks.delete(timer);
      void look().catch(reportMissedChange);
    }, localLimits.watchMilliseconds);
    this.#looks.add(timer);
  }

  /** Ours are left alone; one that somebody else put in its place, or removed, is published again. */
  async #lookAtIndex(key: ObjectKey): Promise<void> {
    const head = await this.#indexer.objects.head(key);
    if (head === undefined || Object.keys(head.metadata).length === 0)
      this.#publications.touch(splitKey(key).repository);
  }

  async #status(): Promise<ServiceStatus> {
    const { pending, deadLetters } = this.#indexer.hints;
    const surveys = await this.#surveys.all();
    const queue = { pending, publications: this.#publications.pending, deadLetters };
    return serviceStatus(this.#activity, queue, surveys, clock.now());
  }

  /** @returns how many packages are looked at again. */
  async #retry(wanted: RetryRequest): Promise<number> {
    const keys = 'key' in wanted ? [wanted.key] : await this.#failedKeys();
    await this.#send(keys.map((key) => ({ key, force: true })));
    return keys.length;
  }

  /** Of packages that are not in their index as they are. */
  async #failedKeys(): Promise<ObjectKey[]> {
    const surveys = await this.#surveys.all();
    const keys = surveys.flatMap(({ status: { repository, rejected, pending } }) => [
      ...rejected.map(({ file }) => joinKey(repository, file)),
      ...pending,
    ]);
    return [...new Set([...keys, ...this.#indexer.hints.deadLetters.map(({ hint }) => hint.key)])];
  }
}

/** Repositories that the greeting names. */
const shownMax = 5;
