/** The list of packages: searched, sorted, filtered. */

import { type Column, columns } from './catalogue.ts';
import { button, element, marked, setAttributes } from './elements.ts';
import { categoriesOf, type ListedPackage } from './listed-package.ts';
import { formatRoute, formatSort, type ListRoute, parseSort, type Sort, wholeList } from './route.ts';
import { SearchIndex, wordsOf } from './search.ts';
import { type Row, VirtualRows } from './virtual-rows.ts';
import { countText, dateText, numberText, sizeText } from './wording.ts';

const columnTitles: Readonly<Record<Column, string>> = {
  name: 'Name',
  version: 'Version',
  comment: 'Comment',
  category: 'Category',
  size: 'Size',
  built: 'Built',
};

/** What a first click on a column's title means: of sizes and dates, the largest and the last are of interest. */
const descendingFirst: readonly Column[] = ['size', 'built'];

const sortChoices: readonly (readonly [value: string, title: string])[] = [
  ['', 'Best match, or name'],
  ['name', 'Name'],
  ['version', 'Version'],
  ['comment', 'Comment'],
  ['category', 'Category'],
  ['-size', 'Largest first'],
  ['size', 'Smallest first'],
  ['-built', 'Newest first'],
  ['built', 'Oldest first'],
];

export interface PackageListEvents {
  /** Asks for another list: the URL is to say so. */
  readonly onRoute: (route: ListRoute) => void;
  /** The places of all packages by that column; resolves once the index is read. */
  readonly orderBy: (column: Column) => Promise<Uint32Array>;
}

export class PackageList {
  readonly element: HTMLElement;
  readonly #events: PackageListEvents;
  readonly #packages: ListedPackage[] = [];
  readonly #search = new SearchIndex();
  readonly #rows: VirtualRows;
  readonly #table: HTMLElement;
  readonly #status = element('p', { class: 'found', role: 'status' });
  readonly #empty = element('div', { class: 'empty', hidden: true });
  readonly #filter = element('span', { class: 'filter' });
  readonly #sortChoice: HTMLSelectElement;
  readonly #titles = new Map<Column, HTMLElement>();
  #route: ListRoute = wholeList;
  #words: readonly string[] = [];
  #found: readonly number[] = [];
  #order: { readonly column: Column; readonly places: Uint32Array } | undefined;
  #isAdopted = false;
  #isRefreshDue = false;

  constructor(events: PackageListEvents) {
    this.#events = events;
    const sizer = element('div', { class: 'sizer', role: 'presentation' });
    const scroller = element('div', { class: 'rows', role: 'rowgroup' }, sizer);
    this.#table = element(
      'div',
      { class: 'table', role: 'table', 'aria-label': 'Packages', 'aria-colcount': columns.length },
      element('div', { class: 'titles', role: 'rowgroup' }, this.#titleRow()),
      scroller,
    );
    this.#sortChoice = element(
      'select',
      { id: 'sort' },
      ...sortChoices.map(([value, title]) => element('option', { value }, title)),
    );
    this.#sortChoice.addEventListener('change', () => this.#sortBy(parseSort(this.#sortChoice.value)));
    this.element = element(
      'section',
      { class: 'list', 'aria-label': 'Packages' },
      element('h1', { class: 'unseen' }, 'Packages'),
      element(
        'div',
        { class: 'toolbar' },
        this.#status,
        this.#filter,
        element('label', { class: 'sort', for: 'sort' }, 'Sort ', this.#sortChoice),
      ),
      this.#empty,
      this.#table,
    );
    this.#rows = new VirtualRows(scroller, sizer, () => this.#makeRow());
    scroller.addEventListener('keydown', (event) => this.#handleKey(event));
  }

  get isEmpty(): boolean {
    return this.#found.length === 0;
  }

  /** What Enter in the search field opens. */
  get first(): ListedPackage | undefined {
    return this.#packages[this.#found[0] ?? -1];
  }

  add(packages: readonly ListedPackage[]): void {
    for (const listed of packages) this.#packages.push(listed);
    this.#search.add(packages);
    this.#refreshSoon();
  }

  clear(): void {
    this.#packages.length = 0;
    this.#search.clear();
    this.#refreshSoon();
  }

  /** All packages are here. */
  markAdopted(): void {
    this.#isAdopted = true;
    void this.#applyOrder();
  }

  show(route: ListRoute): void {
    const isOtherList = formatRoute(route) !== formatRoute(this.#route);
    this.#route = route;
    this.#words = wordsOf(route.text);
    this.#sortChoice.value = formatSort(route.sort);
    this.#showSort(route.sort);
    this.#filter.replaceChildren(...(route.category === '' ? [] : [this.#filterChip(route)]));
    this.#refresh();
    if (isOtherList) this.#rows.scrollToStart();
    void this.#applyOrder();
  }

  focusRow(place: number): void {
    this.#rows.focus(place);
  }

  /** The row that was left last. */
  focusCurrent(): void {
    this.#rows.focus(this.#rows.current);
  }

  /** Arrows, Home, End and the page keys. @returns whether it was one of them. */
  moveBy(key: string): boolean {
    const { current, pageRows } = this.#rows;
    const places: Readonly<Record<string, number>> = {
      ArrowDown: current + 1,
      ArrowUp: current - 1,
      PageDown: current + pageRows,
      PageUp: current - pageRows,
      Home: 0,
      End: this.#found.length - 1,
    };
    const place = places[key];
    if (place === undefined) return false;
    this.#rows.focus(place);
    return true;
  }

  #handleKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    // From the first row up leads back to the search, which the page knows.
    if (event.key === 'ArrowUp' && this.#rows.current === 0) return;
    if (!this.moveBy(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** While the index arrives there are many small additions: one refresh a frame is enough. */
  #refreshSoon(): void {
    if (this.#isRefreshDue) return;
    this.#isRefreshDue = true;
    requestAnimationFrame(() => {
      this.#isRefreshDue = false;
      this.#refresh();
    });
  }

  #refresh(): void {
    const { sort } = this.#route;
    const isRanked = sort === undefined && this.#words.length > 0;
    const isKnownOrder = this.#order?.column === (sort?.column ?? 'name');
    const places =
      isKnownOrder && this.#order?.places.length === this.#packages.length ? this.#order.places : undefined;
    const found = this.#search.search(this.#route, places, isRanked);
    this.#found = sort?.isDescending ? found.reverse() : found;
    this.#showCount();
    this.#rows.show(this.#found.length);
  }

  #showCount(): void {
    const found = this.#found.length;
    const isFiltered = this.#words.length > 0 || this.#route.category !== '';
    const all = countText(this.#packages.length, 'package');
    const sentence = isFiltered ? `${numberText(found)} of ${all}` : all;
    const reading = this.#packages.length === 0 ? 'Reading the index …' : `${sentence} so far …`;
    const status = this.#isAdopted ? sentence : reading;
    if (this.#status.textContent !== status) this.#status.textContent = status;
    setAttributes(this.#table, { 'aria-rowcount': found + 1 });
    const isEmpty = found === 0 && this.#isAdopted;
    this.#empty.hidden = !isEmpty;
    this.#table.hidden = isEmpty;
    if (isEmpty)
      this.#empty.replaceChildren(...(isFiltered ? this.#wayOut() : ['This repository has no packages yet.']));
  }

  /** Nothing was found: says so, and leads to where something might be. */
  #wayOut(): Node[] {
    const { category, text } = this.#route;
    const [where, title, route] =
      category === '' || text === ''
        ? ['', 'Show all packages', wholeList]
        : [` within ${category}`, 'Search in all categories', { ...this.#route, category: '' }];
    return [
      element('p', {}, `No package${where} has all of these words in its name, comment or categories.`),
      button({ class: 'button' }, () => this.#events.onRoute(route), title),
    ];
  }

  async #applyOrder(): Promise<void> {
    const column = this.#route.sort?.column ?? 'name';
    if (!this.#isAdopted || this.#order?.column === column) return;
    const places = await this.#events.orderBy(column);
    // Somebody may have asked for another one meanwhile.
    if ((this.#route.sort?.column ?? 'name') !== column) return;
    this.#order = { column, places };
    this.#refresh();
  }

  #titleRow(): HTMLElement {
    const titles = columns.map((column) => {
      const sort = button({}, () => this.#sortByTitle(column), columnTitles[column]);
      const title = element('div', { class: `cell ${column}`, role: 'columnheader', 'aria-sort': 'none' }, sort);
      this.#titles.set(column, title);
      return title;
    });
    return element('div', { class: 'row', role: 'row', 'aria-rowindex': 1 }, ...titles);
  }

  #sortByTitle(column: Column): void {
    const { sort } = this.#route;
    const isDescending = sort?.column === column ? !sort.isDescending : descendingFirst.includes(column);
    this.#sortBy({ column, isDescending });
  }

  #sortBy(sort: Sort | undefined): void {
    this.#events.onRoute({ ...this.#route, sort });
  }

  #showSort(sort: Sort | undefined): void {
    for (const [column, title] of this.#titles) {
      const direction = sort?.isDescending ? 'descending' : 'ascending';
      setAttributes(title, { 'aria-sort': sort?.column === column ? direction : 'none' });
    }
  }

  #filterChip(route: ListRoute): HTMLElement {
    return button(
      { class: 'chip', 'aria-label': `Category ${route.category}: show all categories` },
      () => this.#events.onRoute({ ...this.#route, category: '' }),
      route.category,
      element('span', { 'aria-hidden': 'true' }, ' ×'),
    );
  }

  #makeRow(): Row {
    const cell = (column: Column, ...children: Node[]) =>
      element('div', { class: `cell ${column}`, role: 'cell' }, ...children);
    const link = element('a', { tabindex: -1 });
    const cells = {
      name: cell('name', link),
      version: cell('version'),
      comment: cell('comment'),
      category: cell('category'),
      size: cell('size'),
      built: cell('built'),
    };
    const row = element('div', { class: 'row', role: 'row' }, ...Object.values(cells));
    return { element: row, link, fill: (place) => this.#fillRow(place, row, link, cells) };
  }

  #fillRow(place: number, row: HTMLElement, link: HTMLElement, cells: Readonly<Record<Column, HTMLElement>>): void {
    const listed = this.#packages[this.#found[place] ?? -1];
    if (listed === undefined) return;
    setAttributes(row, { 'aria-rowindex': place + 2 });
    setAttributes(link, { href: formatRoute({ view: 'package', key: listed.key }) });
    link.replaceChildren(...marked(listed.base, this.#words));
    cells.version.textContent = listed.version;
    cells.comment.replaceChildren(...marked(listed.comment, this.#words));
    cells.category.replaceChildren(...marked(categoriesOf(listed).join(', '), this.#words));
    cells.size.textContent = sizeText(listed.size);
    cells.built.textContent = dateText(listed.built);
  }
}
