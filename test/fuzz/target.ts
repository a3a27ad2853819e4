/** Something that takes whatever anybody sends. */

import type { Dice } from '../dice.ts';

export interface FuzzTarget {
  readonly name: string;
  /** How often it is tried, compared with the others. */
  readonly weight: number;
  /**
   * One case.
   * @returns what came out, in a word or two: for counting.
   * @throws {Finding} or anything else: it should not have.
   */
  run(dice: Dice): Promise<string>;
}

/** A promise that was not kept. */
export class Finding extends Error {
  override readonly name = 'Finding';
  /** What was given, to be kept as a fixture. */
  readonly input: Uint8Array;

  constructor(promise: string, input: Uint8Array | string, cause?: unknown) {
    super(cause === undefined ? promise : `${promise}: ${cause instanceof Error ? cause.stack : String(cause)}`);
    this.input = typeof input === 'string' ? Buffer.from(input) : input;
  }
}
