/**
 * Where packages with known records lie: the fixtures, and beside the repository (`../shared`) more of them, which not everybody
 * has. See test/fixtures/corpus/README.md for what the verdicts mean.
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const repositoryRoot = join(import.meta.dirname, '..');

export type Verdict = 'record' | 'reject' | 'either';

export interface CorpusPackage {
  readonly file: string;
  readonly verdict: Verdict;
  readonly exercises: string;
  bytes(): Buffer;
  /** What pkg_info prints; undefined where it prints nothing. */
  expected(): Buffer | undefined;
}

export interface Corpus {
  /** Relative to the repository. */
  readonly directory: string;
  /** False, or why its tests are skipped. */
  readonly absent: string | false;
  /** Those of EXPECTED.tsv that are there. */
  readonly packages: readonly CorpusPackage[];
}

export const fixtureCorpus = corpusIn('test/fixtures/corpus');

/** The fixtures, and the whole corpus where it is there. */
export const corpora: readonly Corpus[] = [fixtureCorpus, corpusIn('../shared/corpus')];

/** One package of the fixtures. */
export function corpusPackage(file: string): CorpusPackage {
  const found = fixtureCorpus.packages.find((entry) => entry.file === file);
  if (found === undefined) throw new Error(`there is no fixture ${file}`);
  return found;
}

export interface PublishedPackages {
  readonly directory: string;
  readonly absent: string | false;
  /** `file` and the record that its publisher's pkg_info printed. */
  readonly packages: readonly { readonly file: string; readonly record: Buffer; bytes(): Buffer }[];
}

/** Third-party packages of a public repository with its own pkg_summary: never part of this project. */
export const publishedPackages = publishedIn('../shared/real');

function corpusIn(directory: string): Corpus {
  const path = (file: string) => join(repositoryRoot, directory, file);
  const absent = reasonWhereAbsent(directory, 'EXPECTED.tsv');
  const rows = absent === false ? readFileSync(path('EXPECTED.tsv'), 'utf8').trimEnd().split('\n').slice(1) : [];
  const packages = rows.flatMap((row): CorpusPackage[] => {
    const [file = '', verdict, , , exercises = ''] = row.split('\t');
    if (!existsSync(path(file))) return [];
    return [
      {
        file,
        verdict: verdict as Verdict,
        exercises,
        bytes: () => readFileSync(path(file)),
        expected: () => (existsSync(path(`${file}.summary`)) ? readFileSync(path(`${file}.summary`)) : undefined),
      },
    ];
  });
  return { directory, absent, packages };
}

function publishedIn(directory: string): PublishedPackages {
  const path = (file: string) => join(repositoryRoot, directory, file);
  const absent = reasonWhereAbsent(directory, 'pkg_summary.txt');
  const summary = absent === false ? readFileSync(path('pkg_summary.txt'), 'latin1') : '';
  const records = summary.split(/(?<=\n\n)/);
  const packages = records.map((record) => {
    const file = /^FILE_NAME=(.*)$/m.exec(record)?.[1] ?? '';
    return { file, record: Buffer.from(record, 'latin1'), bytes: () => readFileSync(path(file)) };
  });
  return { directory, absent, packages };
}

function reasonWhereAbsent(directory: string, file: string): string | false {
  return existsSync(join(repositoryRoot, directory, file)) ? false : `there is no ${directory} beside the repository`;
}
