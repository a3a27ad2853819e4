/** The page's end of the conversation with its worker. */

import type { ListedPackage } from './listed-package.ts';
import type { Answers, FromWorker, IndexFacts, IndexProblem, QuestionName, Questions, ToWorker } from './messages.ts';

export interface CatalogueEvents {
  readonly onPackages: (packages: readonly ListedPackage[]) => void;
  readonly onRestart: () => void;
  readonly onRead: (index: IndexFacts) => void;
  readonly onFailed: (problems: readonly IndexProblem[]) => void;
}

export class CatalogueClient {
  readonly #worker: Worker;
  readonly #events: CatalogueEvents;
  readonly #answers = new Map<number, (answer: unknown) => void>();
  #lastId = 0;

  /**
   * Begins to read the index.
   * @param script what the worker runs: the page's own script.
   * @param events come later, never from within.
   */
  constructor(script: string, repositoryUrl: string, events: CatalogueEvents) {
    this.#events = events;
    const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
    this.#worker = new Worker(trusted(url));
    this.#worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => this.#receive(data));
    this.#worker.addEventListener('error', ({ message }) =>
      events.onFailed([{ file: 'The page', problem: message, isAbsent: false }]),
    );
    this.#send({ kind: 'read', repositoryUrl });
  }

  /** Has the worker find out what depends on what, for which the first package's page would have to wait otherwise. */
  prepare(): void {
    this.#send({ kind: 'prepare' });
  }

  /** Resolves once the index is read, never where it cannot be. */
  ask<Name extends QuestionName>(name: Name, question: Questions[Name]): Promise<Answers[Name]> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      this.#answers.set(id, (answer) => resolve(answer as Answers[Name]));
      this.#send({ kind: 'question', id, name, question });
    });
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    if (message.kind === 'packages') this.#events.onPackages(message.packages);
    else if (message.kind === 'restart') this.#events.onRestart();
    else if (message.kind === 'read') this.#events.onRead(message.index);
    else if (message.kind === 'failed') this.#events.onFailed(message.problems);
    else {
      this.#answers.get(message.id)?.(message.answer);
      this.#answers.delete(message.id);
    }
  }
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): string };
}

/** The page's policy lets no text become code; this one URL is the exception, and it has to say so. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (trustedTypes === undefined) return url;
  return trustedTypes.createPolicy('catalogue', { createScriptURL: (given) => given }).createScriptURL(url);
}
