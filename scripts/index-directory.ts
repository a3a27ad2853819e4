/** `index DIR`: brings the indexes of all repositories below a directory up to date, once. */

import { SingleBar } from 'cli-progress';
import { blockingCalls } from '../functions/adapters/file-calls.ts';
import type { ObjectKey, Repository } from '../functions/ports.ts';
import type { Publication } from '../functions/summarize.ts';
import type { IndexFormatName } from '../functions/summary/index-formats.ts';
import { type ExitCode, exitCodes, systemErrorSentence } from './exit.ts';
import { ExtractThreads, FewOrMany } from './extract-threads.ts';
import { LocalIndexer, tableFile } from './local-indexer.ts';
import { byteSize, count, duration, printable, repositoryName } from './wording.ts';

export interface IndexOptions {
  readonly state?: string;
  readonly formats: readonly IndexFormatName[];
  /** Read every package again, whether it changed or not. */
  readonly force?: boolean;
}

export async function indexDirectory(
  directory: string,
  { state, formats, force = false }: IndexOptions,
): Promise<ExitCode> {
  const changed = new Set<Repository>();
  const progress = new Progress();
  let failures = 0;
  const fail = (sentence: string): void => {
    failures += 1;
    progress.say(printable(sentence));
  };
  const indexer = await LocalIndexer.open({
    directory,
    stateDirectory: state,
    formats,
    calls: blockingCalls,
    events: {
      onChange: (repository) => changed.add(repository),
      onExtracted: (key, extraction) => {
        const row = extraction.outcome === 'removed' ? undefined : extraction.row;
        progress.extracted(1, row?.state === 'rejected' ? [{ key, ...row.reason }] : []);
      },
      onDeadLetter: ({ hint, error }) => fail(systemErrorSentence(error, `${hint.key} could not be indexed`)),
      onNotice: (sentence) => progress.say(sentence),
    },
  });
  const { directory: root, stateDirectory } = indexer;
  const threads = new ExtractThreads({
    place: { directory: root, stateDirectory, table: tableFile(stateDirectory) },
    onNews: (news) => {
      for (const repository of news.changed) changed.add(repository);
      progress.extracted(news.hints, news.rejected);
      for (const sentence of news.failed) fail(sentence);
    },
  });
  try {
    const hints = new FewOrMany(indexer.hints, threads);
    const found = await indexer.reindex({ force }, hints);
    progress.start(found.hints);
    await hints.idle();
    progress.stop();
    let rejected = 0;
    for (const repository of [...changed].sort()) {
      const begin = performance.now();
      const publication = await indexer.summarize(repository);
      if (publication.outcome === 'absent') continue;
      rejected += publication.summary.rejected;
      console.log(describe(repository, publication, performance.now() - begin));
    }
    if (changed.size === 0) console.log(`no packages below ${directory}`);
    if (failures > 0) return exitCodes.couldNotRun;
    return rejected > 0 ? exitCodes.rejected : exitCodes.done;
  } finally {
    progress.stop();
    await threads.close();
    await indexer.close();
  }
}

/** `All: 5 packages, 0 rejected, 2 warnings, 1.2 kB published, 0.1 s` */
function describe(
  repository: Repository,
  publication: Exclude<Publication, { outcome: 'absent' }>,
  milliseconds: number,
): string {
  const { records, rejected, warnings } = publication.summary;
  const facts = [count(records, 'package'), `${rejected} rejected`, count(warnings, 'warning')];
  return `${printable(repositoryName(repository))}: ${[...facts, describeOutcome(publication), duration(milliseconds)].join(', ')}`;
}

function describeOutcome(publication: Exclude<Publication, { outcome: 'absent' }>): string {
  switch (publication.outcome) {
    case 'published':
      return `${byteSize(publication.bytes)} published`;
    case 'unchanged':
      return 'index unchanged';
    case 'waiting':
      return `old index kept: ${count(publication.missing, 'package')} could not be read yet`;
  }
}

/** A bar on a terminal, a line for each rejected package anywhere. */
class Progress {
  #bar: SingleBar | undefined;
  #done = 0;

  start(hints: number): void {
    if (!process.stderr.isTTY || hints === 0) return;
    this.#bar = new SingleBar({
      format: 'reading packages [{bar}] {value}/{total}, {eta_formatted} left',
      stream: process.stderr,
    });
    this.#bar.start(hints, Math.min(hints, this.#done));
  }

  extracted(hints: number, rejected: readonly { readonly key: ObjectKey; code: string; message: string }[]): void {
    this.#done += hints;
    this.#bar?.increment(hints);
    for (const { key, code, message } of rejected)
      this.say(`${printable(key)}: rejected: ${code}: ${printable(message)}`);
  }

  say(line: string): void {
    if (this.#bar !== undefined) process.stderr.write('\r\x1b[K');
    console.error(line);
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
