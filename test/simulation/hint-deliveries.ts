/**
 * A queue of hints as SQS is, with Lambda's batches: at least once, in no order, again until it is acknowledged, and a dead letter
 * after so many tries.
 */

import type { Hint } from '../../functions/ports.ts';
import { Dice } from '../dice.ts';
import { Process, type Surroundings, Work } from './process.ts';

interface Message extends Hint {
  readonly id: string;
  deliveries: number;
  isAcknowledged: boolean;
}

export interface HintDeliveriesOptions {
  readonly surroundings: Surroundings;
  /** Processes at a time. */
  readonly copies: number;
  readonly hintsPerBatch: number;
  /** A hint that is not acknowledged by then is delivered again; the process that had it is ended before. */
  readonly visibilityMilliseconds: number;
  readonly triesMax: () => number;
  readonly skewOf: (id: string) => number;
  /** A mutation: a hint is forgotten when it is delivered. */
  readonly acknowledgesEarly: boolean;
  /** A mutation: a process may go on with a hint that is delivered to another one meanwhile. */
  readonly outlivesLease: boolean;
  readonly onDeadLetter: (key: string) => void;
  readonly follow: (work: Work, hint: Hint) => Promise<void>;
  /** An error that is none of those that stand for a try that failed. */
  readonly onError: (error: unknown) => void;
}

export class HintDeliveries {
  readonly #options: HintDeliveriesOptions;
  readonly #waiting: Message[] = [];
  #running = 0;

  constructor(options: HintDeliveriesOptions) {
    this.#options = options;
  }

  /** @param id of what caused it. */
  send(id: string, hint: Hint, milliseconds: number): void {
    this.#appear({ ...hint, id, deliveries: 0, isAcknowledged: false }, milliseconds);
  }

  #appear(message: Message, milliseconds: number): void {
    this.#options.surroundings.scheduler.after(milliseconds, () => {
      this.#waiting.push(message);
      this.#startProcesses();
    });
  }

  #startProcesses(): void {
    const { copies, hintsPerBatch, surroundings } = this.#options;
    for (let first = this.#waiting[0]; first !== undefined && this.#running < copies; first = this.#waiting[0]) {
      const dice = new Dice(surroundings.seed, `batch of ${first.id}#${first.deliveries}`);
      this.#startProcess(this.#waiting.splice(0, dice.integer(1, hintsPerBatch)));
    }
  }

  #startProcess(batch: readonly Message[]): void {
    const { surroundings, skewOf, acknowledgesEarly, visibilityMilliseconds, outlivesLease } = this.#options;
    const id = `${batch[0]?.id}#${(batch[0]?.deliveries ?? 0) + 1}`;
    let hasEnded = false;
    this.#running += 1;
    const end = () => {
      hasEnded = true;
      this.#running -= 1;
      this.#startProcesses();
    };
    const process = new Process(skewOf(id), end);
    for (const message of batch) {
      message.deliveries += 1;
      message.isAcknowledged ||= acknowledgesEarly;
    }
    surroundings.scheduler.after(visibilityMilliseconds, () => {
      if (!hasEnded && !outlivesLease) {
        surroundings.note(`${id} took too long, and is ended`);
        process.crash();
      }
      for (const message of batch) this.#reappear(message);
    });
    this.#follow(id, process, batch, end);
  }

  /** Follows all hints at once, then acknowledges those that succeeded. */
  #follow(id: string, process: Process, batch: readonly Message[], end: () => void): void {
    const { surroundings, follow, onError } = this.#options;
    const done: Message[] = [];
    let unfinished = batch.length;
    const acknowledge = (): void => {
      const work = new Work(`${id} acknowledges`, process, surroundings);
      const what = `acknowledge ${done.map((message) => message.id).join(', ')}`;
      const effect = async () => {
        for (const message of done) message.isAcknowledged = true;
      };
      work.begin(() => work.call('write', what, effect), end);
    };
    for (const message of batch) {
      const work = new Work(`${message.id}#${message.deliveries}`, process, surroundings);
      const { key, force = false } = message;
      work.begin(
        () => follow(work, { key, force }),
        (failure) => {
          if (failure === undefined) done.push(message);
          else {
            surroundings.note(`${work.id} failed: ${failure}`);
            onError(failure);
          }
          unfinished -= 1;
          if (unfinished === 0) acknowledge();
        },
      );
    }
  }

  #reappear(message: Message): void {
    if (message.isAcknowledged) return;
    if (message.deliveries < this.#options.triesMax()) this.#appear(message, 0);
    else {
      this.#options.surroundings.note(`${message.id} for ${message.key} becomes a dead letter`);
      this.#options.onDeadLetter(message.key);
    }
  }
}
