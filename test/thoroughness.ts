/** `npm test` runs a part of the cases of slow tests. `npm run test:all`, which .ci/run uses, runs all of them. */

const fraction = 5;

export const isThorough = process.env.TEST_CASES === 'all';

/** @param all how many runs, or how much of something, in a thorough run */
export function runs(all: number): number {
  return isThorough ? all : Math.ceil(all / fraction);
}

/** The first of each five in a quick run. */
export function sample<Item>(items: readonly Item[]): readonly Item[] {
  return isThorough ? items : items.filter((_, index) => index % fraction === 0);
}
