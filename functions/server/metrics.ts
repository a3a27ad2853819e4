/** What Prometheus reads: the numbers of this process and of the repositories that it serves. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ActivityCounts } from './activity.ts';
import type { RepositoryOverview } from './overview.ts';
import type { MetricsText } from './site.ts';

export const metricsLimits = {
  /** Repositories with metrics of their own. Each is six series; a server of Prometheus takes a few thousand from one target. */
  repositoriesMax: 1_000,
} as const;

/** From a second to the hour that an adoption may take. */
const secondsBuckets = [0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 300, 900, 3_600];

export interface MetricsState {
  readonly counts: ActivityCounts;
  readonly pending: number;
  readonly publications: number;
  readonly deadLetters: number;
  readonly repositories: readonly RepositoryOverview[];
}

/** One for a process: the counts continue when the service restarts. */
export class Metrics {
  /** Our own, so that a program which embeds the server keeps its default one. */
  readonly #registry = new Registry();
  readonly #uploadToIndex: Histogram;
  readonly #publication: Histogram;
  readonly #hooks: Counter;
  readonly #totals: Readonly<Record<keyof ActivityCounts, Counter>>;
  readonly #queue: Readonly<Record<'pending' | 'publications' | 'deadLetters', Gauge>>;
  readonly #ofRepository: readonly (readonly [Gauge, (overview: RepositoryOverview) => number | undefined])[];
  #hasProcess = false;

  constructor() {
    this.#uploadToIndex = this.#histogram(
      'upload_to_index_seconds',
      'From an upload, or the first event of a file, to the publication that shows it.',
    );
    this.#publication = this.#histogram('publication_seconds', 'To build and put an index.');
    this.#totals = {
      uploads: this.#counter('uploads', 'Packages uploaded by PUT.'),
      indexed: this.#counter('indexed', 'Packages that were read, and are in the index.'),
      rejected: this.#counter('rejected', 'Packages that were read, and rejected.'),
      removed: this.#counter('removed', 'Packages that were removed.'),
      publications: this.#counter('publications', 'Indexes that were published.'),
    };
    this.#queue = {
      pending: this.#gauge('pending_packages', 'Packages that are waiting or being read.'),
      publications: this.#gauge('pending_publications', 'Repositories whose index is waiting or being published.'),
      deadLetters: this.#gauge('dead_letters', 'Packages that failed too often; retried now and then.'),
    };
    this.#hooks = this.#counter('hook_deliveries', 'Publications that a hook received, or missed.', ['outcome']);
    const ofRepository = (name: string, help: string) => this.#gauge(name, help, ['repository']);
    this.#ofRepository = [
      [ofRepository('packages', 'Packages in the index, or in the next one.'), ({ packages }) => packages],
      [ofRepository('rejected_packages', 'Packages that are rejected now.'), ({ rejected }) => rejected],
      [
        ofRepository('foreign_architecture_packages', 'Packages for other machines than most: they stop pkgin update.'),
        ({ foreignPackages }) => foreignPackages,
      ],
      [
        ofRepository('held_back', '1 if a publication is held back until it is confirmed.'),
        ({ isHeldBack }) => Number(isHeldBack),
      ],
      [ofRepository('index_bytes', 'Size of the indexes in all formats.'), ({ indexBytes }) => indexBytes],
      [
        ofRepository('last_publication_timestamp_seconds', 'When the index was last published.'),
        ({ published }) => published && published.getTime() / 1_000,
      ],
    ];
  }

  /** An index was published. @param uploadMilliseconds of each change that it was the first to show. */
  published(milliseconds: number, uploadMilliseconds: readonly number[]): void {
    this.#publication.observe(milliseconds / 1_000);
    for (const each of uploadMilliseconds) this.#uploadToIndex.observe(each / 1_000);
  }

  hookEnded(outcome: 'delivered' | 'failed'): void {
    this.#hooks.inc({ outcome });
  }

  async text({ counts, repositories, ...queue }: MetricsState): Promise<MetricsText> {
    // At the first request: watching the process's garbage collection costs time, and only this needs it.
    if (!this.#hasProcess) collectDefaultMetrics({ register: this.#registry });
    this.#hasProcess = true;
    for (const [name, counter] of entries(this.#totals)) {
      counter.reset();
      counter.inc(counts[name]);
    }
    for (const [name, gauge] of entries(this.#queue)) gauge.set(queue[name]);
    for (const [gauge, numberOf] of this.#ofRepository) {
      gauge.reset();
      for (const overview of repositories.slice(0, metricsLimits.repositoriesMax)) {
        const value = numberOf(overview);
        if (value !== undefined) gauge.set({ repository: overview.repository }, value);
      }
    }
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  #histogram(name: string, help: string): Histogram {
    return new Histogram({ ...this.#named(name, help), buckets: secondsBuckets });
  }

  #counter(name: string, help: string, labelNames: readonly string[] = []): Counter {
    return new Counter({ ...this.#named(`${name}_total`, help), labelNames });
  }

  #gauge(name: string, help: string, labelNames: readonly string[] = []): Gauge {
    return new Gauge({ ...this.#named(name, help), labelNames });
  }

  #named(name: string, help: string) {
    return { name: `pkgsrc_indexer_${name}`, help, registers: [this.#registry] };
  }
}

function entries<Name extends string, Value>(of: Readonly<Record<Name, Value>>): [Name, Value][] {
  return Object.entries(of) as [Name, Value][];
}
