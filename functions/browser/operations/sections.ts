/** The parts of the page. Whatever comes from a package is text. */

import { sumOf } from '../../check/findings.ts';
import type { RetryRequest, ServedRepository, ServiceStatus } from '../../server/service-status.ts';
import { button, element } from '../packages/elements.ts';
import { countText, numberText, sizeText } from '../packages/wording.ts';
import { latencySparkline } from './sparkline.ts';
import { spanText, timeText } from './wording.ts';

type Content = readonly (Node | string)[];

/** Rows of a list; `/-/status` has all of them. */
const rowsMax = 100;
const publicationsShown = 10;

/** What somebody who presses a button asks for. */
export interface Retrying {
  readonly retry: (request: RetryRequest) => void;
}

/** Keys (or `all`) that were asked for, with what is to be said of it. */
export type Asked = Readonly<Record<string, string>>;

export function figures(status: ServiceStatus): Content {
  const { repositories, queue, counts } = status;
  const sum = (of: (repository: ServedRepository) => number) =>
    repositories.reduce((total, repository) => total + of(repository), 0);
  const rejected = sum((each) => each.rejected.length);
  const pending = sum((each) => each.pending.length);
  const findings = sum(({ findings: found }) => (found === null ? 0 : sumOf(found)));
  const warnings = sum((each) => Object.values(each.warnings).reduce((total, number) => total + number, 0));
  return [
    element('h2', { class: 'unseen', tabindex: -1 }, 'Figures'),
    element(
      'dl',
      { class: 'figures' },
      figure(
        'Packages',
        numberText(sum((each) => each.packages)),
        `${sizeText(sum((each) => each.packageBytes)) || '0 B'} in ${countText(repositories.length, 'repository', 'repositories')}`,
      ),
      figure('Pending', numberText(pending), `${numberText(queue.pending)} being looked at`, pending > 0 && 'warn'),
      figure('Rejected', numberText(rejected), `${countText(warnings, 'warning')}`, rejected > 0 ? 'bad' : 'good'),
      figure('Do not fit together', numberText(findings), 'dependencies, libraries, doubles', findings > 0 && 'warn'),
      figure(
        'Dead letters',
        numberText(queue.deadLetters.length),
        'could not be read; tried every 15 s',
        queue.deadLetters.length > 0 ? 'bad' : 'good',
      ),
      figure(
        'Publications',
        numberText(counts.publications),
        `${countText(counts.uploads, 'upload')}, ${numberText(counts.indexed)} indexed, ${numberText(counts.removed)} removed`,
      ),
      figure('Up', spanText(1000 * status.uptimeSeconds), `since ${timeText(status.startedAt)}`),
      figure('Memory', sizeText(status.memoryBytes), 'of the whole process'),
    ),
  ];
}

function figure(
  title: string,
  value: string,
  more: string,
  mood: 'good' | 'bad' | 'warn' | false = false,
): HTMLElement {
  return element(
    'div',
    { class: mood },
    element('dt', {}, title),
    element('dd', {}, value, element('small', {}, more)),
  );
}

export function repositories(all: readonly ServedRepository[]): Content {
  if (all.length === 0)
    return [heading('Repositories'), element('p', { class: 'muted' }, 'None yet: upload a package.')];
  const rows = all.map((each) => {
    const warnings = Object.entries(each.warnings);
    return element(
      'tr',
      {},
      element('td', { class: 'name' }, element('a', { href: pathOf(each.repository) }, nameOf(each.repository))),
      number(each.packages),
      element('td', { class: 'numeric' }, sizeText(each.packageBytes) || '0 B'),
      number(each.rejected.length, 'bad'),
      number(each.pending.length, 'warn'),
      element(
        'td',
        { class: warnings.length > 0 ? 'numeric warn' : 'numeric' },
        warnings.map(([code, packages]) => `${numberText(packages)} ${code}`).join(', ') || '0',
      ),
      each.findings === null
        ? element('td', { class: 'numeric' }, 'too many to check')
        : number(sumOf(each.findings), 'warn'),
      element('td', { class: 'numeric' }, published(each)),
    );
  });
  const titles = ['Repository', 'Packages', 'Size', 'Rejected', 'Pending', 'Warnings', 'Findings', 'Published'];
  return [heading('Repositories', all.length), table('Repositories', titles, rows)];
}

function published({ indexes, isAdopted, pending }: ServedRepository): string | Node {
  const [latest] = indexes;
  if (latest === undefined) return 'not yet';
  const sizes = indexes.map(({ file, bytes }) => `${file}: ${sizeText(bytes)}`).join(', ');
  const shown = element('time', { datetime: latest.published, title: sizes }, timeText(latest.published));
  if (isAdopted || pending.length === 0) return shown;
  return element('span', { class: 'warn' }, shown, ' (kept until nothing is pending)');
}

export interface Troubles {
  readonly rejected: readonly { readonly key: string; readonly code: string; readonly message: string }[];
  readonly asked: Asked;
}

export function rejected({ rejected: all, asked }: Troubles, retrying: Retrying): Content {
  if (all.length === 0) return [];
  const rows = all
    .slice(0, rowsMax)
    .map(({ key, code, message }) =>
      element(
        'tr',
        {},
        element('td', { class: 'name' }, key),
        element('td', { class: 'reason' }, element('span', { class: 'code' }, code), ` ${message}`),
        element('td', { class: 'action' }, retryButton({ key }, key, asked, retrying)),
      ),
    );
  const everything = retryButton({ all: true }, 'everything that is rejected or pending', asked, retrying);
  return [
    heading('Rejected', all.length, everything),
    element(
      'p',
      { class: 'muted' },
      'These are in no index. A good package in the place of a bad one heals this by itself.',
    ),
    table('Rejected packages', ['Package', 'Because', 'Again'], rows),
    ...more(all.length, rowsMax),
  ];
}

export interface Waiting {
  readonly pending: readonly string[];
  readonly deadLetters: ServiceStatus['queue']['deadLetters'];
  readonly asked: Asked;
}

export function waiting({ pending, deadLetters, asked }: Waiting, retrying: Retrying): Content {
  const dead = deadLetters
    .slice(0, rowsMax)
    .map(({ key, message, tries, at }) =>
      element(
        'tr',
        {},
        element('td', { class: 'name' }, key),
        element('td', { class: 'reason' }, message),
        element('td', { class: 'numeric', title: 'Tries:' }, numberText(tries)),
        element('td', { class: 'numeric', title: 'Last:' }, element('time', { datetime: at }, timeText(at))),
        element('td', { class: 'action' }, retryButton({ key }, key, asked, retrying)),
      ),
    );
  const keys = pending.slice(0, rowsMax).map((key) => element('li', {}, element('code', {}, key)));
  return [
    ...(dead.length === 0
      ? []
      : [
          heading('Could not be read', deadLetters.length),
          table('Dead letters', ['Package', 'Because', 'Tries', 'Last', 'Again'], dead),
          ...more(deadLetters.length, rowsMax),
        ]),
    ...(keys.length === 0
      ? []
      : [
          heading('Pending', pending.length),
          element('ul', { class: 'links' }, ...keys),
          ...more(pending.length, rowsMax),
        ]),
  ];
}

export function publications(all: ServiceStatus['publications']): Content {
  if (all.length === 0)
    return [heading('Publications'), element('p', { class: 'muted' }, 'None since the start: no index had to change.')];
  const rows = all
    .slice(0, publicationsShown)
    .map(({ repository, at, packages, bytes, milliseconds, latency }) =>
      element(
        'tr',
        {},
        element('td', {}, element('time', { datetime: at }, timeText(at))),
        element('td', { class: 'name' }, nameOf(repository)),
        number(packages),
        element('td', { class: 'numeric' }, sizeText(bytes)),
        element('td', { class: 'numeric' }, spanText(milliseconds)),
        latency === null ? element('td', { class: 'numeric muted' }, '–') : number(latency.changes),
        element('td', { class: 'numeric' }, latency === null ? '' : spanText(latency.medianMilliseconds)),
      ),
    );
  const titles = ['Time', 'Repository', 'Packages', 'Index', 'Took', 'Changes', 'Upload to index'];
  const sparkline = latencySparkline(all);
  return [
    heading('Publications'),
    ...(sparkline === undefined ? [] : [sparkline]),
    table('The last publications', titles, rows),
  ];
}

export function findings(all: readonly Pick<ServedRepository, 'repository' | 'report' | 'findings'>[]): Content {
  const broken = all.filter(({ findings: found }) => found !== null && sumOf(found) > 0);
  if (broken.length === 0) return [];
  return [
    heading('What does not fit together'),
    element(
      'p',
      { class: 'muted' },
      'Nothing is kept from being published by this; who installs such a package finds out.',
    ),
    ...broken.flatMap(({ repository, report, findings: found }) =>
      report === null || found === null ? [] : [findingsOf(repository, report, found)],
    ),
  ];
}

type Report = NonNullable<ServedRepository['report']>;

function findingsOf(repository: string, report: Report, found: NonNullable<ServedRepository['findings']>): Node {
  const kinds: readonly (readonly [
    title: string,
    all: number,
    items: readonly (readonly [string, readonly string[]])[],
  ])[] = [
    [
      'Nothing satisfies',
      found.missingDependencies,
      report.missingDependencies.map(({ pattern, neededBy }) => [pattern, neededBy] as const),
    ],
    [
      'Nothing provides',
      found.missingLibraries,
      report.missingLibraries.map(({ library, neededBy }) => [library, neededBy] as const),
    ],
    [
      'Several files, one PKGNAME',
      found.duplicateNames,
      report.duplicateNames.map(({ name, files }) => [name, files] as const),
    ],
    [
      'Several versions of one PKGPATH',
      found.duplicatePaths,
      report.duplicatePaths.map(({ path, names }) => [path, names] as const),
    ],
  ];
  return element(
    'details',
    {},
    element('summary', {}, `${nameOf(repository)} `, element('span', { class: 'count' }, numberText(sumOf(found)))),
    ...kinds.flatMap(([title, all, items]) =>
      items.length === 0
        ? []
        : [
            element('h3', {}, `${title} `, element('span', { class: 'count' }, numberText(all))),
            element('ul', {}, ...items.map(findingItem)),
            ...more(all, items.length),
          ],
    ),
  );
}

function findingItem([what, packages]: readonly [string, readonly string[]]): Node {
  return element('li', {}, element('code', {}, what), element('span', { class: 'muted' }, ` ${packages.join(', ')}`));
}

function heading(title: string, length?: number, action?: Node): Node {
  const counted = length !== undefined && element('span', { class: 'count' }, numberText(length));
  return element('h2', { tabindex: -1 }, title, counted, action);
}

/** All others are aligned to the right. */
const textColumns = ['Repository', 'Package', 'Because', 'Time'];

/** What of it stays out of sight on a narrow screen can be scrolled to, also without a mouse. */
function table(name: string, titles: readonly string[], rows: readonly Node[]): Node {
  const cells = titles.map((title) =>
    element('th', { class: textColumns.includes(title) ? undefined : 'numeric' }, title),
  );
  const head = element('thead', {}, element('tr', {}, ...cells));
  const content = element('table', { class: titles.includes('Again') && 'again' }, head, element('tbody', {}, ...rows));
  return element('div', { class: 'scroll', role: 'region', 'aria-label': name, tabindex: 0 }, content);
}

function number(value: number, mood?: 'bad' | 'warn'): HTMLElement {
  return element('td', { class: value > 0 && mood ? `numeric ${mood}` : 'numeric' }, numberText(value));
}

function more(all: number, shown: number): Node[] {
  return all <= shown ? [] : [element('p', { class: 'muted' }, `… and ${numberText(all - shown)} more.`)];
}

function retryButton(request: RetryRequest, what: string, asked: Asked, { retry }: Retrying): Node {
  const said = asked['key' in request ? request.key : 'all'];
  if (said !== undefined) return element('span', { class: 'muted' }, said);
  const title = 'key' in request ? 'Retry' : 'Retry all';
  return button({ 'aria-label': `${title}: ${what}` }, () => retry(request), title);
}

function nameOf(repository: string): string {
  return repository === '' ? '(top directory)' : repository;
}

function pathOf(repository: string): string {
  return repository === '' ? '/' : `/${repository.split('/').map(encodeURIComponent).join('/')}/`;
}
