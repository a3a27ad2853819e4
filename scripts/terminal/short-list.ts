import { count, printable } from '../../functions/wording.ts';

/** Enough to recognize what it is about; `--json` has them all. */
const namesMax = 5;

/** `a-1, b-1 and 7 more`. */
export function shortList(names: readonly string[]): string {
  const shown = names.slice(0, namesMax).map(printable).join(', ');
  return names.length <= namesMax ? shown : `${shown} and ${count(names.length - namesMax, 'more', 'more')}`;
}
