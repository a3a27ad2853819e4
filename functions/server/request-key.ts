/** The path of a request: decoded exactly once, and refused where it could mean anything but a file below the root. */

import { isPackageKey, keyLimits, packageSuffixes } from '../keys.ts';
import type { ObjectKey } from '../ports.ts';
import { notFound, Refusal } from './answer.ts';
import type { ServerLimits } from './server-limits.ts';

export interface RequestTarget {
  /** Decoded, none of them empty, hidden, or able to leave the root; no part at all is the root itself. */
  readonly parts: readonly string[];
  readonly trailingSlash: boolean;
  /** The path had empty parts (`/All//x.tgz`), which are left out of `parts`. */
  readonly repeatedSlash: boolean;
  /** What follows the first `?`, not decoded; undefined without one. */
  readonly query: string | undefined;
}

/** A slash or a backslash separates on some system; a control character (NUL above all) is in no name that we serve. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for.
const forbiddenCharacter = /[/\\\u0000-\u001f\u007f-\u009f]/;

/** Whether a name can be asked for: neither hidden (`.indexer`, `..`) nor holding a character that a path may not. */
export function isServedName(name: string): boolean {
  return name !== '' && !name.startsWith('.') && !forbiddenCharacter.test(name);
}

/**
 * @param url the request target as it was received: `/All/x-1.0.tgz?list`
 * @throws {Refusal} 414 too long, 400 not a path or badly encoded, 404 a hidden part
 */
export function parseRequestTarget(url: string, limits: ServerLimits): RequestTarget {
  if (url.length > limits.targetBytesMax)
    throw new Refusal(414, `The path and query of a request may have ${limits.targetBytesMax} bytes.`);
  if (!url.startsWith('/') || url.includes('#'))
    throw new Refusal(400, 'Expected a path that begins with "/" and has no "#": this server is not a proxy.');

  const [path = '', ...query] = url.split('?');
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
  };
}

function decodedPart(segment: string): string {
  let part: string;
  try {
    part = decodeURIComponent(segment);
  } catch {
    throw new Refusal(400, 'The path is not valid percent-encoded UTF-8.');
  }
  if (forbiddenCharacter.test(part))
    throw new Refusal(400, 'A part of the path holds an encoded slash, a backslash or a control character.');
  return part;
}

/** The path of these parts, encoded again: for Location. It never begins with two slashes. */
export function encodedPath(parts: readonly string[], trailingSlash: boolean): string {
  return `/${parts.map(encodeURIComponent).join('/')}${trailingSlash && parts.length > 0 ? '/' : ''}`;
}

/**
 * The key of the package that an upload or a removal names.
 * @throws {Refusal} 400 where the target is not the key of a package
 */
export function packageKeyOf(target: RequestTarget, limits: ServerLimits): ObjectKey {
  const key = target.parts.join('/');
  if (target.query !== undefined) throw new Refusal(400, 'An upload or a removal takes no query.');
  if (target.repeatedSlash || target.trailingSlash || !isPackageKey(key))
    throw new Refusal(400, `Expected the path of a package, like /All/x-1.0.tgz (${packageSuffixes.join(', ')}).`);
  if (target.parts.length - 1 > keyLimits.directoriesMax)
    throw new Refusal(400, `The path of a package may have ${keyLimits.directoriesMax} directories.`);
  if (target.parts.some((part) => Buffer.byteLength(part) > limits.keyPartBytesMax))
    throw new Refusal(400, `A part of the path may have ${limits.keyPartBytesMax} bytes.`);
  if (Buffer.byteLength(key) > limits.keyBytesMax)
    throw new Refusal(400, `The path of a package may have ${limits.keyBytesMax} bytes.`);
  return key;
}
