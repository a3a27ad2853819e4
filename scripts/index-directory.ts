/** `index DIR`: brings the indexes of all repositories below a directory up to date, once. */

import type { Repository } from '../functions/ports.ts';
import type { Publication } from '../functions/summarize.ts';
import type { IndexFormatName } from '../functions/summary/index-formats.ts';
import type { Summary } from '../functions/summary/summary.ts';
import { type ExitCode, exitCodes, systemErrorSentence } from './exit.ts';
import { LocalIndexer } from './local-indexer.ts';
import { Progress } from './progress.ts';
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
  const progress = new Progress('reading packages');
  const say = (line: string) => progress.say(console.error, line);
  let done = 0;
  let failures = 0;
  const indexer = await LocalIndexer.open({
    directory,
    stateDirectory: state,
    formats,
    events: {
      onChange: (repository) => changed.add(repository),
      onExtracted: (key, extraction) => {
        done += 1;
        progress.update(done);
        const row = extraction.outcome === 'removed' ? undefined : extraction.row;
        if (row?.state === 'rejected')
          say(`${printable(key)}: rejected: ${row.reason.code}: ${printable(row.reason.message)}`);
      },
      onDeadLetter: ({ hint, error }) => {
        failures += 1;
        say(printable(systemErrorSentence(error, `${hint.key} could not be indexed`)));
      },
      onNotice: say,
    },
  });
  try {
    const { hints } = await indexer.reindex({ force });
    progress.start(hints, done);
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
