/** Warnings: what in a record concerns only the package itself, so it is in the index and marked. Runs in a browser too. */

export type WarningCode =
  | 'name-mismatch'
  | 'not-installable'
  | 'duplicate-pkgname'
  | 'unfetchable-name'
  | 'empty-dependency'
  | 'carriage-return'
  | 'control-character';

/** How to fix each. */
export const warningRemedies: Readonly<Record<WarningCode, string>> = {
  'name-mismatch': 'pkgin fetches PKGNAME.tgz, whatever the name of the file is: rename the file to that.',
  'not-installable':
    'pkgin expects a version that starts with a digit after the last "-" of PKGNAME: rename the package.',
  'duplicate-pkgname':
    'Of several files with one PKGNAME a client sees only one, not always the same: remove the others.',
  'unfetchable-name': 'pkgin does not encode "?", "%", "&" and "#", so it cannot fetch the file: rename the package.',
  'empty-dependency': 'A @pkgdep has no pattern, so no client can satisfy it: build the package again.',
  'carriage-return':
    'Lines end in a carriage return, which clients treat as part of the value: build the package again.',
  'control-character': 'The record has control characters, which a terminal may execute: build the package again.',
};

/** What the warnings of a record depend on, all in the same encoding. */
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

/** Without `duplicate-pkgname`, which depends on the whole repository: see `findDuplicates`. */
const warningRules: readonly WarningRule[] = [
  { code: 'name-mismatch', applies: ({ name, file }) => file !== `${name}.tgz` },
  { code: 'not-installable', applies: ({ name }) => !/-[0-9][^-]*$/.test(name) },
  { code: 'unfetchable-name', applies: ({ name }) => /[?%&#]/.test(name) },
  { code: 'empty-dependency', applies: ({ text }) => text.includes('\nDEPENDS=(null)\n') },
  { code: 'carriage-return', applies: ({ text }) => text.includes('\r\n') },
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
  { code: 'control-character', applies: ({ text }) => /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text) },
];

/** The warnings for a record that is not rejected. */
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
