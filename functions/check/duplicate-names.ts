/** Counts files that share their PKGNAME with another, in a repository of any size: of each name 8 bytes are kept, outside of the heap. */

import { hash } from 'node:crypto';

const beginning = 64;

export class DuplicateNames {
  /** Of names: of a million of them two different ones have the same with a chance of one in 40 million. */
  #hashes = new BigUint64Array(beginning);
  #count = 0;

  add(name: string): void {
    if (this.#count === this.#hashes.length) {
      const more = new BigUint64Array(2 * this.#count);
      more.set(this.#hashes);
      this.#hashes = more;
    }
    this.#hashes[this.#count] = hash('sha1', name, 'buffer').readBigUInt64LE();
    this.#count += 1;
  }

  /** How many of those that were added are there more than once, each of them counted. */
  count(): number {
    const sorted = this.#hashes.slice(0, this.#count).sort();
    return sorted.filter((one, index) => one === sorted[index - 1] || one === sorted[index + 1]).length;
  }
}
