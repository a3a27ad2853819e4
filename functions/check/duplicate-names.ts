/** Counts files that share their PKGNAME with another one. Keeps 8 bytes per name outside the heap, for repositories of any size. */

import { hash } from 'node:crypto';

const initialCapacity = 64;

export class DuplicateNames {
  /** Hashes of names. For a million names, the probability of a collision is one in 40 million. */
  #hashes = new BigUint64Array(initialCapacity);
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

  /** How many of the added names occur more than once, counting every occurrence. */
  count(): number {
    const sorted = this.#hashes.slice(0, this.#count).sort();
    return sorted.filter((one, index) => one === sorted[index - 1] || one === sorted[index + 1]).length;
  }
}
