/** The repository as a whole: its figures, and its inconsistencies. */

import type { FindingKind } from '../../check/findings.ts';
import { CopiedLine } from '../elements/copied-line.tsx';
import { type CodeRow, CodeRows, Count, Figures, Fold, Section } from '../elements/sections.tsx';
import {
  agoText,
  countText,
  findingNotes,
  findingTitles,
  numberText,
  patternProblemTexts,
  sizeText,
} from '../elements/wording.ts';
import { BuildColumns, CategoryBars } from './charts.tsx';
import type { Figures as RepositoryFigures } from './figures.ts';
import { shellWord } from './install-commands.ts';
import type { IndexFacts } from './messages.ts';
import { PackageLinkList } from './package-links.tsx';
import { formatRoute, wholeList } from './route.ts';

/** Categories in the chart; the others have a page of their own. */
const categoriesInChart = 12;

interface RepositoryViewProperties {
  readonly figures: RepositoryFigures;
  readonly index: IndexFacts;
  /** With the slash at its end. */
  readonly repositoryUrl: string;
}

export function RepositoryView({ figures, index: { lastModified }, repositoryUrl }: RepositoryViewProperties) {
  const { categories, builds, bytes, packages, foreignArchitectures } = figures;
  const published = new Date(lastModified).toISOString();
  const missing = numberText(figures.missingDependencies.length);
  const isMissing = missing !== '0';
  return (
    <article class="repository-view">
      <h1 tabIndex={-1}>Repository</h1>
      <Figures
        figures={[
          { title: 'Packages', value: numberText(packages) },
          { title: 'Total size', value: sizeText(bytes) || '0 B' },
          {
            title: 'Last publication',
            value: lastModified === 0 ? 'unknown' : agoText(lastModified, Date.now()),
            note: lastModified > 0 && <time dateTime={published}>{published.slice(0, 16).replace('T', ' ')} UTC</time>,
          },
          ...(foreignArchitectures.length === 0
            ? []
            : [
                {
                  title: findingTitles.foreignArchitectures,
                  value: <ShowFindings kind="foreignArchitectures" count={numberText(foreignArchitectures.length)} />,
                  mood: 'bad' as const,
                },
              ]),
          {
            title: 'Missing dependencies',
            value: isMissing ? <ShowFindings kind="missingDependencies" count={missing} /> : '0',
            mood: isMissing ? 'bad' : 'good',
          },
        ]}
      />
      <div class="charts">
        {categories.length > 0 && (
          <Section title="Packages by category">
            <CategoryBars categories={categories.slice(0, categoriesInChart)} />
            {categories.length > categoriesInChart && (
              <p>
                <a href="#/categories">All {numberText(categories.length)} categories</a>
              </p>
            )}
          </Section>
        )}
        {builds.length > 0 && (
          <Section title="Packages by build date">
            <BuildColumns builds={builds} />
          </Section>
        )}
        <Use platforms={figures.platforms} url={repositoryUrl.replace(/\/$/, '')} />
      </div>
      <Inconsistencies {...figures} />
    </article>
  );
}

function ShowFindings({ kind, count }: { readonly kind: FindingKind; readonly count: string }) {
  const show = () => {
    const details = document.querySelector<HTMLDetailsElement>(`details.${kind}`);
    if (details === null) return;
    details.open = true;
    details.scrollIntoView();
    details.querySelector('summary')?.focus({ preventScroll: true });
  };
  return (
    <button type="button" class="plain" aria-label={`${count}: show them`} onClick={show}>
      {count}
    </button>
  );
}

export function CategoriesView({ categories }: Pick<RepositoryFigures, 'categories'>) {
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

function Use({
  platforms: [platform, ...others],
  url,
}: Pick<RepositoryFigures, 'platforms'> & { readonly url: string }) {
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

function Inconsistencies(figures: RepositoryFigures) {
  const { foreignArchitectures, dependencyCycles, missingDependencies, missingLibraries } = figures;
  const { duplicateNames, duplicatePaths, warnings, systemLibraries } = figures;
  const kinds: readonly (readonly [kind: FindingKind | 'warnings', rows: readonly CodeRow[]])[] = [
    [
      'foreignArchitectures',
      foreignArchitectures.map(({ architecture, packages }) => [architecture, <PackageLinkList packages={packages} />]),
    ],
    [
      'dependencyCycles',
      dependencyCycles.map(({ cycle, packages }) => [cycle, <PackageLinkList packages={packages} />]),
    ],
    [
      'missingDependencies',
      missingDependencies.map(({ pattern, problem, neededBy }) => [
        pattern,
        <div>
          {problem && <p class="muted">No package can match: {patternProblemTexts[problem]}.</p>}
          <PackageLinkList packages={neededBy} />
        </div>,
      ]),
    ],
    [
      'missingLibraries',
      missingLibraries.map(({ library, neededBy }) => [library, <PackageLinkList packages={neededBy} />]),
    ],
    ['duplicateNames', duplicateNames.map(({ name, files }) => [name, files.join(', ')])],
    ['duplicatePaths', duplicatePaths.map(({ path, packages }) => [path, <PackageLinkList packages={packages} />])],
    [
      'warnings',
      warnings.map(({ code, remedy, packages }) => [
        code,
        <div>
          <p class="muted">{remedy}</p>
          <PackageLinkList packages={packages} />
        </div>,
      ]),
    ],
  ];
  const found = kinds.filter(([, rows]) => rows.length > 0);
  return (
    <Section title="Inconsistencies" class="findings">
      {found.length === 0 && (
        <p class="good">
          None: no dependency or library is missing, and nothing is duplicate or of another architecture.
        </p>
      )}
      {found.map(([kind, rows]) =>
        kind === 'warnings' ? (
          <Fold key={kind} title="Packages with warnings" count={figures.packagesWithWarnings}>
            <CodeRows rows={rows} />
          </Fold>
        ) : (
          <Fold key={kind} class={kind} title={findingTitles[kind]} count={rows.length}>
            {findingNotes[kind] && <p class="muted">{findingNotes[kind]}</p>}
            <CodeRows rows={rows} />
          </Fold>
        ),
      )}
      {systemLibraries > 0 && (
        <p class="muted">
          Packages here also need {countText(systemLibraries, 'library', 'libraries')} of the base system.
        </p>
      )}
    </Section>
  );
}
