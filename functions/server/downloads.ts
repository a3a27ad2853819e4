/** GET of a file: its headers, the conditions of the request, and which of its bytes. */

import { extname } from 'node:path';
import { type Answer, emptyAnswer, plainText } from './answer.ts';
import { parseByteRange } from './byte-range.ts';
import { preconditionOf, rangeStillHolds } from './preconditions.ts';
import type { OpenFile } from './served-path.ts';
import type { ServedRequest } from './served-request.ts';

/**
 * What package repositories hold. Whatever else there is gets the type that no browser runs or shows. A compressed file is
 * a file of that type, never a Content-Encoding: a client that undid that would get another file than the one it asked for.
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

/** @param name the last part of the path; it tells the type */
export function answerWithFile(request: ServedRequest, file: OpenFile, name: string): Answer {
  const { headers, method } = request;
  const release = (): Promise<void> => file.handle.close();
  const validators = {
    ETag: file.etag,
    'Last-Modified': file.lastModified.toUTCString(),
    // The index changes under its name, and so may a package: a cache may keep either, but has to ask whether it is still right.
    'Cache-Control': 'no-cache',
  };

  const precondition = preconditionOf(headers, file);
  if (precondition === 'not-modified') return { ...emptyAnswer(304, validators), release };
  if (precondition === 'failed')
    return { ...plainText(412, 'The file is not the one that the condition names.'), release };

  const mayBePart = method === 'GET' && rangeStillHolds(headers['if-range'], file, new Date());
  const range = mayBePart ? parseByteRange(headers.range, file.size) : ({ kind: 'whole' } as const);
  if (range.kind === 'unsatisfiable') {
    const contentRange = { 'Content-Range': `bytes */${file.size}` };
    return { ...plainText(416, `The file has ${file.size} bytes: the range lies beyond.`, contentRange), release };
  }

  const description = {
    ...validators,
    'Content-Type': contentTypes[extname(name).toLowerCase()] ?? 'application/octet-stream',
    'Accept-Ranges': 'bytes',
  };
  if (range.kind === 'whole')
    return { status: 200, headers: description, body: { kind: 'file', file, start: 0, length: file.size }, release };

  const { start, length } = range;
  const contentRange = `bytes ${start}-${start + length - 1}/${file.size}`;
  return {
    status: 206,
    headers: { ...description, 'Content-Range': contentRange },
    body: { kind: 'file', file, start, length },
    release,
  };
}
