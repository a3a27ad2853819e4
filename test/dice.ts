/**
 * Chance that can be repeated. Every decision is a pure function of the seed and of the name of what it is about, never of how
 * many decisions came before it. So when one upload is left out of a failing run, all others keep their luck, and the run can be
 * made shorter a piece at a time.
 */

/** FNV-1a, 32 bits. */
export function hashOf(text: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return mixed(hash);
}

/** The `index`-th number of the sequence that belongs to a hash: at least 0 and below 1. */
export function fractionOf(hash: number, index: number): number {
  return mixed(hash + Math.imul(index + 1, 0x9e3779b9)) / 2 ** 32;
}

/** The finalizer of MurmurHash3. */
function mixed(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** The decisions about one thing, one after the other. */
export class Dice {
  readonly #hash: number;
  #drawn = 0;

  constructor(seed: number, about: string) {
    this.#hash = hashOf(about, seed);
  }

  /** At least 0 and below 1. */
  fraction(): number {
    this.#drawn += 1;
    return fractionOf(this.#hash, this.#drawn);
  }

  /** Both ends included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new RangeError('expected something to pick from, found an empty list');
    return items[this.integer(0, items.length - 1)] as Item;
  }

  /** One of the keys, as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries(weights) as [Name, number][];
    let rest = this.fraction() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      rest -= weight;
      if (rest < 0) return name;
    }
    throw new RangeError('expected weights above 0');
  }
}
