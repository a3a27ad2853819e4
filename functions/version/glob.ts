/**
 * Shell patterns as in fnmatch(3) with FNM_PERIOD, the flag that pkg_install passes.
 *
 * `*` is any text, `?` any character, `[a-z]` one of a set, `[!a-z]` or `[^a-z]` one not in the set; `\` makes the next
 * character literal. A `.` at the start of the text is matched only by a `.` at the start of the pattern. `/` is not special.
 * Where systems differ, this follows POSIX, like glibc, FreeBSD and macOS: `]` may be the first member of a set, and a `[`
 * without its `]` is literal (in old NetBSD neither matches anything). Named classes (`[[:digit:]]`) and collation are not
 * supported, as on the BSDs: no pattern of pkgsrc uses them.
 */

import { type StepBudget, unlimited } from './step-budget.ts';

export interface Glob {
  /** Every text that matches starts with this. */
  readonly prefix: string;
  /**
   * Takes at most (length of the pattern) × (length of the text) steps.
   * @throws {TooManySteps}
   */
  matches(text: string, budget?: StepBudget): boolean;
}

type Token =
  | { readonly kind: 'character'; readonly character: string }
  | { readonly kind: 'any-character' }
  | { readonly kind: 'any-text' }
  | CharacterSet;

interface CharacterSet {
  readonly kind: 'set';
  readonly negated: boolean;
  /** First and last character of each range, both included. */
  readonly ranges: readonly { readonly from: string; readonly to: string }[];
}

/**
 * Every string is a valid pattern.
 * @throws {TooManySteps}
 */
export function compileGlob(pattern: string, budget: StepBudget = unlimited): Glob {
  const tokens = tokensOf(pattern, budget);
  return {
    prefix: literalPrefix(tokens),
    matches: (text, matchBudget = unlimited) => matchTokens(tokens, text, matchBudget),
  };
}

/** Whether pkg_install treats the pattern as a glob. A `\` alone does not make it one. */
export function isGlob(pattern: string): boolean {
  return /[*?[\]]/.test(pattern);
}

function tokensOf(pattern: string, budget: StepBudget): Token[] {
  budget.spend(pattern.length);
  const tokens: Token[] = [];
  for (let position = 0; position < pattern.length; position += 1) {
    const character = pattern.charAt(position);
    const set = character === '[' ? setAt(pattern, position, budget) : undefined;
    if (set) {
      tokens.push(set.token);
      position = set.end;
    } else if (character === '*') {
      if (tokens.at(-1)?.kind !== 'any-text') tokens.push({ kind: 'any-text' });
    } else if (character === '?') {
      tokens.push({ kind: 'any-character' });
    } else if (character === '\\' && position + 1 < pattern.length) {
      position += 1;
      tokens.push({ kind: 'character', character: pattern.charAt(position) });
    } else {
      tokens.push({ kind: 'character', character });
    }
  }
  return tokens;
}

/** The set that starts with the `[` at `start`, and the position of its `]`; undefined if there is none. */
function setAt(
  pattern: string,
  start: number,
  budget: StepBudget,
): { readonly token: CharacterSet; readonly end: number } | undefined {
  const negated = /[!^]/.test(pattern.charAt(start + 1));
  const first = negated ? start + 2 : start + 1;
  const ranges: { from: string; to: string }[] = [];
  let position = first;
  /** Reads the member at `position`, which may be escaped. */
  const member = () => {
    if (pattern.charAt(position) === '\\') position += 1;
    const character = pattern.charAt(position);
    position += 1;
    return character;
  };
  while (position < pattern.length) {
    if (pattern.charAt(position) === ']' && position > first) {
      return { token: { kind: 'set', negated, ranges }, end: position };
    }
    const from = member();
    const next = pattern.charAt(position + 1);
    const isRange = pattern.charAt(position) === '-' && next !== '' && next !== ']';
    if (isRange) position += 1;
    ranges.push({ from, to: isRange ? member() : from });
  }
  budget.spend(2 * (position - start));
  return undefined;
}

function literalPrefix(tokens: readonly Token[]): string {
  let prefix = '';
  for (const token of tokens) {
    if (token.kind !== 'character') break;
    prefix += token.character;
  }
  return prefix;
}

/**
 * Backtracks only to the latest `*`: what an earlier one could match in addition, the latest can match too. So `*a*a*a*a*`
 * does not take exponential time.
 */
function matchTokens(tokens: readonly Token[], text: string, budget: StepBudget): boolean {
  if (text.startsWith('.') && !(tokens[0]?.kind === 'character' && tokens[0].character === '.')) return false;
  let tokenIndex = 0;
  let textIndex = 0;
  let latest: { tokenIndex: number; textIndex: number } | undefined;
  while (true) {
    budget.spend(1);
    const token = tokens[tokenIndex];
    if (token === undefined && textIndex === text.length) return true;
    if (token?.kind === 'any-text') {
      tokenIndex += 1;
      latest = { tokenIndex, textIndex };
    } else if (
      token !== undefined &&
      textIndex < text.length &&
      matchCharacter(token, text.charAt(textIndex), budget)
    ) {
      tokenIndex += 1;
      textIndex += 1;
    } else if (latest !== undefined && latest.textIndex < text.length) {
      latest.textIndex += 1;
      tokenIndex = latest.tokenIndex;
      textIndex = latest.textIndex;
    } else {
      return false;
    }
  }
}

function matchCharacter(token: Exclude<Token, { kind: 'any-text' }>, character: string, budget: StepBudget): boolean {
  if (token.kind === 'any-character') return true;
  if (token.kind === 'character') return token.character === character;
  budget.spend(token.ranges.length);
  for (const { from, to } of token.ranges) if (from <= character && character <= to) return !token.negated;
  return token.negated;
}
