/** `check DIR|--stack NAME`: whether the packages of each repository fit together. Reads the table alone, and changes nothing. */

import { styleText } from 'node:util';
import type { ConsistencyReport } from '../../functions/check/consistency.ts';
import { countFindings, sumOf } from '../../functions/check/findings.ts';
import { checkRows } from '../../functions/check/repository-facts.ts';
import { CannotRun, type ExitCode, exitCodes } from '../../functions/failures.ts';
import { joinKey } from '../../functions/keys.ts';
import type { RecordTable, Repository } from '../../functions/ports.ts';
import { count, printable, repositoryName } from '../../functions/wording.ts';
import { type Cell, type Column, textTable } from '../terminal/text-table.ts';
import { openReadOnly, type ReadOnlyOptions, readTarget } from './open-read-only.ts';

/** What was found in one repository. */
interface Checked {
  readonly repository: Repository;
  /** Undefined where there is too much to keep. */
  readonly report: ConsistencyReport | undefined;
}

export async function check(directory: string | undefined, options: ReadOnlyOptions): Promise<ExitCode> {
  const checked = await checkPlace(directory, options);
  if (options.json) console.log(JSON.stringify({ repositories: checked.map(forPrograms) }, undefined, 2));
  else console.log(describeAll(checked));
  if (checked.some(({ report }) => report === undefined)) return exitCodes.couldNotRun;
  return checked.some((each) => findingsOf(each) > 0) ? exitCodes.found : exitCodes.done;
}

async function checkPlace(directory: string | undefined, options: ReadOnlyOptions): Promise<Checked[]> {
  const place = readTarget(directory, options);
  if (place.kind === 'stack') {
    // The SDK takes longer to load than a look at a directory takes in all.
    const { openStack } = await import('../aws/stack-stores.ts');
    const { records, prefixes } = await openStack(place.stack, options);
    const checked = await checkTable(records, prefixes);
    if (checked.length > 0) return checked;
    throw new CannotRun(
      `nothing is in the table of ${place.stack} yet: "npm run status -- --stack ${place.stack}" says what waits`,
    );
  }
  const { records } = await openReadOnly(place.directory, options.state);
  try {
    const checked = await checkTable(records, []);
    if (checked.length > 0) return checked;
    throw new CannotRun(`nothing was indexed in ${place.directory} yet: run "index ${place.directory}" first`);
  } finally {
    records.close();
  }
}

/** @param prefixes of the keys that are watched, each with its trailing `/`; none: every key. */
async function checkTable(records: RecordTable, prefixes: readonly string[]): Promise<Checked[]> {
  const checked: Checked[] = [];
  const isWatched = (repository: Repository) =>
    prefixes.length === 0 || prefixes.some((prefix) => joinKey(repository, '').startsWith(prefix));
  for await (const repository of records.repositories()) {
    if (!isWatched(repository)) continue;
    const report = await checkRows(records.rows(repository));
    if (report?.packages !== 0) checked.push({ repository, report });
  }
  return checked.sort((a, b) => (a.repository < b.repository ? -1 : 1));
}

/** `docs/json.md` describes it. */
function forPrograms({ repository, report }: Checked): unknown {
  return { repository, report: report ?? null, findings: report === undefined ? null : countFindings(report) };
}

function findingsOf({ report }: Checked): number {
  return report === undefined ? 0 : sumOf(countFindings(report));
}

function describeAll(checked: readonly Checked[]): string {
  const findings = checked.reduce((sum, each) => sum + findingsOf(each), 0);
  const packages = checked.reduce((sum, { report }) => sum + (report?.packages ?? 0), 0);
  const all = `${count(packages, 'package')} in ${count(checked.length, 'repository', 'repositories')}`;
  const end =
    findings === 0
      ? styleText('green', `${all}: nothing is missing, and nothing is there twice`)
      : styleText('yellow', `${all}: ${count(findings, 'finding')}`);
  return [...checked.filter((each) => each.report === undefined || findingsOf(each) > 0).map(describe), end].join(
    '\n\n',
  );
}

function describe({ repository, report }: Checked): string {
  const name = styleText('bold', printable(repositoryName(repository)));
  if (report === undefined) return `${name}: its records hold too much to be checked at once`;
  const { packages, missingDependencies, missingLibraries, duplicateNames, duplicatePaths } = report;
  const tables = [
    describeKind(
      ['DEPENDENCY THAT NOTHING HERE SATISFIES', 'NEEDED BY'],
      missingDependencies.map(({ pattern, problem, neededBy }) => ({
        what: problem === undefined ? pattern : `${pattern} (${problem})`,
        packages: neededBy,
      })),
    ),
    describeKind(
      ['LIBRARY THAT NOTHING HERE PROVIDES', 'REQUIRED BY'],
      missingLibraries.map(({ library, neededBy }) => ({ what: library, packages: neededBy })),
    ),
    describeKind(
      ['PKGNAME OF SEVERAL FILES (CLIENTS SEE ONE)', 'FILES'],
      duplicateNames.map(({ name: what, files }) => ({ what, packages: files })),
    ),
    describeKind(
      ['PKGPATH OF SEVERAL VERSIONS', 'PACKAGES'],
      duplicatePaths.map(({ path, names }) => ({ what: path, packages: names })),
    ),
  ].flat();
  return [`${name}: ${count(packages, 'package')}`, ...tables].join('\n\n');
}

interface Finding {
  readonly what: string;
  readonly packages: readonly string[];
}

function describeKind([what, packages]: readonly [string, string], findings: readonly Finding[]): string[] {
  if (findings.length === 0) return [];
  const columns: readonly Column[] = [
    { title: `${what}: ${findings.length.toLocaleString('en')}`, wraps: true },
    { title: packages, wraps: true },
  ];
  const rows = findings.map((finding): readonly Cell[] => [
    { text: printable(finding.what), style: 'yellow' },
    describePackages(finding.packages),
  ]);
  return [textTable(columns, rows).join('\n')];
}

/** So many packages say which one it is about; `--json` has them all. */
const packagesMax = 5;

function describePackages(packages: readonly string[]): string {
  const shown = packages.slice(0, packagesMax).map(printable).join(', ');
  return packages.length <= packagesMax
    ? shown
    : `${shown} and ${count(packages.length - packagesMax, 'more', 'more')}`;
}
