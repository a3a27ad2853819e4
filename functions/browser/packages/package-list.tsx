/** The list of packages: searched, sorted, filtered. */

import type { RefObject } from 'preact';
import { Marked } from '../elements/marked.tsx';
import { type RowPosition, VirtualRows } from '../elements/virtual-rows.tsx';
import { countText, dateText, numberText, sizeText } from '../elements/wording.ts';
import { type Column, columns } from './catalogue.ts';
import type { CatalogueClient } from './catalogue-client.ts';
import { categoriesOf } from './listed-package.ts';
import { formatRoute, formatSort, type ListRoute, parseSort, type Sort, wholeList } from './route.ts';
import { type Found, wordsOf } from './search.ts';

const columnTitles: Readonly<Record<Column, string>> = {
  name: 'Name',
  version: 'Version',
  comment: 'Comment',
  category: 'Category',
  size: 'Size',
  built: 'Built',
};

/** A first click on these titles shows the largest and the latest. */
const descendingFirst: readonly Column[] = ['size', 'built'];

const sortChoices: Readonly<Record<string, string>> = {
  '': 'Best match, or name',
  name: 'Name',
  version: 'Version',
  comment: 'Comment',
  category: 'Category',
  '-size': 'Largest first',
  size: 'Smallest first',
  '-built': 'Newest first',
  built: 'Oldest first',
};

interface PackageListProperties {
  readonly client: CatalogueClient;
  readonly route: ListRoute;
  readonly found: Found;
  readonly position: RowPosition;
  readonly rows: RefObject<VirtualRows | null>;
  readonly goTo: (route: ListRoute) => void;
}

export function PackageList({ client, route, found, position, rows, goTo }: PackageListProperties) {
  const { places } = found;
  const sortBy = (sort: Sort | undefined) => goTo({ ...route, sort });
  // Sent at the first sign of interest in a package, and not before: the computing would slow down the search.
  const prepare = () => void client.ask('prepare', undefined);
  return (
    <section class="list" aria-label="Packages" onPointerEnter={prepare} onFocusIn={prepare}>
      <h1 class="unseen">Packages</h1>
      <div class="toolbar">
        <p class="found" role="status">
          {countSentence(client, route, found)}
        </p>
        {route.category !== '' && (
          <button
            type="button"
            class="chip"
            aria-label={`Category ${route.category}: show all categories`}
            onClick={() => goTo({ ...route, category: '' })}
          >
            {route.category} <span aria-hidden="true">×</span>
          </button>
        )}
        <label class="sort">
          Sort{' '}
          <select value={formatSort(route.sort)} onChange={(event) => sortBy(parseSort(event.currentTarget.value))}>
            {Object.entries(sortChoices).map(([value, title]) => (
              <option key={value} value={value}>
                {title}
              </option>
            ))}
          </select>
        </label>
      </div>
      {places.length === 0 && client.index !== undefined ? (
        <Nothing route={route} goTo={goTo} />
      ) : (
        <div
          class="table"
          role="table"
          aria-label="Packages"
          aria-colcount={columns.length}
          aria-rowcount={places.length + 1}
        >
          <VirtualRows
            handle={rows}
            list={formatRoute(route)}
            count={places.length}
            position={position}
            titles={<TitleRow sort={route.sort} sortBy={sortBy} />}
            cellsOf={(place, tabIndex) => (
              <Cells client={client} place={places[place] ?? 0} words={wordsOf(route.text)} tabIndex={tabIndex} />
            )}
          />
        </div>
      )}
    </section>
  );
}

function countSentence({ packages, index }: CatalogueClient, { text, category }: ListRoute, found: Found): string {
  const all = countText(packages.length, 'package');
  const number = numberText(found.places.length);
  if (packages.length === 0 && index === undefined) return 'Loading the index…';
  if (found.isSimilar) return `No exact match, ${number} similar`;
  const sentence = text.trim() === '' && category === '' ? all : `${number} of ${all}`;
  return index === undefined ? `${sentence} so far…` : sentence;
}

/** Nothing was found: leads to where something may be. */
function Nothing({ route, goTo }: Pick<PackageListProperties, 'route' | 'goTo'>) {
  const { category, text } = route;
  if (category === '' && text === '') return <div class="empty">This repository has no packages yet.</div>;
  const isWithin = category !== '' && text !== '';
  return (
    <div class="empty">
      <p>{isWithin ? `No packages in ${category} match “${text}”.` : `No packages match “${text || category}”.`}</p>
      <button type="button" class="main" onClick={() => goTo(isWithin ? { ...route, category: '' } : wholeList)}>
        {isWithin ? 'Search all categories' : 'Show all packages'}
      </button>
    </div>
  );
}

interface TitleRowProperties {
  readonly sort: Sort | undefined;
  readonly sortBy: (sort: Sort) => void;
}

function TitleRow({ sort, sortBy }: TitleRowProperties) {
  const sortByTitle = (column: Column) => {
    const isDescending = sort?.column === column ? !sort.isDescending : descendingFirst.includes(column);
    sortBy({ column, isDescending });
  };
  return (
    <div class="row" role="row" aria-rowindex={1}>
      {columns.map((column) => {
        const direction = sort?.isDescending ? 'descending' : 'ascending';
        return (
          <div
            key={column}
            class={`cell ${column}`}
            role="columnheader"
            aria-sort={sort?.column === column ? direction : 'none'}
          >
            <button type="button" onClick={() => sortByTitle(column)}>
              {columnTitles[column]}
            </button>
          </div>
        );
      })}
    </div>
  );
}

interface CellsProperties {
  readonly client: CatalogueClient;
  readonly place: number;
  readonly words: readonly string[];
  readonly tabIndex: 0 | -1;
}

function Cells({ client, place, words, tabIndex }: CellsProperties) {
  const listed = client.packages[place];
  if (listed === undefined) return null;
  const { base, version, comment, size, built, key, name, file } = listed;
  const cells: Readonly<Record<Column, ReturnType<typeof Marked> | string>> = {
    name: (
      <a href={formatRoute({ view: 'package', key })} tabIndex={tabIndex}>
        <Marked text={base} words={words} />
      </a>
    ),
    version,
    comment: (
      <>
        {client.sharedNames.has(name) && <code>{file} </code>}
        <Marked text={comment} words={words} />
      </>
    ),
    category: <Marked text={categoriesOf(listed).join(', ')} words={words} />,
    size: sizeText(size),
    built: dateText(built),
  };
  return (
    <>
      {columns.map((column) => (
        <div key={column} class={`cell ${column}`} role="cell">
          {cells[column]}
        </div>
      ))}
    </>
  );
}
