/** The path of a request: decoded exactly once, and refused where it could mean anything but a file below the root. */

import { isPackageKey, keyLimits, packageSuffixes } from '../keys.ts';
import { isPublishedFile } from '../obstruction.ts';
import type { ObjectKey } from '../ports.ts';
import { notFound, Refusal } from './answer.ts';
import type { ServerLimits } from './server-limits.ts';

export interface RequestTarget {
  /** Decoded, none of them empty, hidden, or able to leave the root; no part at all is the root itself. */
  readonly parts: readonly string[];
  readonly trailingSlash: boolean;
  /** The path had empty parts (`/All//x.tgz`), which `parts` leaves out. */
  readonly repeatedSlash: boolean;
  /** What follows the first `?`, not decoded; undefined without one. */
  readonly query: string | undefined;
  /** Host and port of a target in absolute form (`http://host:port/path`), which count instead of the Host header. */
  readonly authority: string | undefined;
}

/** A slash or a backslash separates names on some system; no name that we serve has a control character (NUL above all). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it matches exactly these.
const forbiddenCharacter = /[/\\\u0000-\u001f\u007f-\u009f]/;

/** Whether a name can be asked for: neither hidden (`.indexer`, `..`) nor holding a character that a path may not. */
export function isServedName(name: string): boolean {
  return name !== '' && !name.startsWith('.') && !forbiddenCharacter.test(name);
}

/**
 * @param url the request target as it was received: `/All/x-1.0.tgz?list`, or with `http://host` in front (RFC 9112, section 3.2.2)
 * @throws {Refusal} 414 too long, 400 not a path or badly encoded, 404 a hidden part
 */
export function parseRequestTarget(url: string, limits: ServerLimits): RequestTarget {
  if (url.length > limits.targetBytesMax)
    throw new Refusal(414, `URL too long: the limit is ${limits.targetBytesMax} bytes.`);
  const [, authority, rest = ''] = absoluteForm.exec(url) ?? [undefined, undefined, url];
  const origin = authority !== undefined && /^(?:$|\?)/.test(rest) ? `/${rest}` : rest;
  if (!origin.startsWith('/') || origin.includes('#'))
    throw new Refusal(400, 'Expected a path that begins with "/" and has no "#".');

  const [path = '', ...query] = origin.split('?');
  const [, ...segments] = path.split('/');
  const trailingSlash = segments.at(-1) === '';
  if (trailingSlash) segments.pop();

  const parts = segments.filter((segment) => segment !== '').map(decodedPart);
  if (parts.some((part) => part.startsWith('.'))) throw notFound();
  return {
    parts,
    trailingSlash,
    repeatedSlash: parts.length !== segments.length,
    query: query.length === 0 ? undefined : query.join('?'),
    authority,
  };
}

/** Behind the authority come the path, the query, or nothing. It has no user: no client would send one. */
const absoluteForm = /^https?:\/\/([\w.:[\]-]+)(?=[/?]|$)(.*)$/is;

function decodedPart(segment: string): string {
  let part: string;
  try {
    part = decodeURIComponent(segment);
  } catch {
    throw new Refusal(400, 'The path is not valid percent-encoded UTF-8.');
  }
  if (forbiddenCharacter.test(part))
    throw new Refusal(400, 'The path contains an encoded slash, a backslash or a control character.');
  return part;
}

/** The path of these parts, encoded again: for Location. It never begins with two slashes. */
export function encodedPath(parts: readonly string[], trailingSlash: boolean): string {
  return `/${parts.map(encodeURIComponent).join('/')}${trailingSlash && parts.length > 0 ? '/' : ''}`;
}

/**
 * The key of the package that a PUT names. A package below a directory that has the name of an index is refused: the index could not
 * be published any more.
 * @throws {Refusal} 400 for any other path
 */
export function uploadKeyOf(target: RequestTarget, limits: ServerLimits): ObjectKey {
  const key = packageKeyOf(target, limits);
  const reserved = target.parts.find(isPublishedFile);
  if (reserved !== undefined)
    throw new Refusal(400, `A directory cannot be named ${reserved}: clients expect a file of that name.`);
  return key;
}

/**
 * The key of the package that a PUT or a DELETE names.
 * @throws {Refusal} 400 for any other path
 */
export function packageKeyOf(target: RequestTarget, limits: ServerLimits): ObjectKey {
  const key = target.parts.join('/');
  if (target.query !== undefined) throw new Refusal(400, 'PUT and DELETE take no query string.');
  if (target.repeatedSlash || target.trailingSlash || !isPackageKey(key))
    throw new Refusal(400, `Expected the path of a package, such as /All/x-1.0.tgz (${packageSuffixes.join(', ')}).`);
  if (target.parts.length - 1 > keyLimits.directoriesMax)
    throw new Refusal(400, `Path too deep: the limit is ${keyLimits.directoriesMax} directories.`);
  if (target.parts.some((part) => Buffer.byteLength(part) > limits.keyPartBytesMax))
    throw new Refusal(400, `Name too long: the limit is ${limits.keyPartBytesMax} bytes.`);
  if (Buffer.byteLength(key) > limits.keyBytesMax)
    throw new Refusal(400, `Path too long: the limit is ${limits.keyBytesMax} bytes.`);
  return key;
}
