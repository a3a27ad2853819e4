/** Code that reads untrusted input. */

import type { Dice } from '../dice.ts';

export interface FuzzTarget {
  readonly name: string;
  /** Relative frequency. */
  readonly weight: number;
  /**
   * Runs one case.
   * @returns its outcome in a word or two, for the statistics.
   * @throws {Finding} or any other error: a fault was found.
   */
  run(dice: Dice): Promise<string>;
}

/** A fault. */
export class Finding extends Error {
  override readonly name = 'Finding';
  /** The input, to keep as a fixture. */
  readonly input: Uint8Array;

  constructor(promise: string, input: Uint8Array | string, cause?: unknown) {
    super(cause === undefined ? promise : `${promise}: ${cause instanceof Error ? cause.stack : String(cause)}`);
    this.input = typeof input === 'string' ? Buffer.from(input) : input;
  }
}
