/**
 * The table's change stream as summarize sees it: changes of one repository, gathered for a window, delivered until a run succeeds, and
 * a dead letter after so many tries. What is tried again may come in other batches: with what came since, or only a part of it, as where
 * Lambda splits a batch that failed. More than one copy at a time is more than such a stream does; but an operator may, and a run
 * that was given up may still be going on.
 */

import type { Changes } from '../../functions/ports.ts';
import { Dice } from '../dice.ts';
import { Process, type Surroundings, Work } from './process.ts';

export interface ChangeStreamOptions {
  readonly surroundings: Surroundings;
  /** Runs at a time for one repository. */
  readonly copies: number;
  readonly windowMilliseconds: number;
  readonly triesMax: () => number;
  readonly skewOf: (id: string) => number;
  /** A mutation: changes are forgotten when they are delivered. */
  readonly acknowledgesEarly: boolean;
  readonly onDeadLetter: (repository: string) => void;
  readonly follow: (work: Work, repository: string, changes: Changes) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** From a failure to the next try. */
const retryMilliseconds = 150;

interface Change {
  /** Of the row; undefined: anything may have changed. */
  readonly file: string | undefined;
  tries: number;
}

interface Shard {
  /** Those that no run has been told of, or none that succeeded. */
  readonly changes: Change[];
  isDue: boolean;
  running: number;
  runs: number;
  isFailing: boolean;
}

export class ChangeStream {
  readonly #options: ChangeStreamOptions;
  readonly #shards = new Map<string, Shard>();

  constructor(options: ChangeStreamOptions) {
    this.#options = options;
  }

  changed(repository: string, file: string | undefined): void {
    const shard = this.#shards.get(repository) ?? {
      changes: [],
      isDue: false,
      running: 0,
      runs: 0,
      isFailing: false,
    };
    this.#shards.set(repository, shard);
    shard.changes.push({ file, tries: 0 });
    this.#schedule(repository, shard);
  }

  /** A run beside those that changes cause; it is repeated until it succeeds, too. */
  runBeside(id: string, repository: string, changes: Changes, tries = 1): void {
    const { surroundings, skewOf, follow, onError } = this.#options;
    const name = `${id} try ${tries}`;
    const again = () =>
      surroundings.scheduler.after(retryMilliseconds, () => this.runBeside(id, repository, changes, tries + 1));
    const work = new Work(name, new Process(skewOf(name), again), surroundings);
    work.begin(
      () => follow(work, repository, changes),
      (failure) => {
        if (failure === undefined) return;
        surroundings.note(`${name} failed: ${failure}`);
        onError(failure);
        again();
      },
    );
  }

  #schedule(repository: string, shard: Shard): void {
    const { copies, surroundings, windowMilliseconds } = this.#options;
    if (shard.isDue || shard.changes.length === 0 || shard.running >= copies) return;
    shard.isDue = true;
    surroundings.scheduler.after(shard.isFailing ? retryMilliseconds : windowMilliseconds, () => {
      shard.isDue = false;
      this.#run(repository, shard);
    });
  }

  #run(repository: string, shard: Shard): void {
    const { surroundings, skewOf, follow, acknowledgesEarly, onError } = this.#options;
    shard.running += 1;
    shard.runs += 1;
    const id = `${repository}@${shard.runs}`;
    const batch = this.#takeBatch(id, shard);
    const end = (isDone: boolean): void => {
      shard.running -= 1;
      shard.isFailing = !isDone && !acknowledgesEarly;
      if (shard.isFailing) shard.changes.unshift(...this.#failed(repository, batch));
      this.#schedule(repository, shard);
    };
    const files = batch.map(({ file }) => file);
    const changes = files.includes(undefined) ? 'all' : new Set(files.flatMap((file = '') => file));
    surroundings.note(`${id} is told of ${changes === 'all' ? 'everything' : [...changes].join(', ')}`);
    const work = new Work(id, new Process(skewOf(id), () => end(false)), surroundings);
    work.begin(
      async () => {
        await follow(work, repository, changes);
        await work.call('write', `acknowledge the changes of ${repository}`, async () => undefined);
      },
      (failure) => {
        if (failure !== undefined) {
          surroundings.note(`${id} failed: ${failure}`);
          onError(failure);
        }
        end(failure === undefined);
      },
    );
    if (surroundings.faults.ofDelivery('twin', id)) this.runBeside(`${id} twin`, repository, changes);
  }

  /** What waits; after a failure perhaps only the first of it. */
  #takeBatch(id: string, shard: Shard): Change[] {
    const dice = new Dice(this.#options.surroundings.seed, `batch of ${id}`);
    const count = shard.isFailing ? dice.integer(1, shard.changes.length) : shard.changes.length;
    return shard.changes.splice(0, count);
  }

  /** @returns those that are tried again. */
  #failed(repository: string, batch: readonly Change[]): Change[] {
    const { triesMax, surroundings, onDeadLetter } = this.#options;
    for (const change of batch) change.tries += 1;
    const again = batch.filter(({ tries }) => tries < triesMax());
    if (again.length < batch.length) {
      surroundings.note(`changes of ${repository} become a dead letter`);
      onDeadLetter(repository);
    }
    return again;
  }
}
