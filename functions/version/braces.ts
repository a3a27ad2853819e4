/**
 * Alternatives as in csh: `a{b,c{d,e}}` means `ab`, `acd` and `ace`. As in pkg_install (lib/opattern.c, alternate_match)
 * a comma or a `}` outside of braces is literal, and a `{` without its `}` is malformed.
 */

import { patternLimits } from './limits.ts';

export type Expansion =
  | { readonly outcome: 'expanded'; readonly alternatives: Iterable<string> }
  | { readonly outcome: 'unbalanced-braces' }
  | { readonly outcome: 'too-many-alternatives' };

/** Literal text, or a choice of sequences. */
type Part = string | readonly Sequence[];
type Sequence = readonly Part[];

/** Whether every `{` has its `}`. pkg_install and pkgin exit on a pattern without (alternate_match, "Malformed alternate"). */
export function hasBalancedBraces(pattern: string): boolean {
  let depth = 0;
  for (const character of pattern) {
    if (character === '{') depth += 1;
    else if (character === '}' && depth > 0) depth -= 1;
  }
  return depth === 0;
}

/** Counts the alternatives first, and makes each only when it is needed, so that time and memory stay within the limit. */
export function expandBraces(pattern: string): Expansion {
  if (!pattern.includes('{')) return { outcome: 'expanded', alternatives: [pattern] };
  const sequence = parseSequence(pattern);
  if (sequence === undefined) return { outcome: 'unbalanced-braces' };
  if (countOf(sequence) > patternLimits.alternativesMax) return { outcome: 'too-many-alternatives' };
  return { outcome: 'expanded', alternatives: { [Symbol.iterator]: () => alternativesOf(sequence) } };
}

function parseSequence(pattern: string): Sequence | undefined {
  let position = 0;

  /** Reads to the end or, inside braces, to the `,` or `}` that ends an alternative. */
  function sequence(insideBraces: boolean): Sequence | undefined {
    const parts: Part[] = [];
    const append = (part: Part) => {
      const last = parts.at(-1);
      if (typeof part === 'string' && typeof last === 'string') parts[parts.length - 1] = last + part;
      else parts.push(part);
    };
    const literal = insideBraces ? /[^{},]+/y : /[^{]+/y;
    while (position < pattern.length) {
      literal.lastIndex = position;
      const [text] = literal.exec(pattern) ?? [];
      if (text !== undefined) {
        append(text);
        position += text.length;
      } else if (pattern.charAt(position) === '{') {
        const alternatives = choice();
        if (alternatives === undefined) return undefined;
        const [only, ...others] = alternatives;
        // `{a}` is `a`: otherwise many of them would make each alternative expensive.
        if (only !== undefined && others.length === 0) only.forEach(append);
        else parts.push(alternatives);
      } else {
        break;
      }
    }
    return parts;
  }

  /** Reads from a `{` to its `}`. */
  function choice(): readonly Sequence[] | undefined {
    const alternatives: Sequence[] = [];
    do {
      position += 1;
      const alternative = sequence(true);
      if (alternative === undefined || position === pattern.length) return undefined;
      alternatives.push(alternative);
    } while (pattern.charAt(position) === ',');
    position += 1;
    return alternatives;
  }

  return sequence(false);
}

function countOf(sequence: Sequence): number {
  let count = 1;
  for (const part of sequence) {
    if (typeof part !== 'string') count *= part.reduce((sum, alternative) => sum + countOf(alternative), 0);
  }
  return count;
}

/** Of the parts from `first` on. */
function* alternativesOf(sequence: Sequence, first = 0): Generator<string> {
  const part = sequence[first];
  if (part === undefined) {
    yield '';
    return;
  }
  for (const start of typeof part === 'string' ? [part] : alternativesOfAll(part)) {
    for (const rest of alternativesOf(sequence, first + 1)) yield start + rest;
  }
}

function* alternativesOfAll(choice: readonly Sequence[]): Generator<string> {
  for (const sequence of choice) yield* alternativesOf(sequence);
}
