/** `index DIR`: brings the indexes of all repositories below a directory up to date, once. */

import { SingleBar } from 'cli-progress';
import type { Extraction } from '../functions/extract.ts';
import type { ObjectKey, Repository } from '../functions/ports.ts';
import type { Publication } from '../functions/summarize.ts';
import type { IndexFormatName } from '../functions/summary/index-formats.ts';
import type { Summary } from '../functions/summary/summary.ts';
import { type ExitCode, exitCodes, systemErrorSentence } from './exit.ts';
import { LocalIndexer } from './local-indexer.ts';
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
  const indexer = await LocalIndexer.open({
    directory,
    stateDirectory: state,
    formats,
    events: {
      onChange: (repository) => changed.add(repository),
      onExtracted: (key, extraction) => progress.extracted(key, extraction),
      onDeadLetter: ({ hint, error }) => {
        failures += 1;
        progress.say(printable(systemErrorSentence(error, `${hint.key} could not be indexed`)));
      },
      onNotice: (sentence) => progress.say(sentence),
    },
  });
  try {
    const { hints } = await indexer.reindex({ force });
    progress.start(hints);
    await indexer.hints.idle();
    progress.stop();
    let rejected = 0;
    for (const repository of [...changed].sort()) {
      const begin = performance.now();
      const publication = await indexer.summarize(repository, 'all');
      const facts = describe(publication);
      if (facts.length === 0) continue;
      if ('summary' in publication) rejected += publication.summary.counted?.rejected ?? 0;
      const line = [...facts, duration(performance.now() - begin)].join(', ');
      console.log(`${printable(repositoryName(repository))}: ${line}`);
    }
    if (changed.size === 0) console.log(`no packages below ${directory}`);
    if (failures > 0) return exitCodes.couldNotRun;
    return rejected > 0 ? exitCodes.rejected : exitCodes.done;
  } finally {
    progress.stop();
    await indexer.close();
  }
}

/** `5 packages`, `0 rejected`, `2 warnings`, `1.2 kB published`; nothing where there is nothing to tell. */
function describe(publication: Publication): string[] {
  switch (publication.outcome) {
    case 'published':
      return [...describeSummary(publication.summary), `${byteSize(publication.bytes)} published`];
    case 'unchanged':
      return [...describeSummary(publication.summary), 'index unchanged'];
    case 'waiting':
      return [`old index kept: ${count(publication.missing, 'package')} could not be read yet`];
    case 'deferred':
    case 'absent':
      return [];
  }
}

function describeSummary({ records, counted }: Summary): string[] {
  const { rejected, warnings } = counted ?? { rejected: 0, warnings: 0 };
  return [count(records, 'package'), `${rejected} rejected`, count(warnings, 'warning')];
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

  extracted(key: ObjectKey, extraction: Extraction): void {
    this.#done += 1;
    this.#bar?.increment();
    const row = extraction.outcome === 'removed' ? undefined : extraction.row;
    if (row?.state === 'rejected')
      this.say(`${printable(key)}: rejected: ${row.reason.code}: ${printable(row.reason.message)}`);
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
