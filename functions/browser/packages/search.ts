/** Finds packages while somebody types: the texts are prepared once, and a search only walks over them. */

import { categoriesOf, type ListedPackage } from './listed-package.ts';

export interface SearchQuery {
  /** Every word of it has to be in the name, the comment or the categories. */
  readonly text: string;
  /** The empty string: any. */
  readonly category: string;
}

/** How well a word fits a package, the best first; of several words the places are added. */
const fits = [
  'is-name',
  'begins-name',
  'word-of-name',
  'begins-word-of-name',
  'in-name',
  'is-category',
  'in-comment',
] as const;

interface Searchable {
  readonly base: string;
  readonly name: string;
  readonly categories: readonly string[];
  /** Everything that is searched, in lower case. */
  readonly text: string;
}

export class SearchIndex {
  readonly #searchables: Searchable[] = [];

  get size(): number {
    return this.#searchables.length;
  }

  add(packages: readonly ListedPackage[]): void {
    for (const listed of packages) {
      const name = listed.name.toLowerCase();
      const categories = listed.categories.toLowerCase();
      this.#searchables.push({
        base: listed.base.toLowerCase(),
        name,
        categories: categoriesOf({ categories }),
        text: `${name}\n${listed.comment.toLowerCase()}\n${categories}`,
      });
    }
  }

  clear(): void {
    this.#searchables.length = 0;
  }

  /**
   * The places of the packages that are found.
   * @param order in which they come: their places, each once; the places themselves where there is no order.
   * @param isRanked the best come first, and among those that fit equally well, `order` holds.
   */
  search(query: SearchQuery, order: Iterable<number> = this.#searchables.keys(), isRanked = false): number[] {
    const words = wordsOf(query.text);
    const category = query.category.toLowerCase();
    const found: number[][] = [];
    for (const place of order) {
      const searchable = this.#searchables[place];
      if (searchable === undefined || !words.every((word) => searchable.text.includes(word))) continue;
      if (category !== '' && !searchable.categories.includes(category)) continue;
      const rank = isRanked ? rankOf(searchable, words) : 0;
      found[rank] ??= [];
      found[rank].push(place);
    }
    return found.flat();
  }
}

/** In lower case, each once. */
export function wordsOf(text: string): string[] {
  return [...new Set(text.toLowerCase().split(/\s+/))].filter((word) => word !== '');
}

function rankOf(searchable: Searchable, words: readonly string[]): number {
  return words.reduce((sum, word) => sum + fits.indexOf(fitOf(searchable, word)), 0);
}

function fitOf({ base, name, categories }: Searchable, word: string): (typeof fits)[number] {
  if (base === word || name === word) return 'is-name';
  if (!name.includes(word)) return categories.includes(word) ? 'is-category' : 'in-comment';
  if (name.startsWith(word)) return 'begins-name';
  return fitWithin(name, word);
}

/** Of `json`: in `p5-json-xs` it is a word, in `jq-jsonata` it begins one, in `ujson` it is somewhere. */
function fitWithin(name: string, word: string): (typeof fits)[number] {
  let beginsWord = false;
  for (let at = name.indexOf(word); at !== -1; at = name.indexOf(word, at + 1)) {
    if (isWordCharacter(name, at - 1)) continue;
    if (!isWordCharacter(name, at + word.length)) return 'word-of-name';
    beginsWord = true;
  }
  return beginsWord ? 'begins-word-of-name' : 'in-name';
}

function isWordCharacter(text: string, at: number): boolean {
  return /[a-z0-9]/.test(text.charAt(at));
}
