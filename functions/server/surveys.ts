/**
 * What is known of every repository, found out again only where something changed: the status of a repository takes a look at all
 * of its files and rows.
 *
 *     changed ─▶ out of date ── asked for ─▶ being surveyed ─▶ up to date
 *                    ▲                             │
 *                    └──────── changed meanwhile ──┘   (whoever asked before that change has an answer all the same)
 */

import type { ConsistencyReport } from '../check/consistency.ts';
import { isInUse, type RepositoryStatus } from '../check/repository-status.ts';
import type { Clock, Repository } from '../ports.ts';

export interface Survey {
  readonly status: RepositoryStatus;
  readonly at: Date;
}

export interface SurveysOptions {
  readonly clock: Clock;
  /** Looks the repository through. */
  readonly survey: (repository: Repository) => Promise<RepositoryStatus>;
  /** Told of each report, and of the one before it. */
  readonly onReport: (
    repository: Repository,
    report: ConsistencyReport | undefined,
    before: ConsistencyReport | undefined,
  ) => void;
}

interface Surveyed {
  /** How many changes there had been when the survey began. */
  readonly changes: number;
  readonly survey: Survey;
}

interface Known {
  readonly repository: Repository;
  changes: number;
  latest: Surveyed | undefined;
  underWay: Promise<Survey> | undefined;
}

export class Surveys {
  readonly #clock: Clock;
  readonly #survey: SurveysOptions['survey'];
  readonly #onReport: SurveysOptions['onReport'];
  readonly #known = new Map<Repository, Known>();

  constructor({ clock, survey, onReport }: SurveysOptions) {
    this.#clock = clock;
    this.#survey = survey;
    this.#onReport = onReport;
  }

  /** Something happened in the repository: what was found out before may not hold any more. */
  changed(repository: Repository): void {
    const known = this.#known.get(repository);
    if (known === undefined)
      this.#known.set(repository, { repository, changes: 1, latest: undefined, underWay: undefined });
    else known.changes += 1;
  }

  /** Sorted. One where nothing is any more may still be among them. */
  get repositories(): Repository[] {
    return [...this.#known.keys()].sort();
  }

  /** Of each repository in which there is anything, as it was at the time of this call or later. One after the other. */
  async all(): Promise<Survey[]> {
    const surveys: Survey[] = [];
    for (const repository of this.repositories) {
      const survey = await this.of(repository);
      if (survey !== undefined) surveys.push(survey);
    }
    return surveys;
  }

  /** Undefined where there is nothing. */
  async of(repository: Repository): Promise<Survey | undefined> {
    const known = this.#known.get(repository);
    if (known === undefined) return undefined;
    const { changes } = known;
    while (known.latest === undefined || known.latest.changes < changes) {
      known.underWay ??= this.#lookThrough(known);
      await known.underWay;
    }
    const { survey } = known.latest;
    if (isInUse(survey.status)) return survey;
    if (known.latest.changes === known.changes) this.#known.delete(repository);
    return undefined;
  }

  async #lookThrough(known: Known): Promise<Survey> {
    const { repository, changes } = known;
    try {
      const status = await this.#survey(repository);
      const survey = { status, at: this.#clock.now() };
      const before = known.latest?.survey.status.consistency;
      known.latest = { changes, survey };
      this.#onReport(repository, status.consistency, before);
      return survey;
    } finally {
      known.underWay = undefined;
    }
  }
}
