/** One package: what it is, how to install it, and what it has to do with others. */

import type { PatternProblem } from '../../version/pattern.ts';
import { copiedLine } from './copied-line.ts';
import { element } from './elements.ts';
import { fileReference, installCommands } from './install-commands.ts';
import type { PackageDetails } from './package-details.ts';
import { packageAnchor, packageLinkList } from './package-links.ts';
import { formatRoute, wholeList } from './route.ts';
import { webLink } from './web-link.ts';
import { countText, numberText, sizeText } from './wording.ts';

/** Why no package at all could satisfy a pattern. */
export const patternProblemTexts: Readonly<Record<PatternProblem, string>> = {
  'unbalanced-braces': 'its braces do not match',
  'too-many-alternatives': 'it has too many alternatives',
  'too-long': 'it is too long',
  'too-complicated': 'it takes too long to match',
};

/** @param repositoryUrl with the slash at its end. */
export function packageView(details: PackageDetails, repositoryUrl: string): HTMLElement {
  const { listed } = details;
  return element(
    'article',
    { class: 'package-view' },
    element(
      'header',
      {},
      element(
        'h1',
        { tabindex: -1 },
        listed.base,
        listed.version !== '' && element('span', { class: 'version' }, ` ${listed.version}`),
      ),
      element('p', { class: 'lead' }, listed.comment),
      element(
        'p',
        { class: 'chips' },
        ...details.categories.map((category) =>
          element('a', { class: 'chip', href: formatRoute({ ...wholeList, category }) }, category),
        ),
      ),
    ),
    warnings(details),
    element(
      'div',
      { class: 'columns' },
      element('div', { class: 'wide' }, install(details, repositoryUrl), description(details), relations(details)),
      element('aside', { 'aria-label': 'Facts' }, facts(details)),
    ),
  );
}

/** Where the repository has no package of that name (any more). */
export function missingPackageView(key: string): HTMLElement {
  return element(
    'article',
    { class: 'package-view' },
    element('h1', { tabindex: -1 }, 'No such package'),
    element(
      'p',
      {},
      'This repository has no package ',
      element('code', {}, key),
      '. It may have been replaced by another version.',
    ),
    element(
      'p',
      {},
      element('a', { href: formatRoute({ ...wholeList, text: key.replace(/-[^-]*$/, '') }) }, 'Search for it'),
    ),
  );
}

function section(
  title: string,
  count: number | undefined,
  ...children: (Node | string | undefined | false)[]
): HTMLElement {
  const heading = element(
    'h2',
    {},
    title,
    count !== undefined && element('span', { class: 'count' }, ` ${numberText(count)}`),
  );
  return element('section', {}, heading, ...children);
}

function warnings({ warnings: found }: PackageDetails): HTMLElement | undefined {
  if (found.length === 0) return undefined;
  const items = found.map(({ code, remedy }) => element('li', {}, element('code', {}, code), ` ${remedy}`));
  return element('section', { class: 'warnings' }, element('h2', {}, 'Warnings'), element('ul', {}, ...items));
}

function install({ listed, file, everythingNeeded }: PackageDetails, repositoryUrl: string): HTMLElement {
  const { pkgin, pkgAdd } = installCommands(repositoryUrl, listed.name, file);
  const size = sizeText(listed.size);
  const besides =
    everythingNeeded.packages === 0
      ? 'It needs no other package.'
      : `With what it needs: ${countText(everythingNeeded.packages, 'further package')}, ${sizeText(everythingNeeded.bytes)}.`;
  return section(
    'Install',
    undefined,
    pkgin === undefined
      ? element('p', { class: 'muted' }, 'pkgin cannot fetch this file: the warnings say why.')
      : copiedLine('pkgin command', pkgin),
    copiedLine('pkg_add command', pkgAdd),
    element(
      'p',
      { class: 'download' },
      element('a', { class: 'button', href: fileReference(file), download: true }, `Download${size && ` (${size})`}`),
      element('span', { class: 'muted' }, besides),
    ),
  );
}

function description({ description: text }: PackageDetails): HTMLElement | undefined {
  return text === '' ? undefined : section('Description', undefined, element('p', { class: 'description' }, text));
}

function relations(details: PackageDetails): HTMLElement {
  const { depends, neededBy, requires, provides, conflicts, supersedes } = details;
  return element(
    'div',
    { class: 'relations' },
    section('Depends on', depends.length, depends.length === 0 ? nothing('Nothing.') : dependencies(details)),
    section(
      'Needed by',
      neededBy.count,
      neededBy.count === 0 ? nothing('No package here.') : packageLinkList(neededBy),
    ),
    conflicts.length > 0 &&
      section(
        'Conflicts with',
        conflicts.length,
        element(
          'ul',
          { class: 'dependencies' },
          ...conflicts.map(({ pattern, matching }) =>
            element(
              'li',
              {},
              element('code', {}, pattern),
              matching.count === 0 ? element('span', { class: 'muted' }, 'none here') : packageLinkList(matching),
            ),
          ),
        ),
      ),
    supersedes.length > 0 && section('Supersedes', supersedes.length, codeList(supersedes)),
    requires.length > 0 &&
      libraries(
        'Requires libraries',
        requires.map(({ library, status, providers }) => ({
          library,
          note:
            status === 'provided'
              ? packageLinkList(providers)
              : element(
                  'span',
                  { class: status === 'missing' ? 'missing' : 'muted' },
                  status === 'missing' ? 'missing: no package here provides it' : 'of the system',
                ),
        })),
      ),
    provides.length > 0 &&
      libraries(
        'Provides libraries',
        provides.map(({ library, consumers }) => ({
          library,
          note:
            consumers.count === 0
              ? element('span', { class: 'muted' }, 'required by none here')
              : packageLinkList(consumers),
        })),
      ),
  );
}

function dependencies({ depends }: PackageDetails): HTMLElement {
  const items = depends.map(({ pattern, satisfiedBy, problem }) => {
    const why =
      problem === undefined
        ? 'no package here satisfies it'
        : `no package can satisfy it: ${patternProblemTexts[problem]}`;
    return element(
      'li',
      {},
      satisfiedBy ? packageAnchor(satisfiedBy) : element('strong', { class: 'missing' }, 'missing'),
      element('code', { class: 'pattern' }, pattern),
      element('span', { class: 'muted' }, satisfiedBy ? satisfiedBy.comment : why),
    );
  });
  return element('ul', { class: 'dependencies' }, ...items);
}

function libraries(title: string, entries: readonly { readonly library: string; readonly note: Node }[]): HTMLElement {
  const items = entries.map(({ library, note }) => element('li', {}, element('code', {}, library), note));
  return element(
    'details',
    {},
    element('summary', {}, title, element('span', { class: 'count' }, ` ${numberText(entries.length)}`)),
    element('ul', { class: 'dependencies' }, ...items),
  );
}

function facts(details: PackageDetails): HTMLElement {
  const { homepage, licence, options, installedSize, listed } = details;
  const link = webLink(homepage);
  const rows: readonly (readonly [string, Node | string])[] = [
    [
      'Homepage',
      link === undefined ? homepage : element('a', { href: link, rel: 'noopener noreferrer nofollow' }, homepage),
    ],
    ['Licence', licence],
    ['Options', options.length === 0 ? '' : codeList(options)],
    ['Download', sizeText(listed.size)],
    ['Installed', sizeText(installedSize)],
    ...details.facts,
  ];
  return element(
    'dl',
    {},
    ...rows
      .filter(([, value]) => value !== '')
      .flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]),
  );
}

function codeList(values: readonly string[]): HTMLElement {
  return element('ul', { class: 'links' }, ...values.map((value) => element('li', {}, element('code', {}, value))));
}

function nothing(text: string): HTMLElement {
  return element('p', { class: 'muted' }, text);
}
