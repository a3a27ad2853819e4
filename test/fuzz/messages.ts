/** What passes between the threads. */

export interface FuzzTask {
  readonly seed: number;
  readonly first: number;
  readonly end: number;
  readonly target: string | undefined;
  /** The module that has `targets`. */
  readonly module: string;
  /** Two numbers: the case that runs, and the time at which it began, by `clock`. */
  readonly at: Int32Array;
}

export interface FoundCase {
  readonly index: number;
  readonly message: string;
  /** In Base64. */
  readonly input: string | undefined;
}

export type FuzzMessage =
  | { readonly kind: 'outcomes'; readonly outcomes: ReadonlyMap<string, number> }
  | { readonly kind: 'found'; readonly found: FoundCase };

/** Milliseconds, of all threads, in 31 bits. */
export function clock(): number {
  return Date.now() & 0x7fffffff;
}
