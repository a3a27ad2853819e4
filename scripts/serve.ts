/** `serve DIR`: the indexer and a web server on one machine. A package lands in the directory; seconds later pkgin sees it. */

import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AsyncSubscription } from '@parcel/watcher';
import { Debouncer } from '../functions/adapters/debouncer.ts';
import { DirectoryLost } from '../functions/adapters/directory-objects.ts';
import { SystemClock } from '../functions/adapters/system-clock.ts';
import type { Extraction } from '../functions/extract.ts';
import { joinKey, splitKey } from '../functions/keys.ts';
import { localLimits } from '../functions/limits.ts';
import type { Changes, HintQueue, ObjectKey, Repository } from '../functions/ports.ts';
import { type IndexFormatName, indexFormats } from '../functions/summary/index-formats.ts';
import { CannotRun, type ExitCode, exitCodes, failureSentence, systemErrorSentence } from './exit.ts';
import { LocalIndexer, type Loss } from './local-indexer.ts';
import { repositoryStatuses } from './repository-status.ts';
import { firstPage } from './serve/first-page.ts';
import { CannotListen, createHttpServer, type HttpServer } from './serve/http-server.ts';
import type { UploadReceiver } from './serve/uploads.ts';
import { watchDirectory } from './watch-directory.ts';
import { byteSize, count, printable, repositoryName } from './wording.ts';

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly formats: readonly IndexFormatName[];
  readonly state?: string;
  /** Make the directory, with a page that says what to do, where it is missing. */
  readonly create?: boolean;
  readonly uploadToken?: string;
  /** Bytes. */
  readonly uploadMax?: number;
  /** Seconds of quiet before a repository's index is replaced. */
  readonly debounce: number;
}

const clock = new SystemClock();

/** Until it is asked to stop. Where it loses its directory or its table, it begins anew as soon as it can. */
export async function serve(directory: string, options: ServeOptions): Promise<ExitCode> {
  outliveTheLog();
  const stop = stopSignal();
  if (options.create) await createDirectory(directory);
  let service = await started(directory, options);
  for (;;) {
    const ended = await service.untilEnd(stop);
    say(endings[ended].replace('DIRECTORY', directory));
    await service.stop();
    if (ended === 'asked') return exitCodes.done;
    const again = await startedAgain(directory, { ...options, port: service.port }, stop);
    if (again === 'asked') return exitCodes.done;
    service = again;
  }
}

const endings: Readonly<Record<'asked' | ServiceLoss, string>> = {
  asked: 'stopping: what is under way is finished first (Ctrl-C again does not wait)',
  directory: 'DIRECTORY is gone, or is another one: beginning anew with what is there',
  state: 'table or lock of DIRECTORY were removed: beginning anew, from the packages that are there',
  table: 'the table of DIRECTORY is damaged: beginning anew, from the packages that are there',
  watch: 'DIRECTORY is not watched any more: beginning anew with what is there',
};

/** A pipe whose reader ended, a disk that is full: the repository is served on, and its log goes on when it can. */
function outliveTheLog(): void {
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error').on('error', () => {});
}

/** Aborts at the first Ctrl-C; the second one does not wait for anything. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  return stop.signal;
}

async function started(directory: string, options: ServeOptions): Promise<Service> {
  const service = await Service.open(directory, options);
  try {
    await service.start();
    return service;
  } catch (error) {
    await service.stop();
    throw error;
  }
}

/** The directory may be mounted again, or the disk have room again, at any time. */
async function startedAgain(directory: string, options: ServeOptions, stop: AbortSignal): Promise<Service | 'asked'> {
  let said: string | undefined;
  while (!stop.aborted) {
    try {
      return await started(directory, options);
    } catch (error) {
      said = sayTriedAgain(error, said);
    }
    await clock.sleep(localLimits.lossMilliseconds, stop);
  }
  return 'asked';
}

async function createDirectory(directory: string): Promise<void> {
  const isThere = await access(directory).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  try {
    await mkdir(join(directory, 'All'), { recursive: true });
    await writeFile(join(directory, 'README.txt'), firstPage);
  } catch (error) {
    throw new CannotRun(systemErrorSentence(error, directory));
  }
}

/** What a service cannot go on without. */
type ServiceLoss = Loss | 'watch';

/** The pieces, and the order in which they start and stop. */
class Service {
  readonly #options: ServeOptions;
  readonly #indexer: LocalIndexer;
  readonly #publications: Debouncer;
  /** Directories that came or went, by their prefix. */
  readonly #trees: Debouncer;
  /** Everything, for what the watch did not tell. */
  readonly #unseen: Debouncer;
  readonly #server: HttpServer;
  readonly #startedAt = clock.now();
  #watch: AsyncSubscription | undefined;
  #reindexing: NodeJS.Timeout | undefined;
  #retrying: NodeJS.Timeout | undefined;
  readonly #looks = new Set<NodeJS.Timeout>();
  #isStopping = false;
  #loss: ServiceLoss | undefined;
  #port: number;

  static async open(directory: string, options: ServeOptions): Promise<Service> {
    let publications: Debouncer | undefined;
    let service: Service | undefined;
    const indexer = await LocalIndexer.open({
      directory,
      stateDirectory: options.state,
      formats: options.formats,
      events: {
        onChange: (repository, file) => publications?.touch(repository, file),
        onExtracted: sayExtracted,
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
    publications = new Debouncer({
      clock,
      limits: {
        ...localLimits,
        debounceQuietMilliseconds: 1000 * options.debounce,
        debounceMilliseconds: 10_000 * options.debounce,
      },
      work: async (repository, changes) => {
        if (service?.isLost) return;
        await publish(indexer, repository, changes);
        service?.lookAgainAtIndexes(repository);
      },
      onError: (repository, error, failures) => {
        if (failures === 1)
          sayFailure(`the index of ${printable(repositoryName(repository))} cannot be published`, error);
      },
    });
    try {
      service = new Service(options, indexer, publications);
      return service;
    } catch (error) {
      indexer.release();
      throw error instanceof CannotListen ? new CannotRun(error.message) : error;
    }
  }

  private constructor(options: ServeOptions, indexer: LocalIndexer, publications: Debouncer) {
    this.#options = options;
    this.#port = options.port;
    this.#indexer = indexer;
    this.#publications = publications;
    this.#trees = new Debouncer({
      clock,
      limits: { ...localLimits, debounceQuietMilliseconds: localLimits.settleMilliseconds },
      work: async (prefix) => {
        if (!this.isLost) await indexer.reindex({ prefix }, this.#settled);
      },
      onError: (prefix, error, failures) => {
        if (failures === 1) sayFailure(`${printable(prefix || 'the directory')} cannot be looked through`, error);
      },
    });
    this.#unseen = new Debouncer({
      clock,
      limits: {
        ...localLimits,
        debounceQuietMilliseconds: localLimits.unseenQuietMilliseconds,
        debounceMilliseconds: localLimits.unseenMilliseconds,
      },
      work: async () => {
        if (!this.isLost) await indexer.reindex({ onlyPackages: true }, this.#settled);
      },
      onError: (_, error, failures) => {
        if (failures === 1) sayFailure('the directory cannot be looked through', error);
      },
    });
    this.#server = createHttpServer({
      root: indexer.directory,
      host: options.host,
      ...(options.uploadToken === undefined ? {} : { uploadToken: options.uploadToken }),
      ...(options.uploadMax === undefined ? {} : { limits: { uploadBytesMax: options.uploadMax } }),
      uploads: this.#uploads(),
      status: () => this.#status(),
      log: say,
    });
  }

  /** A file may still be copied: it is read once nothing has been heard of it for a while. */
  readonly #settled: HintQueue = {
    send: async (hints) => await this.#indexer.hints.sendAfter(hints, localLimits.settleMilliseconds),
  };

  /** The server first: the index that is there serves from the start. The watch before the comparison: so nothing is missed. */
  async start(): Promise<void> {
    const { port, host } = await this.#listen();
    const { directory, stateDirectory } = this.#indexer;
    this.#watch = await watchDirectory(directory, stateDirectory, {
      onPackage: (key) => void this.#settled.send([{ key }]).catch(sayUnseen),
      onIndex: (key) => void this.#lookAtIndex(key).catch(sayUnseen),
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
    const repositories = (await repositoryStatuses(this.#indexer.objects, this.#indexer.records)).map(
      ({ repository }) => repository,
    );
    const shown = repositories.length === 0 ? ['All'] : repositories.slice(0, 5);
    say(`serving ${this.#indexer.directory} on ${url}/`);
    say('for pkgin, put into its repositories.conf:');
    for (const repository of shown)
      say(`  ${url}/${joinKey(repository, '').split('/').map(encodeURIComponent).join('/')}`.replace(/\/$/, ''));
    say(`to upload:  curl -T PACKAGE.tgz ${url}/${joinKey(shown[0] ?? '', '')}    to stop: Ctrl-C`);
  }

  #uploads(): UploadReceiver {
    const { objects, hints } = this.#indexer;
    return {
      receive: async (key, body, options) => {
        const received = await objects.receive(key, body, options);
        if (received.outcome !== 'exists') {
          await hints.send([{ key }]);
          this.#lookAgain(() => hints.send([{ key }]));
        }
        return received;
      },
      remove: async (key) => {
        const isThere = (await objects.head(key)) !== undefined;
        await objects.delete(key);
        if (isThere) await hints.send([{ key }]);
        return isThere;
      },
    };
  }

  /** A file of ours that is removed again before the watch has told of it would be in no event: see watch-directory.ts. */
  #lookAgain(look: () => Promise<void>): void {
    if (this.#isStopping) return;
    const timer = setTimeout(() => {
      this.#looks.delete(timer);
      void look().catch(sayUnseen);
    }, localLimits.watchMilliseconds);
    this.#looks.add(timer);
  }

  lookAgainAtIndexes(repository: Repository): void {
    for (const { name, file } of indexFormats) {
      if (this.#options.formats.includes(name)) this.#lookAgain(() => this.#lookAtIndex(joinKey(repository, file)));
    }
  }

  /** Ours are left alone; one that somebody else put in its place, or removed, is published again. */
  async #lookAtIndex(key: ObjectKey): Promise<void> {
    const head = await this.#indexer.objects.head(key);
    if (head === undefined || Object.keys(head.metadata).length === 0)
      this.#publications.touch(splitKey(key).repository);
  }

  async #status(): Promise<unknown> {
    const { hints, objects, records } = this.#indexer;
    const { deadLetters, pending } = hints;
    return {
      startedAt: this.#startedAt,
      queue: {
        pending,
        publications: this.#publications.pending,
        deadLetters: deadLetters.map(({ hint, message, tries, at }) => ({ key: hint.key, message, tries, at })),
      },
      repositories: await repositoryStatuses(objects, records),
    };
  }
}

async function publish(indexer: LocalIndexer, repository: Repository, changes: Changes): Promise<void> {
  const name = printable(repositoryName(repository));
  const publication = await indexer.summarize(repository, changes);
  if (publication.outcome === 'published') {
    const { summary, bytes } = publication;
    say(`published ${name}: ${count(summary.records, 'package')}, ${byteSize(bytes)}`);
  } else if (publication.outcome === 'waiting') {
    say(`${name}: the index that is there is kept until ${count(publication.missing, 'more package')} could be read`);
  }
}

function sayExtracted(key: ObjectKey, extraction: Extraction): void {
  const name = printable(key);
  if (extraction.outcome === 'removed') say(`removed ${name}`);
  if (extraction.outcome !== 'written') return;
  const { row } = extraction;
  if (row.state === 'rejected') say(`rejected ${name}: ${row.reason.code}: ${printable(row.reason.message)}`);
  else say(`indexed ${name}${row.warnings.length === 0 ? '' : ` (${row.warnings.join(', ')})`}`);
}

/** The next comparison of directory and table makes it good. */
function sayUnseen(error: unknown): void {
  sayFailure('a change could not be looked at', error);
}

/**
 * Says what the machine is to blame for, unless that was said the last time.
 * @returns what is said by now.
 * @throws a mistake of the program's own.
 */
function sayTriedAgain(error: unknown, said: string | undefined): string {
  const sentence = failureSentence(error);
  if (sentence === undefined) throw error;
  if (sentence !== said) say(`${sentence}; it is tried again`);
  return sentence;
}

/** The loss of the directory is told by itself, and not once more of each package in it. */
function sayFailure(what: string, error: unknown): void {
  if (!(error instanceof DirectoryLost)) say(`${systemErrorSentence(error, what)}; it is tried again`);
}

function say(line: string): void {
  console.log(line);
}
