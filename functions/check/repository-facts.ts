/** What a repository's rows say of how its packages fit together, row by row: the facts are kept, the records are not. */

import { isUtf8 } from 'node:buffer';
import { latin1 } from '../package/formats.ts';

import type { Row } from '../ports.ts';
import { readFields } from '../record/record-fields.ts';
import { type ConsistencyReport, checkConsistency, factsOf, type PackageFacts } from './consistency.ts';

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** Whether the packages of a repository fit together. */
export const consistencyLimits = {
  /**
   * What is kept of all records of a repository at a time: characters, and `factsTextCharacters` for each text that is not there
   * yet, `factsReferenceCharacters` for one that is. 27,699 real packages come to 5 million; past this there is no report, rather
   * than a function that runs out of memory.
   */
  factsCharactersMax: 32 * mebibyte,
  factsTextCharacters: 32,
  factsReferenceCharacters: 8,
} as const;

/** The lines of a record that say something of other packages. */
const relevantLine = /^(?:PKGNAME|PKGPATH|DEPENDS|REQUIRES|PROVIDES)=.*$/gm;

export class RepositoryFacts {
  readonly #packages: PackageFacts[] = [];
  /** Every text once: most dependencies and libraries are those of many packages. */
  readonly #texts = new Map<string, string>();
  readonly #charactersMax: number;
  #characters = 0;

  /** @param charactersMax what is kept at most, counted as `consistencyLimits` says */
  constructor(charactersMax: number = consistencyLimits.factsCharactersMax) {
    this.#charactersMax = charactersMax;
  }

  /** A rejected row is in no index, so it fits or breaks nothing. */
  add(row: Row): void {
    if (row.state === 'rejected' || this.#isTooMuch) return;
    const lines = latin1(row.record).match(relevantLine) ?? [];
    const { name, path, depends, requires, provides } = factsOf(readFields(lines.join('\n')));
    this.#packages.push({
      file: row.file,
      name: this.#kept(name),
      path: this.#kept(path),
      depends: this.#allKept(depends),
      requires: this.#allKept(requires),
      provides: this.#allKept(provides),
    });
    if (this.#isTooMuch) this.#forget();
  }

  /** Undefined where there was too much to keep (`factsCharactersMax`). */
  check(): ConsistencyReport | undefined {
    return this.#isTooMuch ? undefined : checkConsistency(this.#packages);
  }

  get #isTooMuch(): boolean {
    return this.#characters > this.#charactersMax;
  }

  #forget(): void {
    this.#packages.length = 0;
    this.#texts.clear();
  }

  #allKept(texts: readonly string[]): string[] {
    return texts.map((text) => this.#kept(text));
  }

  /** A copy, since a part of a record's text would keep all of it in memory; decoded, for people to read. */
  #kept(text: string): string {
    const { factsReferenceCharacters, factsTextCharacters } = consistencyLimits;
    const known = this.#texts.get(text);
    this.#characters += known === undefined ? factsTextCharacters + text.length : factsReferenceCharacters;
    if (known !== undefined) return known;
    const bytes = Buffer.from(text, 'latin1');
    const copy = bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
    this.#texts.set(bytes.toString('latin1'), copy);
    return copy;
  }
}

/** Reads rows to their end. Undefined where there is too much to keep. */
export async function checkRows(rows: AsyncIterable<Row>): Promise<ConsistencyReport | undefined> {
  const facts = new RepositoryFacts();
  for await (const row of rows) facts.add(row);
  return facts.check();
}
