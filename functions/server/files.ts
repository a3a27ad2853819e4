/** GET of a file: its headers, the conditions of the request, and which of its bytes. */

import { extname } from 'node:path';
import { plainText, Refusal } from './answer.ts';
import { preconditionOf, rangeStillHolds } from './preconditions.ts';
import type { ServedFile } from './served-tree.ts';
import type { ServedRequest, Site } from './site.ts';

/**
 * What package repositories contain. Everything else gets the type that no browser runs or shows. A compressed file is a
 * file of that type, never a Content-Encoding: a client that undid that would get another file than the one it asked for.
 */
const contentTypes: Readonly<Record<string, string>> = {
  '.tgz': 'application/gzip',
  '.gz': 'application/gzip',
  '.tbz': 'application/x-bzip2',
  '.bz2': 'application/x-bzip2',
  '.txz': 'application/x-xz',
  '.xz': 'application/x-xz',
  '.tzst': 'application/zstd',
  '.zst': 'application/zstd',
  '.tar': 'application/x-tar',
  '.txt': 'text/plain; charset=utf-8',
  '.asc': 'text/plain; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
};

/**
 * @param name the last part of the path, which tells the type
 * @param headers that this file needs besides
 */
export async function sendFile(
  request: ServedRequest,
  file: ServedFile,
  name: string,
  headers: Readonly<Record<string, string>>,
  { limits }: Site,
): Promise<Response> {
  const conditions = request.req.header();
  const validators = {
    ...headers,
    ETag: file.etag,
    'Last-Modified': file.lastModified.toUTCString(),
    // The index changes under its name, and so may a package: a cache may keep either, but must ask whether it still holds.
    'Cache-Control': 'no-cache',
  };

  const now = new Date();
  const precondition = preconditionOf(conditions, file, now);
  if (precondition === 'not-modified') return request.body(null, 304, validators);
  if (precondition === 'failed') return plainText(412, 'The file has changed: the condition of the request fails.');

  const mayBePart = request.env.message.method === 'GET' && rangeStillHolds(conditions['if-range'], file, now);
  const range = mayBePart ? parseByteRange(conditions.range, file.size) : wholeFile;
  if (range.kind === 'unsatisfiable')
    throw new Refusal(416, `Range beyond the end: the file has ${file.size} bytes.`, {
      'Content-Range': `bytes */${file.size}`,
    });

  const { start, length } = range.kind === 'part' ? range : { start: 0, length: file.size };
  // The answer to HEAD is the answer to GET without its body.
  if (request.env.message.method === 'GET')
    request.env.sendPieces(await file.pieces(start, length, limits.progressBytes));
  return request.body(null, range.kind === 'part' ? 206 : 200, {
    ...validators,
    'Content-Type': contentTypes[extname(name).toLowerCase()] ?? 'application/octet-stream',
    'Content-Length': String(length),
    'Accept-Ranges': 'bytes',
    ...(range.kind === 'part' && { 'Content-Range': `bytes ${start}-${start + length - 1}/${file.size}` }),
  });
}

export type RangeRequest =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly start: number; readonly length: number }
  /** A 416. */
  | { readonly kind: 'unsatisfiable' };

const wholeFile: RangeRequest = { kind: 'whole' };

/**
 * One byte range: RFC 9110, section 14. Several at once are answered with the whole file, as the RFC permits.
 * @param size bytes of the file
 */
export function parseByteRange(header: string | undefined, size: number): RangeRequest {
  const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return wholeFile;

  // `-500`: the last 500 bytes, or all where there are fewer.
  if (first === '') return partOf(Math.max(size - Number(last), 0), size - 1, size);
  if (last !== '' && Number(last) < Number(first)) return wholeFile;
  return partOf(Number(first), last === '' ? size - 1 : Math.min(Number(last), size - 1), size);
}

function partOf(start: number, end: number, size: number): RangeRequest {
  return start < size ? { kind: 'part', start, length: end - start + 1 } : { kind: 'unsatisfiable' };
}
