/** `index DIR`: brings the indexes of all repositories below a directory up to date, once. */

import type { Repository } from '../functions/ports.ts';
import type { Publication } from '../functions/summarize.ts';
import type { IndexFormatName } from '../functions/summary/index-formats.ts';
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
