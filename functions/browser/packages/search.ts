/** Finds packages while the reader types: the texts are prepared once, and a search only scans them. */

import uFuzzy from '@leeoniya/ufuzzy';
import { editDistance } from './edit-distance.ts';
import { categoriesOf, type ListedPackage } from './listed-package.ts';

export interface SearchQuery {
  /** Every word of it has to be in the name, the comment or the categories, or begin the name of a library. */
  readonly text: string;
  /** The empty string: any. */
  readonly category: string;
}

export interface Found {
  /** Of the packages. */
  readonly places: readonly number[];
  /** No package has all of the words; these have names like them. */
  readonly isSimilar: boolean;
}

type SearchedPackage = Pick<ListedPackage, 'base' | 'name' | 'comment' | 'categories' | 'libraries'>;

interface Searchable {
  readonly base: string;
  readonly name: string;
  readonly categories: readonly string[];
  /** Name, comment and categories, in lower case. */
  readonly text: string;
  /** Each behind a line feed. */
  readonly libraries: string;
}

/** Similar names that are compared letter by letter: 5 ms. */
const comparedMax = 1_000;

/** Forgives one error in each word: a letter that is wrong, missing, too many, or swapped with the next one. */
const fuzzy = new uFuzzy({ intraMode: 1, interLft: 1 });

export class SearchIndex {
  readonly #searchables: Searchable[] = [];

  add(packages: readonly SearchedPackage[]): void {
    for (const listed of packages) {
      const name = listed.name.toLowerCase();
      const categories = listed.categories.toLowerCase();
      this.#searchables.push({
        base: listed.base.toLowerCase(),
        name,
        categories: categoriesOf({ categories }),
        text: `${name}\n${listed.comment.toLowerCase()}\n${categories}`,
        libraries: listed.libraries.map((library) => `\n${library.toLowerCase()}`).join(''),
      });
    }
  }

  clear(): void {
    this.#searchables.length = 0;
  }

  /**
   * @param order in which the packages come: their places, each once; the places themselves where there is no order.
   * @param isRanked the best come first, and `order` holds among those that fit equally well.
   */
  search(query: SearchQuery, order?: Iterable<number>, isRanked = false): Found {
    const places = this.#exact(query, order, isRanked);
    const words = wordsOf(query.text);
    if (places.length > 0 || words.length === 0) return { places, isSimilar: false };
    const similar = this.#similar(query, words, order, isRanked);
    return { places: similar, isSimilar: similar.length > 0 };
  }

  #exact({ text, category }: SearchQuery, order: Iterable<number> | undefined, isRanked: boolean): number[] {
    const words = wordsOf(text);
    const found: number[][] = [];
    for (const place of order ?? this.#searchables.keys()) {
      const searchable = this.#searchables[place];
      if (searchable === undefined || !words.every((word) => contains(searchable, word))) continue;
      if (!isOf(searchable, category)) continue;
      const rank = isRanked ? rankOf(searchable, words) : 0;
      found[rank] ??= [];
      found[rank].push(place);
    }
    return found.flat();
  }

  /** `libpng` → what has `png`, `pyton` → what is called python. */
  #similar(
    { text, category }: SearchQuery,
    words: readonly string[],
    order: Iterable<number> | undefined,
    isRanked: boolean,
  ): readonly number[] {
    const withoutLib = words.map((word) => word.replace(/^lib(?=..)/, '')).join(' ');
    const shorter = withoutLib === text ? [] : this.#exact({ text: withoutLib, category }, order, isRanked);
    if (shorter.length > 0) return shorter;
    const names = this.#searchables.map(({ base }) => base);
    const [candidates, info, sorted] = fuzzy.search(names, words.join(' '));
    const found = (sorted ?? candidates ?? []).map((at) => (sorted === null ? at : info?.idx[at]) ?? -1);
    const kept = found.filter((place) => isOf(this.#searchables[place], category));
    if (isRanked || order === undefined) return this.#closestFirst(kept, words);
    const set = new Set(kept);
    return [...order].filter((place) => set.has(place));
  }

  /** `pyton` → python313 before py313-pytokens. Of equally close names the shorter ones come first. */
  #closestFirst(places: readonly number[], words: readonly string[]): readonly number[] {
    if (places.length > comparedMax) return places;
    const closeness = places.map((place) => {
      const { base = '' } = this.#searchables[place] ?? {};
      const parts = base.split(/[^a-z]+/).filter((part) => part !== '');
      const distances = words.map((word) => Math.min(...parts.map((part) => editDistance(word, part))));
      return { place, distance: distances.reduce((sum, distance) => sum + distance, 0), length: base.length };
    });
    closeness.sort((one, other) => one.distance - other.distance || one.length - other.length);
    return closeness.map(({ place }) => place);
  }
}

/** In lower case, each once. */
export function wordsOf(text: string): string[] {
  return [...new Set(text.toLowerCase().split(/\s+/))].filter((word) => word !== '');
}

function contains({ text, libraries }: Searchable, word: string): boolean {
  return text.includes(word) || libraries.includes(`\n${word}`);
}

function isOf(searchable: Searchable | undefined, category: string): boolean {
  return category === '' || searchable?.categories.includes(category.toLowerCase()) === true;
}

/** How well the words fit the package: of several words the ranks are added. 0 is the best. */
function rankOf(searchable: Searchable, words: readonly string[]): number {
  return words.reduce((sum, word) => sum + rankOfWord(searchable, word), 0);
}

function rankOfWord({ base, name, categories, libraries }: Searchable, word: string): number {
  if (base === word || name === word) return 0;
  if (name.startsWith(word)) return 1;
  if (name.includes(word)) return rankWithin(name, word);
  if (libraries.includes(`\n${word}`)) return 5;
  return categories.includes(word) ? 6 : 7;
}

/** Of `json`: in `p5-json-xs` it is a word, in `jq-jsonata` it begins one, in `ujson` it is somewhere. */
function rankWithin(name: string, word: string): number {
  let rank = 4;
  for (let at = name.indexOf(word); at !== -1; at = name.indexOf(word, at + 1)) {
    if (isWordCharacter(name, at - 1)) continue;
    if (!isWordCharacter(name, at + word.length)) return 2;
    rank = 3;
  }
  return rank;
}

function isWordCharacter(text: string, at: number): boolean {
  return /[a-z0-9]/.test(text.charAt(at));
}
