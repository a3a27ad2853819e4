/**
 * The plain list of a repository's packages: what people see who browse without JavaScript, and what pkg_add resolves patterns by.
 *
 * pkg_add (libfetch, http.c: fetchListHTTP, parse_index; common.c: fetch_add_entry) asks for the directory's own URL and takes
 * the value of every `href="…"` in an `<a …>`, in double quotes, for a file's name, percent-encoded; it follows no link to
 * another page, knows no character references, and drops names with a `/`.
 */

/** @param files of the packages, in the order in which they are to stand. */
export function renderListing(files: readonly string[]): string {
  const links = files.map((file) => `<a href="${encodeURIComponent(file)}">${escapeText(file)}</a>`);
  return [
    '<main>',
    '<h1>Packages</h1>',
    `<p>${files.length} in this repository. With JavaScript they can be searched.</p>`,
    '<pre>',
    ...links,
    '</pre>',
    '</main>',
  ].join('\n');
}

/** As text between tags. A control character would be an error in HTML, or a line's end. */
function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/\p{Cc}/gu, '\u{fffd}');
}
