/** What the page shows, as its URL's hash says: every view can be linked to, and Back works. */

import { type Column, columns } from './catalogue.ts';

export interface Sort {
  readonly column: Column;
  readonly isDescending: boolean;
}

export interface ListRoute {
  readonly view: 'packages';
  readonly text: string;
  /** The empty string: all. */
  readonly category: string;
  /** Undefined: the best first while something is searched for, otherwise by name. */
  readonly sort: Sort | undefined;
}

export type Route =
  | ListRoute
  | { readonly view: 'package'; readonly key: string }
  | { readonly view: 'categories' }
  | { readonly view: 'repository' };

export const wholeList: ListRoute = { view: 'packages', text: '', category: '', sort: undefined };
export const newestBuilds: ListRoute = { ...wholeList, sort: { column: 'built', isDescending: true } };

/** Of a hash that is none of ours, the whole list. */
export function parseRoute(hash: string): Route {
  const [path = '', parameters = ''] = hash.replace(/^#?\/?/, '').split(/\?(.*)/s);
  if (path === 'categories' || path === 'repository') return { view: path };
  if (path.startsWith('package/')) return { view: 'package', key: decoded(path.slice('package/'.length)) };
  const search = new URLSearchParams(parameters);
  return {
    view: 'packages',
    text: search.get('q') ?? '',
    category: search.get('category') ?? '',
    sort: parseSort(search.get('sort') ?? ''),
  };
}

export function formatRoute(route: Route): string {
  if (route.view === 'package') return `#/package/${encodeURIComponent(route.key)}`;
  if (route.view !== 'packages') return `#/${route.view}`;
  const { text, category, sort } = route;
  const parameters = new URLSearchParams({
    ...(text === '' ? {} : { q: text }),
    ...(category === '' ? {} : { category }),
    ...(sort === undefined ? {} : { sort: formatSort(sort) }),
  }).toString();
  return parameters === '' ? '#/' : `#/?${parameters}`;
}

/** `-built`: by the date, the last first. The empty string: none. */
export function formatSort(sort: Sort | undefined): string {
  return sort === undefined ? '' : `${sort.isDescending ? '-' : ''}${sort.column}`;
}

export function parseSort(text: string): Sort | undefined {
  const isDescending = text.startsWith('-');
  const column = columns.find((name) => name === (isDescending ? text.slice(1) : text));
  return column && { column, isDescending };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
