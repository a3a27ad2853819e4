/** Whether the rows cover the packages of a repository: before they do, they replace no index that is not of them. */

import { compareByBytes, isPackageKey, joinKey, plusAliasOf, splitKey } from '../keys.ts';
import type { ETag, ObjectStore, Repository, Row } from '../ports.ts';

/**
 * Counts the listed packages that have no row of their ETag: these would vanish for clients if these rows replaced the index now. Once
 * one is missing, the rows themselves are not needed any more.
 */
export class Coverage {
  readonly #listed: readonly (readonly [file: string, etag: ETag])[];
  /** The next listed package. */
  #next = 0;
  missing = 0;
  rows = 0;

  constructor(listed: ReadonlyMap<string, ETag>) {
    this.#listed = [...listed].sort(([a], [b]) => compareByBytes(a, b));
  }

  /** Passes the rows on, as long as no package is missing. They come by the bytes of their file names. */
  async *of(rows: AsyncIterable<Row>): AsyncGenerator<Row> {
    for await (const row of rows) {
      this.rows += 1;
      for (let [file] = this.#ahead; file !== undefined && compareByBytes(file, row.file) < 0; [file] = this.#ahead)
        this.#compare(undefined);
      if (this.#ahead[0] === row.file) this.#compare(row.etag);
      if (this.missing === 0) yield row;
    }
    while (this.#next < this.#listed.length) this.#compare(undefined);
  }

  get #ahead(): readonly [file: string, etag: ETag] | readonly [] {
    return this.#listed[this.#next] ?? [];
  }

  #compare(etag: ETag | undefined): void {
    if (this.#ahead[1] !== etag) this.missing += 1;
    this.#next += 1;
  }
}

/** The repository's packages, without aliases. */
export async function listPackages(objects: ObjectStore, repository: Repository): Promise<Map<string, ETag>> {
  const packages = new Map<string, ETag>();
  for await (const { key, etag } of objects.list(joinKey(repository, ''))) {
    const { repository: holder, file } = splitKey(key);
    if (holder === repository && isPackageKey(key)) packages.set(file, etag);
  }
  for (const file of [...packages.keys()]) packages.delete(plusAliasOf(file) ?? '');
  return packages;
}
