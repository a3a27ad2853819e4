/** The repository as a whole: its figures, and what does not fit together in it. */

import { buildColumns, categoryBars } from './charts.ts';
import { copiedLine } from './copied-line.ts';
import { button, element } from './elements.ts';
import type { Figures } from './figures.ts';
import { shellWord } from './install-commands.ts';
import type { IndexFacts } from './messages.ts';
import { packageLinkList } from './package-links.ts';
import { patternProblemTexts } from './package-view.ts';
import { formatRoute, wholeList } from './route.ts';
import { agoText, countText, numberText, sizeText } from './wording.ts';

/** Categories in the chart; the others have a page of their own. */
const categoriesInChart = 12;

/** @param repositoryUrl with the slash at its end. */
export function repositoryView(figures: Figures, index: IndexFacts, repositoryUrl: string): HTMLElement {
  const broken = figures.missingDependencies.length;
  const report = findings(figures);
  const published = index.lastModified === 0 ? 'unknown' : agoText(index.lastModified, Date.now());
  return element(
    'article',
    { class: 'repository-view' },
    element('h1', { tabindex: -1 }, 'Repository'),
    element(
      'dl',
      { class: 'figures' },
      figure('Packages', numberText(figures.packages)),
      figure('Total size', sizeText(figures.bytes) || '0 B'),
      figure('Last publication', published, timeOf(index.lastModified)),
      figure(
        'Broken dependencies',
        broken === 0 ? '0' : leadTo(report, numberText(broken)),
        undefined,
        broken > 0 ? 'bad' : 'good',
      ),
    ),
    element(
      'div',
      { class: 'charts' },
      figures.categories.length > 0 &&
        chart(
          'Packages by category',
          categoryBars(figures.categories.slice(0, categoriesInChart)),
          allCategories(figures),
        ),
      figures.builds.length > 0 && chart('Packages by build date', buildColumns(figures.builds)),
      use(figures, repositoryUrl),
    ),
    report,
  );
}

export function categoriesView({ categories }: Figures): HTMLElement {
  const cards = [...categories]
    .sort((left, right) => (left.name.toLowerCase() < right.name.toLowerCase() ? -1 : 1))
    .map(({ name, packages, bytes }) =>
      element(
        'li',
        {},
        element('a', { href: formatRoute({ ...wholeList, category: name }) }, name),
        element('span', { class: 'muted' }, `${countText(packages, 'package')}, ${sizeText(bytes) || '0 B'}`),
      ),
    );
  return element(
    'article',
    { class: 'categories-view' },
    element('h1', { tabindex: -1 }, 'Categories ', element('span', { class: 'count' }, numberText(cards.length))),
    element('ul', { class: 'cards' }, ...cards),
  );
}

/** A number that leads to the first of the findings, which are what it counts. */
function leadTo(report: HTMLElement, count: string): HTMLElement {
  const show = () => {
    const details = report.querySelector('details');
    const summary = details?.querySelector('summary');
    if (details === null || summary === null) return;
    details.open = true;
    details.scrollIntoView();
    summary?.focus({ preventScroll: true });
  };
  return button({ class: 'plain', 'aria-label': `${count}: show them` }, show, count);
}

function figure(title: string, value: string | Node, more?: Node, mood?: 'good' | 'bad'): HTMLElement {
  return element(
    'div',
    { class: mood },
    element('dt', {}, title),
    element('dd', {}, value, more && element('small', {}, more)),
  );
}

function timeOf(milliseconds: number): Node | undefined {
  if (milliseconds === 0) return undefined;
  const text = new Date(milliseconds).toISOString();
  return element('time', { datetime: text }, `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`);
}

function chart(title: string, ...children: (Node | false)[]): HTMLElement {
  return element('section', {}, element('h2', {}, title), ...children);
}

function allCategories({ categories }: Figures): HTMLElement | false {
  if (categories.length <= categoriesInChart) return false;
  return element(
    'p',
    {},
    element('a', { href: formatRoute({ view: 'categories' }) }, `All ${numberText(categories.length)} categories`),
  );
}

function use({ platforms }: Figures, repositoryUrl: string): HTMLElement {
  const [platform, ...others] = platforms;
  const url = repositoryUrl.replace(/\/$/, '');
  return element(
    'section',
    {},
    element('h2', {}, 'Use it'),
    element('p', {}, 'With pkgin, put this line into ', element('code', {}, 'repositories.conf'), ':'),
    copiedLine('line for repositories.conf', url),
    element('p', {}, 'With pkg_add:'),
    copiedLine('setting for pkg_add', `export PKG_PATH=${shellWord(url)}`),
    platform !== undefined &&
      element(
        'p',
        { class: 'muted' },
        `Built for ${platform}${others.length > 0 ? ` and ${countText(others.length, 'other platform')}` : ''}.`,
      ),
  );
}

/** What does not fit together: the same report as that of the command line. */
function findings(figures: Figures): HTMLElement {
  const { missingDependencies, missingLibraries, duplicateNames, duplicatePaths, warnings, systemLibraries } = figures;
  const sections = [
    finding(
      'Dependencies that no package here satisfies',
      missingDependencies.map(({ pattern, problem, neededBy }) => [
        pattern,
        element(
          'div',
          {},
          problem && element('p', { class: 'muted' }, `No package can: ${patternProblemTexts[problem]}.`),
          packageLinkList(neededBy),
        ),
      ]),
    ),
    finding(
      'Libraries that no package here provides',
      missingLibraries.map(({ library, neededBy }) => [library, packageLinkList(neededBy)]),
    ),
    finding(
      'Files that share a package name',
      duplicateNames.map(({ name, files }) => [name, element('span', {}, files.join(', '))]),
    ),
    finding(
      'Several versions of one package',
      duplicatePaths.map(({ path, packages }) => [path, packageLinkList(packages)]),
    ),
    finding(
      'Packages with warnings',
      warnings.map(({ code, remedy, packages }) => [
        code,
        element('div', {}, element('p', { class: 'muted' }, remedy), packageLinkList(packages)),
      ]),
    ),
  ].filter((found) => found !== undefined);
  return element(
    'section',
    { class: 'findings' },
    element('h2', {}, 'Consistency'),
    sections.length === 0 &&
      element('p', { class: 'good' }, 'Everything fits together: nothing is missing, nothing is there twice.'),
    ...sections,
    systemLibraries > 0 &&
      element(
        'p',
        { class: 'muted' },
        `Besides, ${countText(systemLibraries, 'library', 'libraries')} of the base system ${systemLibraries === 1 ? 'is' : 'are'} required.`,
      ),
  );
}

function finding(title: string, entries: readonly (readonly [string, Node])[]): HTMLElement | undefined {
  if (entries.length === 0) return undefined;
  const items = entries.map(([what, more]) => element('li', {}, element('code', {}, what), more));
  return element(
    'details',
    {},
    element('summary', {}, title, element('span', { class: 'count' }, ` ${numberText(entries.length)}`)),
    element('ul', { class: 'dependencies' }, ...items),
  );
}
