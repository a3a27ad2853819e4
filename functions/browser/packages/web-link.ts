/** Records contain text of unknown authors: it becomes a link only if it leads to the web. */

/** The URL to link to; undefined where it is none, or another kind than http and https. */
export function webLink(homepage: string): string | undefined {
  if (!URL.canParse(homepage)) return undefined;
  const url = new URL(homepage);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : undefined;
}

/** Where the source of a PKGPATH can be read; undefined where it is not of the form `category/package`. */
export function sourceLink(path: string): string | undefined {
  const isPath = /^[a-z0-9][\w.+-]*\/[\w+][\w.+-]*$/.test(path);
  return isPath ? `https://github.com/NetBSD/pkgsrc/tree/trunk/${path}` : undefined;
}
