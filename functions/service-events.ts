/** What `serve` makes of the events of its indexer: lines of the log, counts, and deliveries to hooks. */

import { DirectoryLost } from './adapters/local/directory-tree.ts';
import type { Hooks } from './adapters/local/hooks.ts';
import { deadLetterLine, extractedLine, failureLine, mixtureLine, publicationLine } from './console-messages.ts';
import type { LocalIndexerEvents } from './local.ts';
import type { Log, LogLevel } from './log.ts';
import { publicationEvent } from './publication-event.ts';
import type { Activity } from './server/activity.ts';
import { repositoryName } from './wording.ts';

/**
 * Logs what the indexer does, counts it, and sends publications to the hooks. A failure is logged once, and again only after a success.
 * @param retryMilliseconds how often dead letters are retried.
 * @param asked where the operator can ask this process to publish what is held back.
 */
export function reportedEvents(
  log: Log,
  activity: Activity,
  hooks: Hooks,
  retryMilliseconds: number,
  asked: 'page' | 'request' | 'none',
): LocalIndexerEvents {
  const logIfAny = (line: string | undefined, level?: LogLevel) => line !== undefined && log(line, level);
  return {
    onNotice: (sentence) => log(sentence, 'warn'),
    onUploaded: (key) => activity.uploaded(key),
    onRemoved: (key) => activity.heard(key),
    onExtracted: (key, extraction) => {
      const isRejected = extraction.outcome === 'written' && extraction.row.state === 'rejected';
      logIfAny(extractedLine(key, extraction), isRejected ? 'warn' : 'info');
      activity.extracted(key, extraction);
    },
    onExtractFailed: (key, error, tries) => {
      if (tries === 1) reportFailure(log, `cannot read ${key}`, error);
    },
    onDeadLetter: (letter) => {
      if (!(letter.error instanceof DirectoryLost)) log(deadLetterLine(letter, retryMilliseconds), 'error');
    },
    onSummarized: (repository, publication, startedAt) => {
      logIfAny(
        publicationLine(repository, publication, asked),
        ['waiting', 'held-back'].includes(publication.outcome) ? 'warn' : 'info',
      );
      if (publication.outcome === 'published')
        logIfAny(mixtureLine(repository, publication.summary.architectures), 'warn');
      activity.summarized(repository, publication, startedAt);
      if (publication.outcome === 'published') hooks.published(publicationEvent(repository, publication));
    },
    onSummarizeFailed: (repository, error, failures) => {
      if (failures === 1) reportFailure(log, `cannot publish the index of ${repositoryName(repository)}`, error);
    },
  };
}

/** The loss of the directory is reported once, and not for every package in it. */
export function reportFailure(log: Log, what: string, error: unknown): void {
  if (!(error instanceof DirectoryLost)) log(failureLine(what, error), 'warn');
}
