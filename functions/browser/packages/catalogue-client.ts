/** The page's end of the conversation with its worker, and the packages that have come from it so far. */

import type { Questions } from './catalogue-worker.ts';
import type { ListedPackage } from './listed-package.ts';
import type { FromWorker, IndexFacts, IndexProblem, QuestionName, ToWorker } from './messages.ts';
import { SearchIndex } from './search.ts';

export class CatalogueClient {
  /** With the slash at its end. */
  readonly repositoryUrl: string;
  readonly packages: ListedPackage[] = [];
  readonly search = new SearchIndex();
  /** PKGNAMEs of several files: the list tells these packages apart by their files. */
  readonly sharedNames = new Set<string>();
  /** Undefined until all packages are here. */
  index: IndexFacts | undefined;
  /** Why there will be none. */
  problems: readonly IndexProblem[] = [];
  /** Called once a frame at most: while the index arrives there are many small additions. */
  onChange: () => void = () => {};
  readonly #worker: Worker;
  readonly #answers = new Map<number, (answer: unknown) => void>();
  #lastId = 0;
  #isChangeDue = false;

  /**
   * Begins to read the index.
   * @param script what the worker runs: the page's own script.
   */
  constructor(script: string, repositoryUrl: string) {
    this.repositoryUrl = repositoryUrl;
    const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
    this.#worker = new Worker(trusted(url));
    this.#worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => this.#receive(data));
    this.#worker.addEventListener('error', ({ message }) =>
      this.#receive({ kind: 'failed', problems: [{ file: 'The page', problem: message, isAbsent: false }] }),
    );
    this.#send({ kind: 'read', repositoryUrl });
  }

  /** Resolves once the index is read, never where it cannot be. */
  ask<Name extends QuestionName>(
    name: Name,
    about: Parameters<Questions[Name]>[0],
  ): Promise<ReturnType<Questions[Name]>> {
    this.#lastId += 1;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#answers.set(this.#lastId, resolve);
    this.#send({ kind: 'question', id: this.#lastId, name, about });
    return promise as Promise<ReturnType<Questions[Name]>>;
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    if (message.kind === 'answer') {
      this.#answers.get(message.id)?.(message.answer);
      this.#answers.delete(message.id);
      return;
    }
    if (message.kind === 'packages') {
      this.packages.push(...message.packages);
      this.search.add(message.packages);
      for (const { key, name } of message.packages) if (key !== name) this.sharedNames.add(name);
    } else if (message.kind === 'restart') {
      this.packages.length = 0;
      this.search.clear();
    } else if (message.kind === 'read') this.index = message.index;
    else this.problems = message.problems;
    if (this.#isChangeDue) return;
    this.#isChangeDue = true;
    requestAnimationFrame(() => {
      this.#isChangeDue = false;
      this.onChange();
    });
  }
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): string };
}

/** The page's policy lets no text become code; this one URL is the exception, and has to be declared. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (trustedTypes === undefined) return url;
  return trustedTypes.createPolicy('catalogue', { createScriptURL: (given) => given }).createScriptURL(url);
}
