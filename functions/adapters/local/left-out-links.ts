/** Symbolic links that look like packages, and all where links are followed: they are left out, and an index that had them may seem to shrink for no reason. */

import { isPackageKey } from '../../keys.ts';
import { count, printable } from '../../wording.ts';

const linkLimits = {
  /** Links that are named; the others are counted. */
  namedMax: 3,
} as const;

export class LeftOutLinks {
  readonly #areFollowed: boolean;
  #count = 0;
  #named: string[] = [];

  /** @param areFollowed other links are. */
  constructor(areFollowed: boolean) {
    this.#areFollowed = areFollowed;
  }

  add(path: string): void {
    if (!this.#areFollowed && !isPackageKey(path.slice(path.lastIndexOf('/') + 1))) return;
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
    const why = this.#areFollowed
      ? 'they lead to nothing, to what is hidden, or to a directory that is indexed already'
      : 'to index them, put the packages there, or use --follow-symlinks';
    return `left out ${count(links, 'symbolic link')}: ${named.map(printable).join(', ')}${more}; ${why}`;
  }
}
