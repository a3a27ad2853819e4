/** Messages between the threads. */

export interface FuzzTask {
  readonly seed: number;
  readonly first: number;
  readonly end: number;
  readonly target: string | undefined;
  /** The module that has `targets`. */
  readonly module: string;
  /** Two numbers: the running case, and its start by `clock`. */
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

/** Milliseconds in 31 bits, the same in all threads. */
export function clock(): number {
  return Date.now() & 0x7fffffff;
}
