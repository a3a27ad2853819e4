/** What goes wrong: drawn for every call of a port, every hint and every run, by its name. */

import { fractionOf, hashOf } from '../dice.ts';

/** Of a call. */
const callFaults = [
  /** The process dies instead of making the call: nothing in it runs ever again. */
  'crash',
  /** The call takes up to some seconds. */
  'slow',
  /** Refused, without effect. */
  'throttled',
  /** It takes effect, all of it or (of hints) a part, but the answer never comes. */
  'answer-lost',
  /** A put loses against nobody (409), without effect. */
  'conflict',
  /** A put takes effect; the answer is lost, and the client's own second try loses against the first (412). */
  'lost-to-itself',
] as const;

/** Of what the bucket tells, and of a summarize. */
const deliveryFaults = ['dropped', 'duplicated', 'late', 'twin'] as const;

export const faultNames = [...callFaults, ...deliveryFaults] as const;
export type CallFault = (typeof callFaults)[number];
export type DeliveryFault = (typeof deliveryFaults)[number];
export type FaultRates = Record<(typeof faultNames)[number], number>;

export const noFaults: Readonly<FaultRates> = {
  crash: 0,
  slow: 0,
  throttled: 0,
  'answer-lost': 0,
  conflict: 0,
  'lost-to-itself': 0,
  dropped: 0,
  duplicated: 0,
  late: 0,
  twin: 0,
};

/** What a call does decides what may befall it. */
export type CallKind = 'read' | 'write' | 'put' | 'sleep';

const possible: Readonly<Record<CallKind, readonly CallFault[]>> = {
  sleep: ['crash'],
  read: ['crash', 'slow', 'throttled'],
  write: ['crash', 'slow', 'throttled', 'answer-lost'],
  put: ['crash', 'slow', 'throttled', 'answer-lost', 'conflict', 'lost-to-itself'],
};

export interface FaultsOptions {
  readonly seed: number;
  readonly rates: FaultRates;
  /** Names as in `happened`: these do not happen. */
  readonly suppressed?: ReadonlySet<string>;
  /** Names as in `possible`: these happen, and no others. */
  readonly forced?: ReadonlySet<string>;
}

export class Faults {
  /** Those that happened, in order. */
  readonly happened: string[] = [];
  /** Those that could have happened to a call; only where some are forced. */
  readonly possible: string[] = [];
  /** No more of them. */
  areOver = false;
  readonly #options: FaultsOptions;

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  ofCall(task: string, hash: number, call: number, kind: CallKind): CallFault | undefined {
    const { rates, forced } = this.#options;
    const nameOf = (fault: CallFault) => `${fault} at ${task}/${call}`;
    if (forced !== undefined) {
      this.possible.push(...possible[kind].map(nameOf));
      return possible[kind].find((fault) => forced.has(nameOf(fault)) && this.#happens(nameOf(fault)));
    }
    let fraction = fractionOf(hash, 2 * call);
    for (const fault of possible[kind]) {
      fraction -= rates[fault];
      if (fraction < 0) return this.#happens(nameOf(fault)) ? fault : undefined;
    }
    return undefined;
  }

  ofDelivery(fault: DeliveryFault, about: string): boolean {
    const { seed, rates, forced } = this.#options;
    const fraction = fractionOf(hashOf(`${fault} ${about}`, seed), 0);
    return forced === undefined && fraction < rates[fault] && this.#happens(`${fault}: ${about}`);
  }

  /** Milliseconds: a few, and up to some seconds for a slow call. */
  latency(hash: number, call: number, isSlow: boolean): number {
    const fraction = fractionOf(hash, 2 * call + 1);
    return isSlow ? 30 * 200 ** fraction : 1 + 19 * fraction;
  }

  #happens(name: string): boolean {
    if (this.areOver || this.#options.suppressed?.has(name)) return false;
    this.happened.push(name);
    return true;
  }
}
