/** Answers `/-/status`, `/-/metrics` and `/-/retry` on one machine, and what the front page shows. */

import type { DirectoryWatch } from './adapters/local/watch-directory.ts';
import { sumOf } from './check/findings.ts';
import { isInUse, repositoryStatus } from './check/repository-status.ts';
import { joinKey } from './keys.ts';
import type { LocalIndexer } from './local.ts';
import { type CountedRepository, countRepository, findPackages } from './local-overview.ts';
import type { Clock, ObjectKey, Repository } from './ports.ts';
import type { ReceivedEvents } from './received-events.ts';
import type { Activity } from './server/activity.ts';
import type { RepositoryOverview } from './server/overview.ts';
import type { RetryRequest, ServiceStatus } from './server/service-status.ts';
import { type KnownRepository, servedRepository, serviceStatus } from './server/service-status-of.ts';
import type { FoundPackage, MetricsText, Operations } from './server/site.ts';
import { StatusCache } from './server/status-cache.ts';
import { TimeSlices } from './server/time-slices.ts';

export interface LocalOperationsOptions {
  readonly indexer: LocalIndexer;
  readonly activity: Activity;
  readonly clock: Clock;
  /** Ends a status in the making. */
  readonly stop: AbortSignal;
}

export class LocalOperations implements Operations {
  /** Set once the directory is watched. */
  watch: Pick<DirectoryWatch, 'polled'> | undefined;
  /** Set where events from elsewhere are permitted. */
  events: ReceivedEvents | undefined;
  readonly #indexer: LocalIndexer;
  readonly #activity: Activity;
  readonly #clock: Clock;
  readonly #statuses: StatusCache<KnownRepository>;
  readonly #counted: StatusCache<CountedRepository>;

  constructor({ indexer, activity, clock, stop }: LocalOperationsOptions) {
    this.#indexer = indexer;
    this.#activity = activity;
    this.#clock = clock;
    this.#statuses = new StatusCache(async (repository) => {
      const { objects, records } = indexer.stores;
      const status = await repositoryStatus(objects, records, repository, new TimeSlices(stop).pause);
      return isInUse(status) ? servedRepository(status, clock.now()) : undefined;
    });
    this.#counted = new StatusCache((repository) => countRepository(indexer.stores, repository));
  }

  /** The files, the rows or the index of this repository changed. */
  changed(repository: Repository): void {
    this.#statuses.changed(repository);
    this.#counted.changed(repository);
  }

  /** Every repository that has changed, sorted. Some may be empty. */
  get repositories(): readonly Repository[] {
    return this.#statuses.repositories;
  }

  async status(): Promise<ServiceStatus> {
    const repositories = await this.#statuses.all();
    const { abilities } = this.#indexer.stores;
    return {
      ...serviceStatus(this.#activity, this.#queue, this.watch?.polled ?? [], repositories, this.#clock.now()),
      ...(abilities === undefined ? {} : { store: abilities }),
      ...(this.events === undefined ? {} : { events: this.events.counts }),
    };
  }

  async overview(): Promise<readonly RepositoryOverview[]> {
    const counted = await this.#counted.all();
    return counted.map((each) => {
      const { findings } = this.#statuses.latest(each.repository) ?? {};
      return { ...each, findings: findings ? sumOf(findings) : undefined };
    });
  }

  async search(text: string): Promise<{ readonly found: readonly FoundPackage[]; readonly isAll: boolean }> {
    return await findPackages(this.#indexer.stores, text);
  }

  async metrics(): Promise<MetricsText> {
    const { counts, metrics } = this.#activity;
    const { deadLetters, ...queue } = this.#queue;
    return await metrics.text({
      ...queue,
      counts,
      deadLetters: deadLetters.length,
      repositories: await this.overview(),
    });
  }

  get #queue() {
    const { hints, publications } = this.#indexer;
    return { pending: hints.pending, publications: publications.pending, deadLetters: hints.deadLetters };
  }

  /** @returns how many packages are read again. */
  async retry(request: RetryRequest): Promise<number> {
    const keys = 'key' in request ? [request.key] : await this.#failedKeys();
    await this.#indexer.send(keys.map((key) => ({ key, force: true })));
    return keys.length;
  }

  async adopt(repository: Repository): Promise<boolean> {
    return await this.#indexer.confirm(repository);
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
