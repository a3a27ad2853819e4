import { createHash } from 'node:crypto';

/** The same whole numbers from 0 up to, but not with, `limit` for the same seed. */
export function pseudoRandom(seed: string): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = createHash('sha256').update(state).digest('hex');
    return Number.parseInt(state.slice(0, 8), 16) % limit;
  };
}
