/** What came and what went between two consistency reports of a repository, in a line. */

import type { ConsistencyReport } from '../check/consistency.ts';
import { countFindings, sumOf } from '../check/findings.ts';
import { count, printable } from '../wording.ts';

/** So many are named; the rest is counted. */
const namedMax = 3;

/** @param before undefined: nothing was known. @returns undefined where nothing came and nothing went. */
export function findingsNews(report: ConsistencyReport, before: ConsistencyReport | undefined): string | undefined {
  const now = findingsOf(report);
  const then = before === undefined ? new Map<string, string>() : findingsOf(before);
  const came = [...now].filter(([key]) => !then.has(key)).map(([, text]) => text);
  const went = [...then].filter(([key]) => !now.has(key)).map(([, text]) => text);
  const parts = [
    ...(came.length === 0 ? [] : [`does not fit together: ${named(came)}`]),
    ...(went.length === 0 ? [] : [`fits together again: ${named(went)}`]),
  ];
  if (parts.length === 0) return undefined;
  const left = sumOf(countFindings(report));
  return `${parts.join('; ')} (${left === 0 ? 'nothing else is wrong' : `${count(left, 'finding')} in all`})`;
}

/** Each by what tells it from the others. */
function findingsOf(report: ConsistencyReport): Map<string, string> {
  const { missingDependencies, missingLibraries, duplicateNames, duplicatePaths } = report;
  return new Map([
    ...missingDependencies.map(
      ({ pattern, neededBy }) => [`dependency ${pattern}`, `${pattern}, which ${users(neededBy)} needs`] as const,
    ),
    ...missingLibraries.map(
      ({ library, neededBy }) => [`library ${library}`, `${library}, which ${users(neededBy)} requires`] as const,
    ),
    ...duplicateNames.map(({ name, files }) => [`name ${name}`, `${name} in ${files.join(' and ')}`] as const),
    ...duplicatePaths.map(({ path, names }) => [`path ${path}`, `${names.join(' and ')} of ${path}`] as const),
  ]);
}

function users(names: readonly string[]): string {
  const [first = ''] = names;
  return names.length === 1 ? first : `${first} (and ${names.length - 1} more)`;
}

function named(texts: readonly string[]): string {
  const shown = texts.slice(0, namedMax).map(printable).join(', ');
  return texts.length <= namedMax ? shown : `${shown} and ${texts.length - namedMax} more`;
}
