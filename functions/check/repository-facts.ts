/** Collects from the rows of a repository what the consistency check needs, so that the records need not stay in memory. */

import { isUtf8 } from 'node:buffer';
import { latin1 } from '../package/formats.ts';

import type { Row } from '../ports.ts';
import { readFields } from '../record/record-fields.ts';
import { type ConsistencyReport, checkInSteps, factsOf, type PackageFacts } from './consistency.ts';

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** Limits for the consistency check of a repository. */
export const consistencyLimits = {
  /**
   * Characters kept for one repository, plus `factsTextCharacters` for each new text and `factsReferenceCharacters` for each repeated
   * one. 27,699 real packages take 5 million. Beyond this there is no report, because the function would run out of memory.
   */
  factsCharactersMax: 32 * mebibyte,
  factsTextCharacters: 32,
  factsReferenceCharacters: 8,
} as const;

/** The lines of a record that refer to other packages. */
const relevantLine = /^(?:PKGNAME|PKGPATH|MACHINE_ARCH|DEPENDS|REQUIRES|PROVIDES)=.*$/gm;

export class RepositoryFacts {
  readonly #packages: PackageFacts[] = [];
  /** Each text once: most dependencies and libraries belong to many packages. */
  readonly #texts = new Map<string, string>();
  readonly #charactersMax: number;
  #characters = 0;

  /** @param charactersMax counted as in `consistencyLimits` */
  constructor(charactersMax: number = consistencyLimits.factsCharactersMax) {
    this.#charactersMax = charactersMax;
  }

  /** Ignores rejected rows, which are not in the index. */
  add(row: Row): void {
    if (row.state === 'rejected' || this.#isFull) return;
    const lines = latin1(row.record).match(relevantLine) ?? [];
    const { name, path, architectures, depends, requires, provides } = factsOf(readFields(lines.join('\n')));
    this.#packages.push({
      file: row.file,
      name: this.#keep(name),
      path: this.#keep(path),
      architectures: this.#keepAll(architectures),
      depends: this.#keepAll(depends),
      requires: this.#keepAll(requires),
      provides: this.#keepAll(provides),
    });
    if (this.#isFull) this.#forget();
  }

  /**
   * @param pause called after each step of some milliseconds, and awaited if it returns a promise.
   * @returns undefined if there was too much to keep (`factsCharactersMax`).
   */
  async check(pause?: () => Promise<void> | undefined): Promise<ConsistencyReport | undefined> {
    if (this.#isFull) return undefined;
    const steps = checkInSteps(this.#packages);
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done === true) return step.value;
      const waiting = pause?.();
      if (waiting !== undefined) await waiting;
    }
  }

  get #isFull(): boolean {
    return this.#characters > this.#charactersMax;
  }

  #forget(): void {
    this.#packages.length = 0;
    this.#texts.clear();
  }

  #keepAll(texts: readonly string[]): string[] {
    return texts.map((text) => this.#keep(text));
  }

  /** Copies and decodes a text; a slice of a record would keep the whole record in memory. */
  #keep(text: string): string {
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

/** Reads all rows. Undefined if there is too much to keep. */
export async function checkRows(rows: AsyncIterable<Row>): Promise<ConsistencyReport | undefined> {
  const facts = new RepositoryFacts();
  for await (const row of rows) facts.add(row);
  return await facts.check();
}
