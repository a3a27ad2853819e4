/**
 * The table's change stream as summarize sees it: changes of one repository, gathered for a window, delivered in order, again
 * until a run succeeds, and a dead letter after so many tries. More than one copy at a time is more than such a stream does; but
 * an operator may, and a run that was given up may still be going on.
 */

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
  readonly follow: (work: Work, repository: string) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** From a failure to the next try. */
const retryMilliseconds = 150;

interface Shard {
  /** Changes that no run has been told of, or none that succeeded. */
  hasChanges: boolean;
  isDue: boolean;
  running: number;
  runs: number;
  failures: number;
}

export class ChangeStream {
  readonly #options: ChangeStreamOptions;
  readonly #shards = new Map<string, Shard>();

  constructor(options: ChangeStreamOptions) {
    this.#options = options;
  }

  changed(repository: string): void {
    const shard = this.#shards.get(repository) ?? {
      hasChanges: false,
      isDue: false,
      running: 0,
      runs: 0,
      failures: 0,
    };
    this.#shards.set(repository, shard);
    shard.hasChanges = true;
    this.#schedule(repository, shard, this.#options.windowMilliseconds);
  }

  /** A run beside those that changes cause; it is repeated until it succeeds, too. */
  runBeside(id: string, repository: string, tries = 1): void {
    const { surroundings, skewOf, follow, onError } = this.#options;
    const name = `${id} try ${tries}`;
    const again = () =>
      surroundings.scheduler.after(retryMilliseconds, () => this.runBeside(id, repository, tries + 1));
    const work = new Work(name, new Process(skewOf(name), again), surroundings);
    work.begin(
      () => follow(work, repository),
      (failure) => {
        if (failure === undefined) return;
        surroundings.note(`${name} failed: ${failure}`);
        onError(failure);
        again();
      },
    );
  }

  #schedule(repository: string, shard: Shard, milliseconds: number): void {
    if (shard.isDue || !shard.hasChanges || shard.running >= this.#options.copies) return;
    shard.isDue = true;
    this.#options.surroundings.scheduler.after(milliseconds, () => {
      shard.isDue = false;
      this.#run(repository, shard);
    });
  }

  #run(repository: string, shard: Shard): void {
    const { surroundings, skewOf, follow, acknowledgesEarly, onError } = this.#options;
    shard.hasChanges = false;
    shard.running += 1;
    shard.runs += 1;
    const id = `${repository}@${shard.runs}`;
    const end = (isDone: boolean): void => {
      shard.running -= 1;
      if (isDone || acknowledgesEarly) shard.failures = 0;
      else this.#fail(repository, shard);
      const { windowMilliseconds } = this.#options;
      this.#schedule(repository, shard, shard.failures === 0 ? windowMilliseconds : retryMilliseconds);
    };
    const work = new Work(id, new Process(skewOf(id), () => end(false)), surroundings);
    work.begin(
      async () => {
        await follow(work, repository);
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
    if (surroundings.faults.ofDelivery('twin', id)) this.runBeside(`${id} twin`, repository);
  }

  #fail(repository: string, shard: Shard): void {
    shard.failures += 1;
    if (shard.failures < this.#options.triesMax()) {
      shard.hasChanges = true;
      return;
    }
    shard.failures = 0;
    this.#options.surroundings.note(`the changes of ${repository} become a dead letter`);
    this.#options.onDeadLetter(repository);
  }
}
