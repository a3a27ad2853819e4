/** What the page and its worker say to each other. */

import type { Questions } from './catalogue-worker.ts';
import type { ListedPackage } from './listed-package.ts';

export type QuestionName = keyof Questions;

export type ToWorker =
  | { readonly kind: 'read'; readonly repositoryUrl: string }
  | { readonly kind: 'question'; readonly id: number; readonly name: QuestionName; readonly about: unknown };

export type FromWorker =
  /** More packages, in the order of the summary. */
  | { readonly kind: 'packages'; readonly packages: readonly ListedPackage[] }
  /** The index is damaged: discard all packages, since another index is read. */
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
  /** What is above the repository, if the server says so. */
  readonly up: string | undefined;
}

/** Why an index could not be read. */
export interface IndexProblem {
  readonly file: string;
  readonly problem: string;
  /** The server says that there is none. */
  readonly isAbsent: boolean;
}
