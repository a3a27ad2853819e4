/** The lines that `serve` and `watch` print. */

import { styleText } from 'node:util';
import type { DeadLetter } from './adapters/local/memory-hints.ts';
import { compareTotals } from './check/architectures.ts';
import type { Extraction } from './extract.ts';
import { systemErrorSentence } from './failures.ts';
import type { ArchitectureCounts } from './index/architecture-counts.ts';
import { heldBackSentence } from './index/hold-back.ts';
import { joinKey } from './keys.ts';
import type { ObjectKey, Repository } from './ports.ts';
import type { ActivityCounts } from './server/activity.ts';
import type { Publication } from './summarize.ts';
import { byteSize, count, duration, printable, repositoryName } from './wording.ts';

/** `indexed All/x-1.0.tgz`; undefined where nothing changed. */
export function extractedLine(key: ObjectKey, extraction: Extraction): string | undefined {
  const name = printable(key);
  if (extraction.outcome === 'removed') return `${styleText('dim', 'removed')} ${name}`;
  if (extraction.outcome !== 'written') return undefined;
  const { row } = extraction;
  if (row.state === 'rejected')
    return `${styleText('red', 'rejected')} ${name}: ${row.reason.code}: ${printable(row.reason.message)}`;
  return `indexed ${name}${row.warnings.length === 0 ? '' : styleText('yellow', ` (${row.warnings.join(', ')})`)}`;
}

/** How an operator confirms what is held back: by where the process can be asked. */
const confirmations = {
  page: 'the page /-/, or POST /-/adopt',
  request: 'POST /-/adopt',
  none: 'stop this, run index --adopt with the same options, and start it again',
} as const;

/** `published All: 5 packages, 1.2 kB`; undefined where there is nothing to report. */
export function publicationLine(
  repository: Repository,
  publication: Publication,
  asked: keyof typeof confirmations,
): string | undefined {
  const name = printable(repositoryName(repository));
  if (publication.outcome === 'waiting')
    return `${name}: keeping the existing index until ${count(publication.missing, 'more package')} can be read`;
  if (publication.outcome === 'held-back')
    return `${name}: ${heldBackSentence(publication.heldBack)}; to publish it: ${confirmations[asked]}`;
  if (publication.outcome !== 'published') return undefined;
  const { summary, bytes } = publication;
  return `${styleText('green', 'published')} ${name}: ${count(summary.records, 'package')}, ${byteSize(bytes)}`;
}

/** Architectures that a line names. */
const architecturesNamedMax = 3;

/** `All: 3 packages for aarch64 beside those for x86_64: …`; undefined where all are for the same machines. */
export function mixtureLine(repository: Repository, counts: ArchitectureCounts): string | undefined {
  const { architecture = '', foreign } = compareTotals(counts === 'too-many' ? new Map() : counts);
  if (counts !== 'too-many' && foreign.length === 0) return undefined;
  const named = foreign
    .slice(0, architecturesNamedMax)
    .map((each) => `${count(each.packages, 'package')} for ${each.architecture}`);
  const others = foreign.length > named.length ? ' and others' : '';
  const mixture =
    counts === 'too-many'
      ? 'packages for many architectures'
      : `${named.join(', ')}${others} beside those for ${architecture}`;
  const name = repositoryName(repository);
  return `${styleText('yellow', 'mixed')} ${printable(`${name}: ${mixture}`)}: pkgin update stops for everyone; check names them, --arch rejects them`;
}

/** `cannot read All/x-1.0.tgz: permission is denied; will retry` */
export function failureLine(what: string, error: unknown): string {
  return `${printable(systemErrorSentence(error, what))}; will retry`;
}

/** @param retryMilliseconds how often dead letters are retried. */
export function deadLetterLine({ hint, error, tries }: DeadLetter, retryMilliseconds: number): string {
  const what = `${hint.key} failed ${count(tries, 'time')}`;
  return `${printable(systemErrorSentence(error, what))}; will retry every ${retryMilliseconds / 1000} seconds`;
}

/** @param changes how many packages differ from their rows. */
export function comparedLine(directory: string, packages: number, repositories: number, changes: number): string {
  const state = changes === 0 ? 'up to date' : `${count(changes, 'change')} to process`;
  return `${directory}: ${count(packages, 'package')} in ${count(repositories, 'repository', 'repositories')}, ${state}`;
}

export interface Greeted {
  readonly directory: string;
  /** Where the server listens, and the URL for clients; without a slash at their end. */
  readonly listening: string;
  readonly url: string;
  /** The first ones; where there is none, one to begin with is named. */
  readonly repositories: readonly Repository[];
  /** Who may upload. `not-loopback`: local uploads were asked for, on an address that others can reach. */
  readonly uploads: 'token' | 'local' | 'off' | 'not-loopback';
}

/** How to use the server. */
export function greeting({ directory, listening, url, repositories, uploads }: Greeted): string[] {
  const shown = repositories.length === 0 ? ['All'] : repositories;
  const urls = shown.map((name) => `${url}/${joinKey(name, '').split('/').map(encodeURIComponent).join('/')}`);
  return [
    `serving ${directory} on ${listening}/`,
    'for pkgin, add to repositories.conf:',
    ...urls.map((each) => `  ${each.replace(/\/$/, '')}`),
    uploadLines[uploads].replace('URL', urls[0] ?? ''),
    `status:  ${url}/-/    to stop: Ctrl-C`,
  ];
}

/** For a directory that others serve. */
export function watchGreeting(directory: string): string {
  return `watching ${directory}    to stop: Ctrl-C`;
}

const uploadLines: Readonly<Record<Greeted['uploads'], string>> = {
  token: 'to upload:  curl -T PACKAGE.tgz -H "Authorization: Bearer TOKEN" URL',
  local: 'to upload:  curl -T PACKAGE.tgz URL  (this machine alone: never put a proxy before it)',
  off: 'uploads are off: permit them with --upload-token TOKEN, or for this machine alone with --local-uploads',
  'not-loopback': 'uploads are off: --local-uploads needs --host 127.0.0.1; permit them with --upload-token TOKEN',
};

/** `stopped after 3 min: 5 uploads, 7 indexed, 4 publications` */
export function farewell(counts: ActivityCounts, milliseconds: number): string {
  const { uploads, indexed, rejected, removed, publications } = counts;
  const facts = [
    uploads > 0 && count(uploads, 'upload'),
    indexed > 0 && `${indexed} indexed`,
    rejected > 0 && `${rejected} rejected`,
    removed > 0 && `${removed} removed`,
    publications > 0 && count(publications, 'publication'),
  ].filter((fact) => fact !== false);
  return `stopped after ${duration(milliseconds)}: ${facts.length === 0 ? 'there was nothing to do' : facts.join(', ')}`;
}
