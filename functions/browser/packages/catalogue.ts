/** All packages of the repository, in the order of the summary. */

import { factsOf, type PackageFacts } from '../../check/consistency.ts';
import { lastValue, type RecordFields, readFields } from '../../record/record-fields.ts';
import { recordText } from '../../record/record-text.ts';
import { compareParsed, parseVersion, type Version } from '../../version/dewey.ts';
import { type ListedPackage, listedPackage } from './listed-package.ts';

/** What the list can be sorted by. */
export const columns = ['name', 'version', 'comment', 'category', 'size', 'built'] as const;
export type Column = (typeof columns)[number];

export class Catalogue {
  readonly packages: ListedPackage[] = [];
  /** For each of `packages`. */
  readonly facts: PackageFacts[] = [];
  /** Bytes, decoded on demand: the texts of all descriptions take a lot of memory. */
  readonly #records: Uint8Array[] = [];
  readonly #indexByKey = new Map<string, number>();
  readonly #orders = new Map<Column, Uint32Array>();
  readonly #platforms = new Map<string, number>();

  /** @returns undefined for a record without PKGNAME, which clients drop too. */
  add(record: Uint8Array): ListedPackage | undefined {
    const fields = readFields(recordText(record));
    const facts = factsOf(fields);
    if (facts.name === '') return undefined;
    const listed = listedPackage(fields, this.#indexByKey.has(facts.name));
    if (!this.#indexByKey.has(listed.key)) this.#indexByKey.set(listed.key, this.packages.length);
    this.packages.push(listed);
    this.facts.push(facts);
    this.#records.push(record);
    this.#orders.clear();
    const platform = platformOf(fields);
    this.#platforms.set(platform, (this.#platforms.get(platform) ?? 0) + 1);
    return listed;
  }

  /** `SunOS 5.11 x86_64`: what the packages were built for, the most frequent first. */
  get platforms(): string[] {
    const byFrequency = [...this.#platforms].sort(([, left], [, right]) => right - left);
    return byFrequency.map(([platform]) => platform).filter((platform) => platform !== '');
  }

  /** Where in `packages` it is; of several with one PKGNAME, that name finds the first. */
  indexOf(key: string): number | undefined {
    return this.#indexByKey.get(key);
  }

  /** Where in `packages` the highest version of that name is; of several equal ones, the first. */
  newestOf(base: string): number | undefined {
    let newest: { readonly place: number; readonly version: Version } | undefined;
    for (const [place, listed] of this.packages.entries()) {
      if (listed.base !== base || listed.version === '') continue;
      const version = parseVersion(listed.version);
      if (newest === undefined || compareParsed(version, newest.version) > 0) newest = { place, version };
    }
    return newest?.place;
  }

  text(index: number): string {
    const record = this.#records[index];
    return record === undefined ? '' : recordText(record);
  }

  fields(index: number): RecordFields {
    return readFields(this.text(index));
  }

  /** The packages' places in `packages`, smallest first. What is equal stays in the order of the summary. */
  order(column: Column): Uint32Array {
    const known = this.#orders.get(column);
    if (known !== undefined) return known;
    const order = Uint32Array.from(this.packages.keys()).sort(this.#comparison(column));
    this.#orders.set(column, order);
    return order;
  }

  #comparison(column: Column): (left: number, right: number) => number {
    switch (column) {
      case 'name':
        return this.#by(({ base }) => base.toLowerCase(), this.#byVersion());
      case 'version':
        return this.#byVersion();
      case 'comment':
        return this.#by(({ comment }) => comment.toLowerCase());
      case 'category':
        return this.#by(({ categories }) => categories.toLowerCase());
      case 'size':
      case 'built':
        return this.#by((listed) => listed[column]);
    }
  }

  #byVersion(): (left: number, right: number) => number {
    // Sorting by name compares few of them, and parsing a version takes longer than comparing two.
    const parsed: (Version | undefined)[] = [];
    const versionOf = (place: number): Version => {
      parsed[place] ??= parseVersion(this.packages[place]?.version ?? '');
      return parsed[place];
    };
    return (left, right) => compareParsed(versionOf(left), versionOf(right));
  }

  #by(
    keyOf: (listed: ListedPackage) => string | number,
    otherwise: (left: number, right: number) => number = () => 0,
  ): (left: number, right: number) => number {
    const values = this.packages.map(keyOf);
    return (left, right) => {
      const [leftValue = 0, rightValue = 0] = [values[left], values[right]];
      if (leftValue === rightValue) return otherwise(left, right);
      return leftValue < rightValue ? -1 : 1;
    };
  }
}

function platformOf(fields: RecordFields): string {
  const values = ['OPSYS', 'OS_VERSION', 'MACHINE_ARCH'].map((variable) => lastValue(fields, variable));
  return values.filter((value) => value !== '').join(' ');
}
