/** What can die at once: a process, and the works that go on in it. Every call that a work makes of a port passes here. */

import { setImmediate } from 'node:timers/promises';
import { hashOf } from '../dice.ts';
import type { CallKind, Faults } from './faults.ts';
import type { Scheduler } from './scheduler.ts';

/** A call that failed, as calls of a store or a table do. A step lets it through, and whoever called the step tries again. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
}

/** What everything in one simulation shares. */
export interface Surroundings {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  /** Notes a line of the trace. */
  note(line: string): void;
}

export class Process {
  isAlive = true;
  /** Milliseconds by which its clock is off. */
  readonly skew: number;
  readonly #onCrash: () => void;

  constructor(skew: number, onCrash: () => void) {
    this.skew = skew;
    this.#onCrash = onCrash;
  }

  crash(): void {
    this.isAlive = false;
    this.#onCrash();
  }
}

export class Work {
  readonly id: string;
  readonly process: Process;
  readonly surroundings: Surroundings;
  readonly #hash: number;
  #calls = 0;
  /** Calls that were made while another one went on. */
  readonly #waiting: (() => Promise<void>)[] = [];
  #isCalling = false;
  #isOver = false;

  constructor(id: string, process: Process, surroundings: Surroundings) {
    this.id = id;
    this.process = process;
    this.surroundings = surroundings;
    this.#hash = hashOf(id, surroundings.seed);
  }

  /** Begins it; `ended` is told how it ended, unless its process died before. */
  begin<Result>(run: () => Promise<Result>, ended: (failure: unknown) => void): void {
    const { scheduler } = this.surroundings;
    scheduler.begin(0, () => {
      if (!this.process.isAlive) return scheduler.endTurn();
      void run()
        .finally(() => {
          this.#isOver = true;
        })
        .then(() => ended(undefined), ended)
        .then(() => scheduler.endTurn());
    });
  }

  /**
   * Calls that are made at the same time take effect one after the other.
   *
   * @param effect takes place at one instant, after others had their turn. A put also says what it is to answer where
   * it lost.
   */
  call<Result>(kind: CallKind, what: string, effect: () => Promise<Result>, lost?: Result): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#waiting.push(() => this.#call(kind, what, effect, lost).then(resolve, reject));
    if (!this.#isCalling) void this.#callNext();
    return promise;
  }

  async #callNext(): Promise<void> {
    const next = this.#waiting.shift();
    this.#isCalling = next !== undefined;
    if (next === undefined) return;
    await next();
    // Whoever waited for it goes on first; and may be done, with others still waiting, where it failed.
    if (this.#waiting.length > 0) await setImmediate();
    if (!this.#isOver) await this.#callNext();
  }

  async #call<Result>(kind: CallKind, what: string, effect: () => Promise<Result>, lost?: Result): Promise<Result> {
    const { scheduler, faults } = this.surroundings;
    const call = this.#calls;
    this.#calls += 1;
    const fault = faults.ofCall(this.id, this.#hash, call, kind);
    await this.pause(faults.latency(this.#hash, call, fault === 'slow'));
    if (fault === 'crash') {
      this.#note(call, `dies instead of: ${what}`);
      this.process.crash();
      scheduler.endTurn();
      return await never();
    }
    if (fault === 'throttled') {
      this.#note(call, `${what} → refused`);
      throw new CallFailed(`${what} was refused`);
    }
    if (fault === 'conflict') {
      this.#note(call, `${what} → conflict`);
      return lost as Result;
    }
    const result = await effect();
    if (fault === 'answer-lost') {
      this.#note(call, `${what} → takes effect, the answer is lost`);
      throw new CallFailed(`the answer of ${what} was lost`);
    }
    if (fault === 'lost-to-itself') {
      this.#note(call, `${what} → takes effect, answered as lost`);
      return lost as Result;
    }
    this.#note(call, `${what} → ${inWords(result)}`);
    return result;
  }

  /** Lets others run; never comes back where the process died meanwhile. */
  async pause(milliseconds: number): Promise<void> {
    const { scheduler } = this.surroundings;
    await scheduler.pause(milliseconds);
    if (this.process.isAlive) return;
    scheduler.endTurn();
    await never();
  }

  #note(call: number, line: string): void {
    this.surroundings.note(`${this.id}/${call} ${line}`);
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

function inWords(result: unknown): string {
  if (result === undefined) return 'done';
  if (result instanceof Uint8Array) return `${result.length} bytes`;
  if (Array.isArray(result)) return `[${result.map(inWords).join(', ')}]`;
  if (typeof result !== 'object' || result === null) return String(result);
  const { outcome, etag, key, file, state, lastModified } = result as Record<string, unknown>;
  const time =
    key === undefined && file === undefined && lastModified instanceof Date ? lastModified.toISOString() : '';
  return [outcome, key ?? file, state, String(etag ?? '').slice(0, 12), time].filter(Boolean).join(' ');
}
