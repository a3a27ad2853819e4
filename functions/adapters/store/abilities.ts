/** What a store can do: probe.ts finds out. */

/** What a store does with If-Match and If-None-Match of a put. `racy`: it obeys, but not when several come at once. */
export type ConditionalPuts = 'yes' | 'racy' | 'no';

export interface StoreAbilities {
  /** If-Match and If-None-Match of puts. */
  readonly conditionalPuts: ConditionalPuts;
  /** Whether If-Match is sent in quotes, as HTTP wants it. */
  readonly quotesIfMatch: boolean;
  /** A listing shows a put that ended before. */
  readonly listsAtOnce: boolean;
  /** A range with an If-Match that does not hold is refused. Where it is not, each answer's ETag is compared. */
  readonly conditionalRanges: boolean;
  /** Keys with blanks, `+` and UTF-8 are kept as they are. */
  readonly oddKeys: boolean;
  readonly copies: boolean;
  readonly multipartUploads: boolean;
}

/** One line: what the store can do, and what it cannot. */
export function abilitiesLine(abilities: StoreAbilities): string {
  const found: [string, boolean][] = [
    ['conditional puts', abilities.conditionalPuts === 'yes'],
    ['listings at once', abilities.listsAtOnce],
    ['conditional ranges', abilities.conditionalRanges],
    ['odd keys', abilities.oddKeys],
    ['copies', abilities.copies],
    ['multipart uploads', abilities.multipartUploads],
  ];
  const names = (isThere: boolean) => found.flatMap(([name, has]) => (has === isThere ? name : [])).join(', ');
  const missing = names(false);
  return `the store has ${names(true) || 'nothing'}${missing === '' ? '' : `; it lacks ${missing}`}`;
}
