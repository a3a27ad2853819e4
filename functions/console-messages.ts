/** What `serve` tells the person at the terminal: a line for each thing that happens. */

import { styleText } from 'node:util';
import { DirectoryLost } from './adapters/local/directory-objects.ts';
import type { Extraction } from './extract.ts';
import { failureSentence, systemErrorSentence } from './failures.ts';
import type { ObjectKey, Repository } from './ports.ts';
import type { Publication } from './summarize.ts';
import { byteSize, count, printable, repositoryName } from './wording.ts';

export function say(line: string): void {
  console.log(line);
}

export function sayExtracted(key: ObjectKey, extraction: Extraction): void {
  const name = printable(key);
  if (extraction.outcome === 'removed') say(`${styleText('dim', 'removed')} ${name}`);
  if (extraction.outcome !== 'written') return;
  const { row } = extraction;
  if (row.state === 'rejected')
    say(`${styleText('red', 'rejected')} ${name}: ${row.reason.code}: ${printable(row.reason.message)}`);
  else say(`indexed ${name}${row.warnings.length === 0 ? '' : styleText('yellow', ` (${row.warnings.join(', ')})`)}`);
}

export function sayPublication(repository: Repository, publication: Publication): void {
  const name = printable(repositoryName(repository));
  if (publication.outcome === 'published') {
    const { summary, bytes } = publication;
    say(`${styleText('green', 'published')} ${name}: ${count(summary.records, 'package')}, ${byteSize(bytes)}`);
  } else if (publication.outcome === 'waiting') {
    say(`${name}: the index that is there is kept until ${count(publication.missing, 'more package')} could be read`);
  }
}

/** The next comparison of directory and table makes it good. */
export function reportMissedChange(error: unknown): void {
  sayFailure('a change could not be looked at', error);
}

/**
 * Says what the machine is to blame for, unless that was said the last time.
 * @returns what is said by now.
 * @throws a mistake of the program's own.
 */
export function sayTriedAgain(error: unknown, said: string | undefined): string {
  const sentence = failureSentence(error);
  if (sentence === undefined) throw error;
  if (sentence !== said) say(`${sentence}; it is tried again`);
  return sentence;
}

/** The loss of the directory is told by itself, and not once more of each package in it. */
export function sayFailure(what: string, error: unknown): void {
  if (!(error instanceof DirectoryLost)) say(`${systemErrorSentence(error, what)}; it is tried again`);
}
