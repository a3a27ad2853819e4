/** Runs beside the page: reads the index and answers questions about it, so that the page itself never stands still. */

import { Catalogue, type Column } from './catalogue.ts';
import { type Figures, figuresOf } from './figures.ts';
import type { ListedPackage } from './listed-package.ts';
import type { FromWorker, QuestionName, ToWorker } from './messages.ts';
import { packageDetails } from './package-details.ts';
import { readIndex } from './read-index.ts';
import { Relations } from './relations.ts';

/** The page takes a batch in a few milliseconds; the first one is as small as it comes, to be seen at once. */
const batchPackages = 1_000;

/** The part of a worker's global scope that is used here; the DOM's types do not have it. */
export interface WorkerScope {
  postMessage(message: FromWorker): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<ToWorker>) => void): void;
}

export function startWorker(scope: WorkerScope): void {
  const worker = new CatalogueWorker((message) => scope.postMessage(message));
  scope.addEventListener('message', ({ data }) => {
    if (data.kind === 'read') void worker.read(data.repositoryUrl);
    else if (data.kind === 'prepare') void worker.prepare();
    else void worker.answer(data.id, data.name, data.question);
  });
}

class CatalogueWorker {
  readonly #send: (message: FromWorker) => void;
  readonly #whole = Promise.withResolvers<void>();
  #catalogue = new Catalogue();
  #relations: Relations | undefined;
  #figures: Figures | undefined;
  #batch: ListedPackage[] = [];
  #isFirstBatch = true;

  constructor(send: (message: FromWorker) => void) {
    this.#send = send;
  }

  async read(repositoryUrl: string): Promise<void> {
    const reading = await readIndex(repositoryUrl, {
      onRecords: (records) => this.#add(records),
      onRestart: () => this.#restart(),
    });
    if (reading.outcome === 'failed') {
      this.#send({ kind: 'failed', problems: reading.problems });
      return;
    }
    this.#sendBatch();
    this.#send({ kind: 'read', index: reading.index });
    this.#whole.resolve();
  }

  async prepare(): Promise<void> {
    await this.#whole.promise;
    this.#knownRelations();
  }

  async answer(id: number, name: QuestionName, question: unknown): Promise<void> {
    await this.#whole.promise;
    try {
      this.#send({ kind: 'answer', id, answer: this.#answerTo(name, question) });
    } catch (error) {
      this.#send({ kind: 'failed', problems: [{ file: 'The page', problem: String(error), isAbsent: false }] });
    }
  }

  #answerTo(name: QuestionName, question: unknown): unknown {
    const catalogue = this.#catalogue;
    switch (name) {
      case 'order':
        return catalogue.order((question as { column: Column }).column);
      case 'details':
        return packageDetails(catalogue, this.#knownRelations(), (question as { key: string }).key);
      case 'figures':
        this.#figures ??= figuresOf(catalogue, this.#knownRelations());
        return this.#figures;
    }
  }

  /** Computed once: the list does without. */
  #knownRelations(): Relations {
    this.#relations ??= new Relations(this.#catalogue);
    return this.#relations;
  }

  #add(records: readonly Uint8Array[]): void {
    for (const record of records) {
      const listed = this.#catalogue.add(record);
      if (listed !== undefined) this.#batch.push(listed);
    }
    if (this.#batch.length >= (this.#isFirstBatch ? 1 : batchPackages)) this.#sendBatch();
  }

  #sendBatch(): void {
    if (this.#batch.length === 0) return;
    this.#send({ kind: 'packages', packages: this.#batch });
    this.#batch = [];
    this.#isFirstBatch = false;
  }

  #restart(): void {
    this.#catalogue = new Catalogue();
    this.#batch = [];
    this.#send({ kind: 'restart' });
  }
}
