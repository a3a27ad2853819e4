/**
 * The status of every repository, made on request and kept until the repository changes: making it reads all of its files and rows.
 *
 *     changed ─▶ out of date ── asked for ─▶ in the making ─▶ up to date
 *                    ▲                             │
 *                    └────── changed meanwhile ────┘   (those who asked before that change get this status all the same)
 */

import type { Repository } from '../ports.ts';

interface Entry<Status> {
  changes: number;
  latest:
    | {
        readonly status: Status | undefined /** How many there had been when it was begun. */;
        readonly changes: number;
      }
    | undefined;
  making: Promise<void> | undefined;
}

export class StatusCache<Status> {
  readonly #make: (repository: Repository) => Promise<Status | undefined>;
  readonly #entries = new Map<Repository, Entry<Status>>();

  /** @param make resolves to undefined where a repository is empty. */
  constructor(make: (repository: Repository) => Promise<Status | undefined>) {
    this.#make = make;
  }

  /** The repository changed: its status is out of date. */
  changed(repository: Repository): void {
    const entry = this.#entries.get(repository);
    if (entry === undefined) this.#entries.set(repository, { changes: 1, latest: undefined, making: undefined });
    else entry.changes += 1;
  }

  /** Every repository that has changed, sorted. Some may be empty. */
  get repositories(): Repository[] {
    return [...this.#entries.keys()].sort();
  }

  /** Of every repository that is not empty, as of this call or later. Made one after the other. */
  async all(): Promise<Status[]> {
    const statuses: Status[] = [];
    for (const repository of this.repositories) {
      const status = await this.of(repository);
      if (status !== undefined) statuses.push(status);
    }
    return statuses;
  }

  /** As of this call or later; undefined where the repository is empty. */
  async of(repository: Repository): Promise<Status | undefined> {
    const entry = this.#entries.get(repository);
    if (entry === undefined) return undefined;
    const { changes } = entry;
    while (entry.latest === undefined || entry.latest.changes < changes) {
      entry.making ??= this.#update(repository, entry);
      await entry.making;
    }
    const { status } = entry.latest;
    const isUpToDate = entry.latest.changes === entry.changes;
    if (status === undefined && isUpToDate) this.#entries.delete(repository);
    return status;
  }

  /** The last one that was made, which may be out of date; undefined where there is none. */
  latest(repository: Repository): Status | undefined {
    return this.#entries.get(repository)?.latest?.status;
  }

  async #update(repository: Repository, entry: Entry<Status>): Promise<void> {
    const { changes } = entry;
    try {
      entry.latest = { status: await this.#make(repository), changes };
    } finally {
      entry.making = undefined;
    }
  }
}
