/** Symbolic links that look like packages: they are left out, and an index that had them may seem to shrink for no reason. */

import { isPackageKey } from '../../keys.ts';
import { count, printable } from '../../wording.ts';

const linkLimits = {
  /** Links that are named; the others are counted. */
  namedMax: 3,
} as const;

export class LeftOutLinks {
  #count = 0;
  #named: string[] = [];

  add(path: string): void {
    if (!isPackageKey(path.slice(path.lastIndexOf('/') + 1))) return;
    this.#count += 1;
    if (this.#named.length < linkLimits.namedMax) this.#named.push(path);
  }

  /** What was added since the last call, as a sentence; undefined where nothing was. */
  take(): string | undefined {
    const [links, named] = [this.#count, this.#named];
    this.#count = 0;
    this.#named = [];
    if (links === 0) return undefined;
    const more = links > named.length ? ` and ${count(links - named.length, 'more', 'more')}` : '';
    return `left out ${count(links, 'symbolic link')}: ${named.map(printable).join(', ')}${more}; to index them, put the packages there`;
  }
}
