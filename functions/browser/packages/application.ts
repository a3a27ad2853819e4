/** Puts the views into the page, and leads from one to the other. */

import { CatalogueClient } from './catalogue-client.ts';
import { button, element, setAttributes } from './elements.ts';
import type { Figures } from './figures.ts';
import type { IndexFacts, IndexProblem } from './messages.ts';
import { PackageList } from './package-list.ts';
import { missingPackageView, packageView } from './package-view.ts';
import { versionOf } from './read-index.ts';
import { categoriesView, repositoryView } from './repository-view.ts';
import { formatRoute, type ListRoute, newestBuilds, parseRoute, type Route, wholeList } from './route.ts';
import { themeButton } from './theme.ts';
import { agoText } from './wording.ts';

/** How long typing has to rest before the URL says what was typed: browsers allow only so many changes of it. */
const urlDelayMilliseconds = 300;

/** How often a page that comes back into sight asks for a newer index. */
const lookAgainMilliseconds = 30_000;

const tabs = [
  { title: 'Packages', route: wholeList },
  { title: 'Newest', route: newestBuilds },
  { title: 'Categories', route: { view: 'categories' } },
  { title: 'Repository', route: { view: 'repository' } },
] as const;

export class Application {
  readonly #repositoryUrl = new URL('.', document.baseURI).href;
  readonly #client: CatalogueClient;
  readonly #list: PackageList;
  readonly #page = element('div', { class: 'page', hidden: true });
  readonly #notice = element('div', { class: 'notice', role: 'alert', hidden: true });
  readonly #published = element('p', { class: 'published' });
  readonly #searchField: HTMLInputElement;
  readonly #tabs: readonly { readonly link: HTMLAnchorElement; readonly route: Route }[];
  #route: Route = wholeList;
  /** Where Escape leads. */
  #listRoute: ListRoute = wholeList;
  #index: IndexFacts | undefined;
  #readTarget = Date.now();
  #urlTimer: number | undefined;

  /** @param script the page's own, for the worker. */
  constructor(script: string) {
    // Before anything else: the index is on its way while the page is being made.
    this.#client = new CatalogueClient(script, this.#repositoryUrl, {
      onPackages: (packages) => this.#list.add(packages),
      onRestart: () => this.#list.clear(),
      onRead: (index) => this.#showRead(index),
      onFailed: (problems) => this.#showFailure(problems),
    });
    this.#list = new PackageList({
      onRoute: (route) => this.#goTo(route),
      orderBy: (column) => this.#client.ask('order', { column }),
    });
    this.#searchField = this.#makeSearchField();
    this.#tabs = tabs.map(({ title, route }) => ({ route, link: element('a', { href: formatRoute(route) }, title) }));
  }

  start(): void {
    document.body.append(
      element('a', { class: 'skip', href: '#main' }, 'Skip to the packages'),
      this.#makeHeader(),
      element('main', { id: 'main', tabindex: -1 }, this.#notice, this.#list.element, this.#page),
    );
    addEventListener('hashchange', () => this.#followUrl());
    addEventListener('keydown', (event) => this.#handleKey(event));
    addEventListener('visibilitychange', () => void this.#lookForNewerIndex());
    document.querySelector('.skip')?.addEventListener('click', (event) => {
      event.preventDefault();
      this.#focusContent();
    });
    this.#prepareInTime();
    this.#show(parseRoute(location.hash));
  }

  /**
   * Whoever moves in the list will probably open a package, and what that takes (half a second of computing for 27,699 packages) can
   * begin. Not before: whoever types would notice it.
   */
  #prepareInTime(): void {
    const signs = new AbortController();
    const prepare = () => {
      signs.abort();
      this.#client.prepare();
    };
    for (const sign of ['pointermove', 'pointerdown', 'focusin']) {
      this.#list.element.addEventListener(sign, prepare, { passive: true, signal: signs.signal });
    }
  }

  #makeHeader(): HTMLElement {
    const { host, pathname } = new URL(this.#repositoryUrl);
    const path = decodedPath(pathname);
    return element(
      'header',
      { class: 'top' },
      element(
        'div',
        { class: 'brand' },
        element('a', { href: formatRoute(wholeList), title: 'All packages' }, path === '' ? host : path),
        this.#published,
      ),
      element('search', {}, this.#searchField),
      element('nav', { 'aria-label': 'Views' }, ...this.#tabs.map(({ link }) => link)),
      themeButton(),
    );
  }

  #makeSearchField(): HTMLInputElement {
    const hasKeyboard = matchMedia('(hover: hover)').matches;
    const field = element('input', {
      type: 'search',
      id: 'search',
      placeholder: hasKeyboard ? 'Search packages  ( / )' : 'Search packages',
      autocomplete: 'off',
      autocapitalize: 'off',
      spellcheck: 'false',
      enterkeyhint: 'search',
      'aria-label': 'Search packages by name, comment or category',
      'aria-keyshortcuts': '/',
    });
    field.addEventListener('input', () => this.#searchFor(field.value));
    return field;
  }

  /** Typing changes the list at once, and the URL when it rests; Back then leads to where the search began. */
  #searchFor(text: string): void {
    const category = this.#route.view === 'packages' ? this.#route.category : '';
    const route: ListRoute = { view: 'packages', text, category, sort: undefined };
    if (this.#route.view !== 'packages') history.pushState(null, '', formatRoute(route));
    this.#show(route);
    clearTimeout(this.#urlTimer);
    this.#urlTimer = setTimeout(() => this.#writeUrl(), urlDelayMilliseconds);
  }

  #writeUrl(): void {
    clearTimeout(this.#urlTimer);
    const url = formatRoute(this.#route);
    if (parseRoute(location.hash).view === this.#route.view && location.hash !== url)
      history.replaceState(null, '', url);
  }

  #goTo(route: Route): void {
    clearTimeout(this.#urlTimer);
    location.hash = formatRoute(route);
  }

  #followUrl(): void {
    clearTimeout(this.#urlTimer);
    const from = this.#route;
    this.#show(parseRoute(location.hash));
    if (this.#route.view !== 'packages') return;
    if (from.view === 'package') this.#list.focusCurrent();
  }

  #show(route: Route): void {
    this.#route = route;
    const isList = route.view === 'packages';
    this.#list.element.hidden = !isList;
    this.#page.hidden = isList;
    for (const tab of this.#tabs) {
      setAttributes(tab.link, { 'aria-current': formatRoute(tab.route) === formatRoute(route) ? 'page' : undefined });
    }
    if (isList) {
      this.#listRoute = route;
      if (this.#searchField.value !== route.text) this.#searchField.value = route.text;
      this.#list.show(route);
      this.#setTitle(route.text || route.category);
    } else {
      this.#page.replaceChildren(element('p', { class: 'muted' }, 'Reading the index …'));
      this.#page.scrollTop = 0;
      void this.#fillPage(route);
    }
  }

  async #fillPage(route: Exclude<Route, ListRoute>): Promise<void> {
    const view = await this.#viewOf(route);
    // Somebody may have gone elsewhere meanwhile.
    if (this.#route !== route) return;
    const back = element('a', { href: formatRoute(this.#listRoute) }, '← ', this.#listTitle());
    this.#page.replaceChildren(...(route.view === 'package' ? [element('p', { class: 'back' }, back)] : []), view);
    const heading = view.querySelector('h1');
    this.#setTitle(heading?.textContent ?? '');
    heading?.focus({ preventScroll: true });
  }

  async #viewOf(route: Exclude<Route, ListRoute>): Promise<HTMLElement> {
    if (route.view === 'package') {
      const details = await this.#client.ask('details', { key: route.key });
      return details === undefined ? missingPackageView(route.key) : packageView(details, this.#repositoryUrl);
    }
    const figures: Figures = await this.#client.ask('figures', {});
    if (route.view === 'categories') return categoriesView(figures);
    return repositoryView(figures, this.#index ?? { url: '', lastModified: 0, version: '' }, this.#repositoryUrl);
  }

  #listTitle(): string {
    const { text, category } = this.#listRoute;
    return text || category || 'All packages';
  }

  #setTitle(title: string): void {
    const name = decodedPath(new URL(this.#repositoryUrl).pathname) || location.host;
    document.title = title === '' ? name : `${title} · ${name}`;
  }

  #showRead(index: IndexFacts): void {
    this.#index = index;
    this.#list.markAdopted();
    if (index.lastModified === 0) return;
    this.#published.textContent = `published ${agoText(index.lastModified, Date.now())}`;
    this.#published.title = new Date(index.lastModified).toISOString();
  }

  #showFailure(problems: readonly IndexProblem[]): void {
    const isAbsent = problems.every((problem) => problem.isAbsent);
    const sentence = isAbsent
      ? 'This repository has no index (pkg_summary.zst or pkg_summary.gz) yet.'
      : 'The index of this repository cannot be read.';
    this.#notice.hidden = false;
    this.#notice.replaceChildren(
      element('h1', {}, sentence),
      element(
        'ul',
        {},
        ...problems.map(({ file, problem }) => element('li', {}, element('code', {}, file), `: ${problem}`)),
      ),
      button({ class: 'button' }, () => location.reload(), 'Try again'),
    );
    document.body.classList.add('failed');
  }

  /** Once in sight again, a page that has been open for long may be behind the index. */
  async #lookForNewerIndex(): Promise<void> {
    if (document.hidden || this.#index === undefined || Date.now() - this.#readTarget < lookAgainMilliseconds) return;
    this.#readTarget = Date.now();
    let response: Response;
    try {
      response = await fetch(this.#index.url, { method: 'HEAD', cache: 'no-cache' });
    } catch {
      // Offline: what is shown stays, and the next look tells.
      return;
    }
    if (!response.ok || versionOf(response).version === this.#index.version) return;
    this.#notice.hidden = false;
    this.#notice.replaceChildren(
      element('p', {}, 'A newer index has been published. '),
      button({ class: 'button' }, () => location.reload(), 'Show it'),
    );
  }

  #focusContent(): void {
    if (this.#route.view === 'packages' && !this.#list.isEmpty) this.#list.focusCurrent();
    else document.getElementById('main')?.focus();
  }

  /** `/` searches, the arrows walk through the list, Enter opens, Escape leads back: see each case. */
  #handleKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const isSearching = document.activeElement === this.#searchField;
    const isElsewhere = document.activeElement === document.body || document.activeElement?.id === 'main';
    const isList = this.#route.view === 'packages';
    const handled = isSearching
      ? this.#handleSearchKey(event.key)
      : (event.key === '/' && this.#focusSearch()) ||
        (event.key === 'Escape' && this.#goBack()) ||
        (isList && event.key === 'ArrowUp' && !isElsewhere && this.#isInList() && this.#focusSearch()) ||
        (isList && isElsewhere && this.#list.moveBy(event.key));
    if (handled) event.preventDefault();
  }

  #handleSearchKey(key: string): boolean {
    if (key === 'Escape') {
      if (this.#searchField.value === '') this.#searchField.blur();
      this.#searchField.value = '';
      this.#searchFor('');
      return true;
    }
    if (this.#route.view !== 'packages') return false;
    if (key === 'ArrowDown') {
      this.#list.focusRow(0);
      return true;
    }
    const { first } = this.#list;
    if (key !== 'Enter' || first === undefined || this.#searchField.value.trim() === '') return false;
    this.#writeUrl();
    this.#goTo({ view: 'package', key: first.key });
    return true;
  }

  #isInList(): boolean {
    return this.#list.element.querySelector('.rows')?.contains(document.activeElement) ?? false;
  }

  #focusSearch(): boolean {
    this.#searchField.focus();
    this.#searchField.select();
    return true;
  }

  #goBack(): boolean {
    if (this.#route.view === 'packages') return this.#focusSearch();
    this.#goTo(this.#listRoute);
    return true;
  }
}

/** `packages/SmartOS/2018Q1/x86_64/All`; the empty string for the root. */
function decodedPath(pathname: string): string {
  const path = pathname.replace(/^\/|\/$/g, '');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
