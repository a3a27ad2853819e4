/** Warnings: what in a record concerns that package alone, so that it is in the index, and marked. Runs in a browser too. */

export type WarningCode =
  | 'name-mismatch'
  | 'not-installable'
  | 'duplicate-pkgname'
  | 'plus-in-name'
  | 'unfetchable-name'
  | 'empty-dependency'
  | 'carriage-return'
  | 'control-character';

/** What to do about each. */
export const warningRemedies: Readonly<Record<WarningCode, string>> = {
  'name-mismatch': 'pkgin fetches PKGNAME.tgz, whatever the file is called: rename the file to that.',
  'not-installable':
    'pkgin wants a version that starts with a digit behind the last "-" of PKGNAME: rename the package.',
  'duplicate-pkgname': 'Of several files with one PKGNAME a client sees one, not always the same: remove the others.',
  'plus-in-name':
    'S3 takes a "+" in a URL for a blank: serve it with the alias that the indexer keeps, or through the CDN.',
  'unfetchable-name':
    'pkgin sends "?", "%", "&" and "#" unencoded, so that the file cannot be fetched: rename the package.',
  'empty-dependency': 'A @pkgdep without a pattern: no client can satisfy it. Build the package again.',
  'carriage-return': 'Lines end in a carriage return, which clients show and compare as part of the value.',
  'control-character': 'The record has control characters, which a terminal may obey.',
};

/** What the warnings of a record depend on; all three in one encoding. */
export interface WarningFacts {
  /** PKGNAME. */
  readonly name: string;
  readonly file: string;
  /** The whole record. */
  readonly text: string;
}

interface WarningRule {
  readonly code: WarningCode;
  readonly applies: (facts: WarningFacts) => boolean;
}

/** `duplicate-pkgname` is not among them: it is a fact about a repository, see `findDuplicates`. */
const warningRules: readonly WarningRule[] = [
  { code: 'name-mismatch', applies: ({ name, file }) => file !== `${name}.tgz` },
  { code: 'not-installable', applies: ({ name }) => !/-[0-9][^-]*$/.test(name) },
  { code: 'plus-in-name', applies: ({ file }) => file.includes('+') },
  { code: 'unfetchable-name', applies: ({ name }) => /[?%&#]/.test(name) },
  { code: 'empty-dependency', applies: ({ text }) => text.includes('\nDEPENDS=(null)\n') },
  { code: 'carriage-return', applies: ({ text }) => text.includes('\r\n') },
  { code: 'control-character', applies: ({ text }) => hasControlCharacter(text.replace(/[\t\r\n]/g, '')) },
];

/** The warnings that a record earns by itself; only for one that is not rejected. */
export function warningsOf(facts: WarningFacts): WarningCode[] {
  return warningRules.filter(({ applies }) => applies(facts)).map(({ code }) => code);
}

export function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
