/**
 * Reads the links of a directory page as pkg_add does, to resolve patterns by them. It shares no code with the writer.
 * Facts: libfetch of pkgsrc (http.c: parse_index; common.c: fetch_add_entry), which knows nothing of HTML but tags that begin
 * with an `a`: to it, a script is text, and so is what stands in a noscript.
 */

/** The names in the page's links, decoded, without those that pkg_add ignores. */
export function pkgAddNames(page: string): string[] {
  const names: string[] = [];
  let at = 0;
  while (at < page.length) {
    const tagStart = page.indexOf('<', at);
    if (tagStart === -1) break;
    const anchor = /<\s*a(?=\s)/iy;
    anchor.lastIndex = tagStart;
    if (!anchor.test(page)) {
      const tagEnd = page.indexOf('>', tagStart);
      if (tagEnd === -1) break;
      at = tagEnd + 1;
      continue;
    }
    at = readAnchor(page, anchor.lastIndex, names);
  }
  return names
    .filter((name) => !name.includes('/') && name !== '.' && name !== '..')
    .map((name) => decodeURIComponent(name));
}

/** @returns where the tag ends. */
function readAnchor(page: string, start: number, names: string[]): number {
  let at = start;
  while (at < page.length && page.charAt(at) !== '>') {
    const reference = /(?<=\s)href\s*=\s*"([^"]*)"/iy;
    reference.lastIndex = at;
    const [whole, name] = reference.exec(page) ?? [];
    if (whole !== undefined && name !== undefined) {
      names.push(name);
      at += whole.length;
    } else if (page.charAt(at) === '"') {
      // Of another attribute: up to the next quote, or the tag's end within it.
      const end = page.slice(at + 1).search(/[">]/);
      if (end === -1) return page.length;
      at += end + (page.charAt(at + 1 + end) === '"' ? 2 : 1);
    } else {
      at += 1;
    }
  }
  return at + 1;
}
