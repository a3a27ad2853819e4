/** Shows the view that the URL asks for, and handles the keyboard. */

import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Frame } from '../elements/frame.tsx';
import { usePromised } from '../elements/promised.ts';
import type { RowPosition, VirtualRows } from '../elements/virtual-rows.tsx';
import { agoText } from '../elements/wording.ts';
import type { CatalogueClient } from './catalogue-client.ts';
import type { IndexFacts, IndexProblem } from './messages.ts';
import { PackageList } from './package-list.tsx';
import { MissingPackageView, PackageView } from './package-view.tsx';
import { CategoriesView, RepositoryView } from './repository-view.tsx';
import { formatRoute, type ListRoute, newestBuilds, type Route, wholeList } from './route.ts';
import type { Found } from './search.ts';
import { useNewerIndex } from './use-newer-index.ts';
import { useRoute } from './use-route.ts';

export function Application({ client }: { readonly client: CatalogueClient }) {
  const [, setChanges] = useState(0);
  const { route, goTo, type } = useRoute();
  const listRoute = useRef(wholeList);
  if (route.view === 'packages') listRoute.current = route;
  const found = useFound(client, listRoute.current);
  const isNewer = useNewerIndex(client.index);
  const field = useRef<HTMLInputElement>(null);
  const rows = useRef<VirtualRows>(null);
  const position = useRef<RowPosition>({ list: '', current: 0, scrollTop: 0 });
  useLayoutEffect(() => {
    client.onChange = () => setChanges((changes) => changes + 1);
  }, [client]);

  const name = decodedPath(new URL(client.repositoryUrl).pathname) || location.host;
  const setTitle = (title: string) => {
    document.title = title === '' ? name : `${title} · ${name}`;
  };
  const previousView = useRef(route.view);
  useEffect(() => {
    if (route.view === 'packages') {
      setTitle(route.text || route.category);
      if (previousView.current === 'package') rows.current?.focus(rows.current.current);
    }
    previousView.current = route.view;
  }, [route]);

  const search = (text: string) => {
    const category = route.view === 'packages' ? route.category : '';
    type({ ...wholeList, text, category });
  };
  const focusSearch = () => {
    field.current?.focus();
    field.current?.select();
    return true;
  };
  const goBack = () => {
    if (route.view === 'packages') return focusSearch();
    goTo(listRoute.current);
    return true;
  };
  const focusContent = () => {
    if (route.view === 'packages' && rows.current !== null) rows.current.focus(rows.current.current);
    else document.getElementById('main')?.focus();
  };
  const handleSearchKey = (key: string): boolean => {
    const first = client.packages[found.places[0] ?? -1];
    if (key === 'Escape') {
      if (field.current?.value === '') field.current.blur();
      search('');
    } else if (route.view !== 'packages') return false;
    else if (key === 'ArrowDown') rows.current?.focus(0);
    else if (key === 'Enter' && first !== undefined && route.text.trim() !== '')
      goTo({ view: 'package', key: first.key });
    else return false;
    return true;
  };
  /** `/` searches, the arrows walk through the list, Enter opens, Escape leads back. */
  const handleKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const { key } = event;
    const active = document.activeElement;
    const isInRows = active?.closest('.sizer') !== null;
    const isNowhere = active === document.body || active?.id === 'main';
    const handled =
      active === field.current
        ? handleSearchKey(key)
        : (key === '/' && focusSearch()) ||
          (key === 'Escape' && goBack()) ||
          (isInRows && key === 'ArrowUp' && rows.current?.current === 0 && focusSearch()) ||
          ((isInRows || isNowhere) && rows.current?.moveBy(key));
    if (handled) event.preventDefault();
  };
  useLayoutEffect(() => {
    addEventListener('keydown', handleKey);
    return () => removeEventListener('keydown', handleKey);
  });

  const hasFailed = client.problems.length > 0;
  return (
    <Frame
      brand={<Brand name={name} index={client.index} />}
      tabs={tabsOf(route)}
      onSkip={focusContent}
      search={
        <search>
          <input
            ref={field}
            id="search"
            type="search"
            value={listRoute.current.text}
            placeholder={matchMedia('(hover: hover)').matches ? 'Search packages  ( / )' : 'Search packages'}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            enterkeyhint="search"
            aria-label="Search packages by name, comment, category or library"
            aria-keyshortcuts="/"
            onInput={(event) => search(event.currentTarget.value)}
          />
        </search>
      }
    >
      {hasFailed && <Failure problems={client.problems} />}
      {isNewer && (
        <div class="notice" role="status">
          <p>A newer index is available.</p>
          <button type="button" onClick={() => location.reload()}>
            Reload
          </button>
        </div>
      )}
      {hasFailed ? undefined : route.view === 'packages' ? (
        <PackageList client={client} route={route} found={found} position={position.current} rows={rows} goTo={goTo} />
      ) : (
        <Page client={client} route={route} list={listRoute.current} setTitle={setTitle} />
      )}
    </Frame>
  );
}

function tabsOf(route: Route) {
  const current = route.view === 'package' ? wholeList : route;
  const isNewest = formatRoute(current) === formatRoute(newestBuilds);
  return [
    { title: 'Packages', href: formatRoute(wholeList), isCurrent: current.view === 'packages' && !isNewest },
    { title: 'Newest', href: formatRoute(newestBuilds), isCurrent: isNewest },
    { title: 'Categories', href: '#/categories', isCurrent: current.view === 'categories' },
    { title: 'Repository', href: '#/repository', isCurrent: current.view === 'repository' },
  ];
}

/** The packages of the list, in its order. */
function useFound(client: CatalogueClient, route: ListRoute): Found {
  const { sort, text } = route;
  const column = sort?.column ?? 'name';
  const order = usePromised(column, () => client.ask('order', column));
  return useMemo(() => {
    const { places, isSimilar } = client.search.search(route, order, sort === undefined && text.trim() !== '');
    return { places: sort?.isDescending ? places.toReversed() : places, isSimilar };
  }, [client.packages.length, order, formatRoute(route)]);
}

function Brand({ name, index }: { readonly name: string; readonly index: IndexFacts | undefined }) {
  return (
    <>
      <a href={formatRoute(wholeList)} title="All packages">
        {name}
      </a>
      <p class="published">
        {index?.up !== undefined && (
          <>
            <a href={index.up}>All repositories</a>
            {' · '}
          </>
        )}
        {index !== undefined && index.lastModified > 0 && (
          <span title={new Date(index.lastModified).toISOString()}>
            published {agoText(index.lastModified, Date.now())}
          </span>
        )}
      </p>
    </>
  );
}

function Failure({ problems }: { readonly problems: readonly IndexProblem[] }) {
  const isAbsent = problems.every((problem) => problem.isAbsent);
  return (
    <div class="notice failure" role="alert">
      <h1>
        {isAbsent
          ? 'This repository has no index (pkg_summary.zst or pkg_summary.gz) yet.'
          : 'The index of this repository cannot be read.'}
      </h1>
      <ul>
        {problems.map(({ file, problem }) => (
          <li key={file}>
            <code>{file}</code>: {problem}
          </li>
        ))}
      </ul>
      <button type="button" class="main" onClick={() => location.reload()}>
        Try again
      </button>
    </div>
  );
}

interface PageProperties {
  readonly client: CatalogueClient;
  readonly route: Exclude<Route, ListRoute>;
  /** Where the reader came from. */
  readonly list: ListRoute;
  readonly setTitle: (title: string) => void;
}

/** Every view but the list. Its heading gets the focus, and is the title. */
function Page({ client, route, list, setTitle }: PageProperties) {
  const element = useRef<HTMLDivElement>(null);
  const key = formatRoute(route);
  const view = usePromised(key, () => viewOf(client, route));
  useEffect(() => {
    if (element.current !== null) element.current.scrollTop = 0;
    const heading = element.current?.querySelector('h1');
    setTitle(heading?.textContent ?? '');
    heading?.focus({ preventScroll: true });
  }, [view]);
  return (
    <div class="page" ref={element}>
      {route.view === 'package' && (
        <p class="back">
          <a href={formatRoute(list)}>← {list.text || list.category || 'All packages'}</a>
        </p>
      )}
      {view ?? <p class="muted">Loading…</p>}
    </div>
  );
}

async function viewOf(client: CatalogueClient, route: PageProperties['route']): Promise<ComponentChildren> {
  const { repositoryUrl } = client;
  if (route.view === 'package') {
    const details = await client.ask('details', route.key);
    if (details.outcome === 'missing') return <MissingPackageView name={route.key} newest={details.newest} />;
    return <PackageView key={details.listed.key} details={details} repositoryUrl={repositoryUrl} />;
  }
  const figures = await client.ask('figures', undefined);
  if (route.view === 'categories') return <CategoriesView categories={figures.categories} />;
  const index = client.index ?? { url: '', lastModified: 0, version: '', up: undefined };
  return <RepositoryView figures={figures} index={index} repositoryUrl={repositoryUrl} />;
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
