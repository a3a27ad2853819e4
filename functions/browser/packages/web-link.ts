/** A record's homepage is anybody's text: it becomes a link only where it leads to the web. */

/** The URL to link to; undefined where it is none, or another kind than http and https. */
export function webLink(homepage: string): string | undefined {
  if (!URL.canParse(homepage)) return undefined;
  const url = new URL(homepage);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : undefined;
}
