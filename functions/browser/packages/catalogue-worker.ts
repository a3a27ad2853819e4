/** Runs beside the page: reads the index and answers questions about it, so that the page never freezes. */

import { Catalogue, type Column } from './catalogue.ts';
import { figuresOf } from './figures.ts';
import type { ListedPackage } from './listed-package.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { packageDetails } from './package-details.ts';
import { readIndex } from './read-index.ts';
import { Relations } from './relations.ts';

/** The page takes a batch in a few milliseconds. The first one is sent at once, for something to be seen. */
const batchPackages = 1_000;

/** The part of a worker's global scope that is used here; the DOM's types do not have it. */
export interface WorkerScope {
  postMessage(message: FromWorker): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<ToWorker>) => void): void;
}

/** What can be asked once the index is read. */
export type Questions = ReturnType<typeof answersOf>;

export function startWorker(scope: WorkerScope): void {
  const whole = Promise.withResolvers<Questions>();
  scope.addEventListener('message', async ({ data }) => {
    if (data.kind === 'read') {
      const catalogue = await readCatalogue(data.repositoryUrl, (message) => scope.postMessage(message));
      if (catalogue !== undefined) whole.resolve(answersOf(catalogue));
      return;
    }
    const answers = await whole.promise;
    try {
      const answer = answers[data.name](data.about as never);
      scope.postMessage({ kind: 'answer', id: data.id, answer });
    } catch (error) {
      scope.postMessage({ kind: 'failed', problems: [{ file: 'The page', problem: String(error), isAbsent: false }] });
    }
  });
}

/** @returns undefined where it cannot be read. */
async function readCatalogue(repositoryUrl: string, send: (message: FromWorker) => void) {
  let catalogue = new Catalogue();
  let batch: ListedPackage[] = [];
  const sendBatch = () => {
    if (batch.length > 0) send({ kind: 'packages', packages: batch });
    batch = [];
  };
  const reading = await readIndex(repositoryUrl, {
    onRecords: (records) => {
      const isFirst = catalogue.packages.length === 0;
      batch.push(...records.flatMap((record) => catalogue.add(record) ?? []));
      if (isFirst || batch.length >= batchPackages) sendBatch();
    },
    onRestart: () => {
      catalogue = new Catalogue();
      batch = [];
      send({ kind: 'restart' });
    },
  });
  if (reading.outcome === 'failed') {
    send({ kind: 'failed', problems: reading.problems });
    return undefined;
  }
  sendBatch();
  send({ kind: 'read', index: reading.index });
  return catalogue;
}

function answersOf(catalogue: Catalogue) {
  // They take half a second of computing for 27,699 packages, and the list does not need them.
  const relations = once(() => new Relations(catalogue));
  return {
    order: (column: Column) => catalogue.order(column),
    details: (key: string) => packageDetails(catalogue, relations(), key),
    figures: once(() => figuresOf(catalogue, relations())),
    /** Computes what the first package's page would have to wait for otherwise. */
    prepare: () => void relations(),
  };
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
