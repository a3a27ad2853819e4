/** What the page and its worker say to each other. */

import type { Column } from './catalogue.ts';
import type { Figures } from './figures.ts';
import type { ListedPackage } from './listed-package.ts';
import type { PackageDetails } from './package-details.ts';

/** What can be asked once the index is read, and what is answered. */
export interface Questions {
  readonly details: { readonly key: string };
  readonly order: { readonly column: Column };
  readonly figures: Readonly<Record<string, never>>;
}

export interface Answers {
  readonly details: PackageDetails | undefined;
  readonly order: Uint32Array;
  readonly figures: Figures;
}

export type QuestionName = keyof Questions;

export type ToWorker =
  | { readonly kind: 'read'; readonly repositoryUrl: string }
  /** A package's page will probably be asked for soon. */
  | { readonly kind: 'prepare' }
  | { readonly kind: 'question'; readonly id: number; readonly name: QuestionName; readonly question: unknown };

export type FromWorker =
  /** Further packages, in the order of the summary. */
  | { readonly kind: 'packages'; readonly packages: readonly ListedPackage[] }
  /** What has come so far is void: the index was damaged, and another one is read. */
  | { readonly kind: 'restart' }
  | { readonly kind: 'read'; readonly index: IndexFacts }
  | { readonly kind: 'failed'; readonly problems: readonly IndexProblem[] }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown };

/** Of the index that was read. */
export interface IndexFacts {
  readonly url: string;
  /** Milliseconds since 1970; 0 where the server does not say. */
  readonly lastModified: number;
  /** What the server calls this version: its ETag, or else its date. */
  readonly version: string;
}

/** Why an index could not be read. */
export interface IndexProblem {
  readonly file: string;
  readonly problem: string;
  /** The server says that there is none. */
  readonly isAbsent: boolean;
}
