/**
 * The table's change stream as summarize sees it: changes, gathered for a window, delivered until a run succeeds, and
 * a dead letter after so many tries. What is tried again may come in other batches: with what came since, or only a part of it, as where
 * Lambda splits a batch that failed. More than one copy at a time is more than such a stream does; but an operator may, and a run
 * that was given up may still be going on.
 */

import type { Changes } from '../../functions/ports.ts';
import { Dice } from '../dice.ts';
import { Process, type Surroundings, Work } from './process.ts';

export interface ChangeStreamOptions {
  readonly surroundings: Surroundings;
  /** Runs at a time for one shard. */
  readonly copies: number;
  /** Whether one repository's changes are delivered together with those of all others; otherwise each has a shard of its own. */
  readonly hasOneShard: boolean;
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
  readonly repository: string;
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
  /** The size of the batch that failed, at the head of the changes. 0 where none did. */
  failed: number;
}

export class ChangeStream {
  readonly #options: ChangeStreamOptions;
  readonly #shards = new Map<string, Shard>();

  constructor(options: ChangeStreamOptions) {
    this.#options = options;
  }

  changed(repository: string, file: string | undefined): void {
    const name = this.#options.hasOneShard ? 'shard' : repository;
    const shard = this.#shards.get(name) ?? {
      changes: [],
      isDue: false,
      running: 0,
      runs: 0,
      failed: 0,
    };
    this.#shards.set(name, shard);
    shard.changes.push({ repository, file, tries: 0 });
    this.#schedule(name, shard);
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

  #schedule(name: string, shard: Shard): void {
    const { copies, surroundings, windowMilliseconds } = this.#options;
    if (shard.isDue || shard.changes.length === 0 || shard.running >= copies) return;
    shard.isDue = true;
    surroundings.scheduler.after(shard.failed > 0 ? retryMilliseconds : windowMilliseconds, () => {
      shard.isDue = false;
      this.#run(name, shard);
    });
  }

  #run(name: string, shard: Shard): void {
    const { surroundings, skewOf, acknowledgesEarly, onError } = this.#options;
    shard.running += 1;
    shard.runs += 1;
    const id = `${name}@${shard.runs}`;
    const batch = this.#takeBatch(id, shard);
    const end = (isDone: boolean): void => {
      shard.running -= 1;
      const failed = isDone || acknowledgesEarly ? [] : this.#failed(batch);
      shard.failed = failed.length;
      shard.changes.unshift(...failed);
      this.#schedule(name, shard);
    };
    const told = [...Map.groupBy(batch, ({ repository }) => repository)].map(
      ([repository, changes]) => [repository, changesOf(changes)] as const,
    );
    for (const [repository, changes] of told)
      surroundings.note(
        `${id} is told of ${changes === 'all' ? 'everything' : [...changes].join(', ')}: ${repository}`,
      );
    const work = new Work(id, new Process(skewOf(id), () => end(false)), surroundings);
    work.begin(
      async () => {
        await this.#followAll(work, told);
        await work.call('write', `acknowledge the changes of ${name}`, async () => undefined);
      },
      (failure) => {
        if (failure !== undefined) {
          surroundings.note(`${id} failed: ${failure}`);
          onError(failure);
        }
        end(failure === undefined);
      },
    );
    for (const [repository, changes] of told)
      if (surroundings.faults.ofDelivery('twin', id)) this.runBeside(`${id} twin`, repository, changes);
  }

  /** One that fails does not keep the others from being followed. @throws the first failure */
  async #followAll(work: Work, told: readonly (readonly [string, Changes])[]): Promise<void> {
    const failures: unknown[] = [];
    for (const [repository, changes] of told)
      await this.#options.follow(work, repository, changes).catch((error) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  /** What waits. After a failure: perhaps only the first of it; of a shard of many repositories, the batch that failed. */
  #takeBatch(id: string, shard: Shard): Change[] {
    const dice = new Dice(this.#options.surroundings.seed, `batch of ${id}`);
    const after = () => (this.#options.hasOneShard ? shard.failed : dice.integer(1, shard.changes.length));
    return shard.changes.splice(0, shard.failed > 0 ? after() : shard.changes.length);
  }

  /** @returns those that are tried again. */
  #failed(batch: readonly Change[]): Change[] {
    const { triesMax, surroundings, onDeadLetter } = this.#options;
    for (const change of batch) change.tries += 1;
    for (const repository of new Set(
      batch.filter(({ tries }) => tries >= triesMax()).map((change) => change.repository),
    )) {
      surroundings.note(`changes of ${repository} become a dead letter`);
      onDeadLetter(repository);
    }
    return batch.filter(({ tries }) => tries < triesMax());
  }
}

function changesOf(changes: readonly Change[]): Changes {
  const files = changes.map(({ file }) => file);
  return files.includes(undefined) ? 'all' : new Set(files.flatMap((file = '') => file));
}
