/**
 * Packages made on the spot: the same parts give the same bytes. It shares no code with the reader. It writes tar headers itself,
 * because tar-stream writes neither GNU's long names nor wrong fields, and only asynchronously.
 *
 *   makePackage()                                              made-1.0, gzip, one payload file
 *   makePackage({ name: 'x-2.0', packingList: ['@pkgdep y>=1'], buildInfo: 'OPSYS=NetBSD\n' })
 *   makePackage({ name: 'big-1.0', payload: { 'bin/big': 300_000 } })   bytes that do not compress
 *   makePackage({ headers: 'pax', compression: 'zstd', signature: 'gpg' })
 *
 * Beneath it, for packages that pkg_create would not write: makeArchive, compress, sign.
 */

import { createCipheriv, createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';

/** A string stands for its UTF-8. */
export type Content = string | Uint8Array;

/** `pax`: as modern pkg_create, an extended header before every entry; `gnu`: long names in entries of their own. */
export type Headers = 'ustar' | 'gnu' | 'pax';

export interface PackageParts {
  /** `made-1.0`. */
  readonly name?: string;
  /** Lines of +CONTENTS behind @name: `@pkgdep x>=1`. */
  readonly packingList?: readonly string[];
  readonly comment?: Content;
  readonly description?: Content;
  readonly buildInfo?: Content;
  readonly sizePkg?: Content;
  /** Further metadata files, or others in the place of those above (`+CONTENTS` whole); undefined leaves one out. */
  readonly metadata?: Readonly<Record<string, Content | undefined>>;
  /** The files proper; a number makes so many bytes that do not compress. */
  readonly payload?: Readonly<Record<string, Content | number>>;
  readonly headers?: Headers;
  readonly compression?: 'gzip' | 'zstd' | 'none';
  readonly signature?: 'gpg' | 'x509';
}

export function makePackage(parts: PackageParts = {}): Buffer {
  const { compression = 'gzip', headers = 'ustar', signature } = parts;
  const unsigned = compress(makeArchive(entriesOf(parts), headers), compression);
  return signature === undefined ? unsigned : sign(unsigned, signature, parts.name);
}

/** The entries that makePackage archives: the metadata files, then the payload. */
export function entriesOf(parts: PackageParts): Entry[] {
  const { name = 'made-1.0', packingList = [], payload = { 'bin/made': '#!/bin/sh\n' } } = parts;
  const contents = ['@cwd /usr/pkg', `@name ${name}`, ...packingList, ...Object.keys(payload), ''].join('\n');
  const metadata: Record<string, Content | undefined> = {
    '+CONTENTS': contents,
    '+COMMENT': parts.comment ?? 'A package made for a test\n',
    '+DESC': parts.description ?? 'It holds nothing of use.\n',
    '+BUILD_INFO': parts.buildInfo,
    '+SIZE_PKG': parts.sizePkg,
    ...parts.metadata,
  };
  const files = [
    ...Object.entries(metadata),
    ...Object.entries(payload).map(([file, body]) => [file, typeof body === 'number' ? noise(body) : body] as const),
  ];
  return files.flatMap(([file, body]) => (body === undefined ? [] : [{ name: file, body }]));
}

export interface Entry {
  readonly name: string;
  readonly body?: Content;
  /** The type flag of tar: `0` a file, `1` a hard link, `2` a symbolic link, `5` a directory, `g` a global pax header. */
  readonly type?: string;
  /** Bytes of the header in the place of the right ones, in Latin-1, by their offset: `{ 124: '00000000017\0' }` is a size. */
  readonly header?: Readonly<Record<number, string>>;
}

/** A tar archive with the two blocks of zeros at its end. */
export function makeArchive(entries: readonly Entry[], headers: Headers = 'ustar'): Buffer {
  return Buffer.concat([...entries.map((entry) => entryBlocks(entry, headers)), Buffer.alloc(1024)]);
}

/** One entry: header and body, filled up to whole blocks. */
export function entryBlocks(entry: Entry, headers: Headers = 'ustar'): Buffer {
  const isLong = Buffer.byteLength(entry.name) > 100;
  if (headers === 'pax') {
    const records = paxRecord('hdrcharset', 'BINARY') + (isLong ? paxRecord('path', entry.name) : '');
    return Buffer.concat([block({ name: `PaxHeader/${entry.name}`, type: 'x', body: records }), block(entry)]);
  }
  if (headers === 'gnu') {
    const longName = isLong ? block({ name: '././@LongLink', type: 'L', body: `${entry.name}\0` }, 'ustar  \0') : '';
    return Buffer.concat([Buffer.from(longName), block(entry, 'ustar  \0')]);
  }
  return block(entry);
}

/** A record of a pax header: its own length in bytes comes first. */
export function paxRecord(keyword: string, value: string): string {
  const rest = ` ${keyword}=${value}\n`;
  let length = Buffer.byteLength(rest);
  while (length !== Buffer.byteLength(`${length}${rest}`)) length = Buffer.byteLength(`${length}${rest}`);
  return `${length}${rest}`;
}

export function compress(archive: Uint8Array, compression: 'gzip' | 'zstd' | 'none'): Buffer {
  if (compression === 'gzip') return gzipSync(archive);
  if (compression === 'zstd') return zstdCompressSync(archive);
  return Buffer.from(archive);
}

/** The ar archive of a signed package. The hashes are right; the signature is one in form only. */
export function sign(unsigned: Uint8Array, signature: 'gpg' | 'x509', name = 'made-1.0'): Buffer {
  const blockBytes = 65_536;
  const hashes: string[] = [];
  for (let offset = 0; offset < unsigned.length; offset += blockBytes) {
    const bytes = unsigned.subarray(offset, offset + blockBytes);
    hashes.push(`${createHash('sha512').update(bytes).digest('hex')}\n`);
  }
  const head = `pkgsrc signature\n\nversion: 1\npkgname: ${name}\nalgorithm: SHA512\nblock size: ${blockBytes}\nfile size: ${unsigned.length}\n\n`;
  return makeSigned([
    ['+PKG_HASH', `${head}${hashes.join('')}end pkgsrc signature\n`],
    signature === 'gpg'
      ? ['+PKG_GPG_SIGNATURE', '-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n']
      : ['+PKG_SIGNATURE', '-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n'],
    [`${name}.tgz`, unsigned],
  ]);
}

/** An ar archive; names of more than 16 bytes precede the content, as BSD's ar writes them. */
export function makeSigned(members: readonly (readonly [name: string, content: Content])[]): Buffer {
  const parts = members.flatMap(([name, content]) => {
    const isLong = name.length > 16 || name.includes(' ');
    const body = Buffer.concat([Buffer.from(isLong ? name : ''), Buffer.from(content as Uint8Array)]);
    const fields = [
      [isLong ? `#1/${name.length}` : name, 16],
      ['0', 12],
      ['0', 6],
      ['0', 6],
      ['644', 8],
    ] as const;
    const header = fields.map(([text, width]) => text.padEnd(width)).join('');
    return [Buffer.from(`${header}${String(body.length).padEnd(10)}\`\n`), body, Buffer.alloc(body.length % 2, '\n')];
  });
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts]);
}

/** Bytes that do not compress, always the same. */
export function noise(bytes: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

/** POSIX ustar header and body. The fields that nobody reads are constant. */
function block({ name, type = '0', body = '', header: fields = {} }: Entry, magic = 'ustar\x0000'): Buffer {
  const bytes = Buffer.from(body as Uint8Array);
  const header = Buffer.alloc(512);
  const [prefix, shortName] = splitName(name);
  header.write(shortName, 0, 100);
  header.write('0000644\x000000000\x000000000\0', 100);
  header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write(type, 156);
  header.write(magic, 257);
  header.write(prefix, 345, 155);
  for (const [offset, field] of Object.entries(fields)) header.write(field, Number(offset), 'latin1');
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** A name of more than 100 bytes is cut at a slash; one that cannot be is cut off: its header comes with another. */
function splitName(name: string): [prefix: string, shortName: string] {
  if (Buffer.byteLength(name) <= 100) return ['', name];
  const slash = name.indexOf('/', name.length - 101);
  return slash === -1 ? ['', name] : [name.slice(0, slash), name.slice(slash + 1)];
}
