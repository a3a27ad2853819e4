/**
 * The plain list of a repository's packages: what people see who browse without JavaScript, and what pkg_add resolves patterns by.
 * A line for each file, by the bytes of their names; so one that comes or goes is one line more or less, found by halving.
 *
 * pkg_add (libfetch, http.c: fetchListHTTP, parse_index; common.c: fetch_add_entry) asks for the directory's own URL and takes
 * the value of every `href="…"` in an `<a …>`, in double quotes, for a file's name, percent-encoded; it follows no link to
 * another page, knows no character references, and drops names with a `/`.
 */

import { compareByBytes } from '../keys.ts';

/** The list of links in a repository's page. */
export const pageLimits = {
  /** Lines that are text at a time before they become bytes: all 100,000 of a large list would take some 50 MB of small strings. */
  linesAtOnce: 1_000,
} as const;

/** Whether each of these files is to be in the list. */
export type FilePresence = ReadonlyMap<string, 'present' | 'absent'>;

export type SplicedLinks =
  | {
      readonly outcome: 'spliced';
      readonly links: Uint8Array;
      /** The files that were not in the list and are, and those that were. */
      readonly entered: readonly string[];
      readonly left: readonly string[];
    }
  /** The list says all of this already. */
  | { readonly outcome: 'unchanged' }
  /** The list is not one of ours. */
  | { readonly outcome: 'unreadable' };

/**
 * @param files by the bytes of their names, each once; well-formed Unicode.
 * @returns pieces that come one behind the other.
 */
export function renderLinks(files: Iterable<string>): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let lines: string[] = [];
  for (const file of files) {
    lines.push(linkOf(file));
    if (lines.length < pageLimits.linesAtOnce) continue;
    pieces.push(Buffer.from(lines.join('')));
    lines = [];
  }
  return [...pieces, Buffer.from(lines.join(''))];
}

/** What `renderLinks` gives for the files that are in the list once these have come and gone: the same bytes, in less time. */
export function spliceLinks(links: Uint8Array, presence: FilePresence): SplicedLinks {
  const list = Buffer.from(links.buffer, links.byteOffset, links.length);
  const pieces: Uint8Array[] = [];
  const [entered, left]: [string[], string[]] = [[], []];
  let copied = 0;
  for (const [file, wanted] of [...presence].sort(([left], [right]) => compareByBytes(left, right))) {
    const place = placeOf(file, list, copied);
    if (place === undefined) return { outcome: 'unreadable' };
    const isPresent = place.end > place.start;
    if (isPresent === (wanted === 'present')) continue;
    pieces.push(list.subarray(copied, place.start), Buffer.from(isPresent ? '' : linkOf(file)));
    (isPresent ? left : entered).push(file);
    copied = place.end;
  }
  if (pieces.length === 0) return { outcome: 'unchanged' };
  return { outcome: 'spliced', links: Buffer.concat([...pieces, list.subarray(copied)]), entered, left };
}

const linkStart = '<a href="';
const lineFeed = 0x0a;
const quote = 0x22;

function linkOf(file: string): string {
  return `${linkStart}${encodeURIComponent(file)}">${escapeText(file)}</a>\n`;
}

/** As text between tags. A control character would be an error in HTML, or a line's end. */
function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/\p{Cc}/gu, '\u{fffd}');
}

interface Place {
  readonly start: number;
  /** Behind the line's end; `start`, where the file has no line. */
  readonly end: number;
}

/**
 * Where the file's line is, or would be.
 * @param from where a line begins that is not behind the one that is looked for.
 * @returns undefined where a line is not one of ours.
 */
function placeOf(file: string, list: Buffer, from: number): Place | undefined {
  let low = from;
  let high = list.length;
  while (low < high) {
    const start = list.lastIndexOf(lineFeed, ((low + high) >>> 1) - 1) + 1;
    const end = list.indexOf(lineFeed, start) + 1;
    const found = fileOf(list.subarray(start, end));
    if (found === undefined) return undefined;
    const order = compareByBytes(found, file);
    if (order === 0) return { start, end };
    if (order < 0) low = end;
    else high = start;
  }
  return { start: low, end: low };
}

/** The file that a line links to; undefined where it does not. */
function fileOf(line: Buffer): string | undefined {
  const nameEnd = line.indexOf(quote, linkStart.length);
  if (!line.toString('latin1', 0, linkStart.length).startsWith(linkStart) || nameEnd === -1) return undefined;
  try {
    return decodeURIComponent(line.toString('latin1', linkStart.length, nameEnd));
  } catch {
    return undefined;
  }
}
