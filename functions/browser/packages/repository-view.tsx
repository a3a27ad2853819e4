/** The repository as a whole: its figures, and its inconsistencies. */

import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { Bars, Columns } from '../elements/charts.tsx';
import { CopiedLine } from '../elements/copied-line.tsx';
import { Count, Figure, Fold, Section } from '../elements/sections.tsx';
import { agoText, countText, numberText, sizeText } from '../elements/wording.ts';
import type { Figures } from './figures.ts';
import { shellWord } from './install-commands.ts';
import type { IndexFacts } from './messages.ts';
import { PackageLinkList } from './package-links.tsx';
import { CodeRows, patternProblemTexts } from './package-view.tsx';
import { formatRoute, wholeList } from './route.ts';

/** Categories in the chart; the others have a page of their own. */
const categoriesInChart = 12;

interface RepositoryViewProperties {
  readonly figures: Figures;
  readonly index: IndexFacts;
  /** With the slash at its end. */
  readonly repositoryUrl: string;
}

export function RepositoryView({ figures, index, repositoryUrl }: RepositoryViewProperties) {
  const { categories, builds, missingDependencies, bytes, packages } = figures;
  const report = useRef<HTMLDivElement>(null);
  const missing = missingDependencies.length;
  // They are the first of the findings.
  const showMissing = () => {
    const details = report.current?.querySelector('details');
    if (!details) return;
    details.open = true;
    details.scrollIntoView();
    details.querySelector('summary')?.focus({ preventScroll: true });
  };
  return (
    <article class="repository-view">
      <h1 tabIndex={-1}>Repository</h1>
      <dl class="figures">
        <Figure title="Packages">{numberText(packages)}</Figure>
        <Figure title="Total size">{sizeText(bytes) || '0 B'}</Figure>
        <Figure title="Last publication" note={index.lastModified > 0 && <Time milliseconds={index.lastModified} />}>
          {index.lastModified === 0 ? 'unknown' : agoText(index.lastModified, Date.now())}
        </Figure>
        <Figure title="Missing dependencies" mood={missing > 0 ? 'bad' : 'good'}>
          {missing === 0 ? (
            '0'
          ) : (
            <button type="button" class="plain" aria-label={`${numberText(missing)}: show them`} onClick={showMissing}>
              {numberText(missing)}
            </button>
          )}
        </Figure>
      </dl>
      <div class="charts">
        {categories.length > 0 && (
          <Section title="Packages by category">
            <Bars
              bars={categories.slice(0, categoriesInChart).map((category) => ({
                name: category.name,
                href: formatRoute({ ...wholeList, category: category.name }),
                value: category.packages,
              }))}
            />
            {categories.length > categoriesInChart && (
              <p>
                <a href={formatRoute({ view: 'categories' })}>All {numberText(categories.length)} categories</a>
              </p>
            )}
          </Section>
        )}
        {builds.length > 0 && (
          <Section title="Packages by build date">
            <Columns periods={builds} />
          </Section>
        )}
        <Use platforms={figures.platforms} repositoryUrl={repositoryUrl} />
      </div>
      <div ref={report}>
        <Inconsistencies {...figures} />
      </div>
    </article>
  );
}

function Time({ milliseconds }: { readonly milliseconds: number }) {
  const text = new Date(milliseconds).toISOString();
  return <time dateTime={text}>{`${text.slice(0, 10)} ${text.slice(11, 16)} UTC`}</time>;
}

export function CategoriesView({ categories }: Pick<Figures, 'categories'>) {
  const sorted = categories.toSorted((left, right) => (left.name.toLowerCase() < right.name.toLowerCase() ? -1 : 1));
  return (
    <article class="categories-view">
      <h1 tabIndex={-1}>
        Categories
        <Count value={sorted.length} />
      </h1>
      <ul class="cards">
        {sorted.map(({ name, packages, bytes }) => (
          <li key={name} class="card">
            <a href={formatRoute({ ...wholeList, category: name })}>{name}</a>
            <span class="muted">{`${countText(packages, 'package')}, ${sizeText(bytes) || '0 B'}`}</span>
          </li>
        ))}
      </ul>
    </article>
  );
}

function Use({ platforms, repositoryUrl }: Pick<Figures, 'platforms'> & { readonly repositoryUrl: string }) {
  const [platform, ...others] = platforms;
  const url = repositoryUrl.replace(/\/$/, '');
  return (
    <Section title="Use this repository">
      <p>
        For pkgin, add this line to <code>repositories.conf</code>:
      </p>
      <CopiedLine what="line for repositories.conf" line={url} />
      <p>For pkg_add, set:</p>
      <CopiedLine what="setting for pkg_add" line={`export PKG_PATH=${shellWord(url)}`} />
      {platform !== undefined && (
        <p class="muted">
          Built for {platform}
          {others.length > 0 && ` and ${countText(others.length, 'other platform')}`}.
        </p>
      )}
    </Section>
  );
}

function Inconsistencies(figures: Figures) {
  const { missingDependencies, missingLibraries, duplicateNames, duplicatePaths, warnings, systemLibraries } = figures;
  const findings: readonly (readonly [string, number, Parameters<typeof CodeRows>[0]['rows']])[] = [
    [
      'Missing dependencies',
      missingDependencies.length,
      missingDependencies.map(({ pattern, problem, neededBy }) => [
        pattern,
        <Explained key={pattern} text={problem && `No package can match: ${patternProblemTexts[problem]}.`}>
          <PackageLinkList packages={neededBy} />
        </Explained>,
      ]),
    ],
    [
      'Missing libraries',
      missingLibraries.length,
      missingLibraries.map(({ library, neededBy }) => [library, <PackageLinkList key={library} packages={neededBy} />]),
    ],
    [
      'Duplicate package names',
      duplicateNames.length,
      duplicateNames.map(({ name, files }) => [name, <span key={name}>{files.join(', ')}</span>]),
    ],
    [
      'Several versions of one package',
      duplicatePaths.length,
      duplicatePaths.map(({ path, packages }) => [path, <PackageLinkList key={path} packages={packages} />]),
    ],
    [
      'Packages with warnings',
      figures.packagesWithWarnings,
      warnings.map(({ code, remedy, packages }) => [
        code,
        <Explained key={code} text={remedy}>
          <PackageLinkList packages={packages} />
        </Explained>,
      ]),
    ],
  ];
  const found = findings.filter(([, count]) => count > 0);
  return (
    <Section title="Inconsistencies" class="findings">
      {found.length === 0 && (
        <p class="good">None: no dependency or library is missing, and there are no duplicates.</p>
      )}
      {found.map(([title, count, rows]) => (
        <Fold key={title} title={title} count={count}>
          <CodeRows rows={rows} />
        </Fold>
      ))}
      {systemLibraries > 0 && (
        <p class="muted">
          Packages here also need {countText(systemLibraries, 'library', 'libraries')} of the base system.
        </p>
      )}
    </Section>
  );
}

function Explained({ text, children }: { readonly text: string | undefined; readonly children: ComponentChildren }) {
  return (
    <div>
      {text !== undefined && <p class="muted">{text}</p>}
      {children}
    </div>
  );
}
