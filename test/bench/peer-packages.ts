/**
 * The made packages as other systems have them, an rpm and a deb, with the same name, texts, dependencies, files and size: for
 * measuring their indexers beside ours. They can be read and listed; there is nothing in them to install.
 * Source: rpm's docs/format.md and lib/rpmtag.h; deb(5).
 */

import { createHash } from 'node:crypto';
import { compress, makeArchive, makeSigned, noise } from '../package-maker.ts';
import { type MadePackage, metadataOf } from './made-packages.ts';

interface PeerFacts {
  readonly name: string;
  readonly version: string;
  readonly summary: string;
  readonly description: string;
  readonly homepage: string;
  readonly license: string;
  readonly depends: readonly { readonly name: string; readonly version: string }[];
  /** Absolute paths, in order, and the MD5 of each. */
  readonly files: readonly { readonly path: string; readonly md5: string }[];
}

function factsOf(made: MadePackage): PeerFacts {
  const dash = made.name.lastIndexOf('-');
  const contents = metadataOf(made)['+CONTENTS'].split('\n');
  const files = contents.flatMap((line, n) => {
    const md5 = contents[n + 1]?.match(/^@comment MD5:(.*)/)?.[1];
    return line.startsWith('@') || md5 === undefined ? [] : [{ path: `/usr/pkg/${line}`, md5 }];
  });
  const variable = (name: string) => made.buildInfo.match(new RegExp(`^${name}=(.*)$`, 'm'))?.[1] ?? '';
  return {
    name: made.name.slice(0, dash).toLowerCase(),
    version: made.name.slice(dash + 1),
    summary: made.comment.trim(),
    description: made.description.trim(),
    homepage: variable('HOMEPAGE'),
    license: variable('LICENSE'),
    depends: made.packingList.flatMap((line) => {
      const [, name, version] = /^@pkgdep (.*)>=(.*)/.exec(line) ?? [];
      return name === undefined || version === undefined ? [] : [{ name, version }];
    }),
    files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

/** @param sizeBytes of the file, if its metadata leave room: rpm does not compress them. */
export function rpmBytes(made: MadePackage, sizeBytes: number): Buffer {
  const facts = factsOf(made);
  const header = headerBytes(63, rpmTags(facts));
  const payload = noise(Math.max(sizeBytes - header.length - 200, 100));
  const both = Buffer.concat([header, payload]);
  const signature = headerBytes(62, [
    [1000, 'int32', [both.length]],
    [1004, 'binary', createHash('md5').update(both).digest()],
  ]);
  const padding = Buffer.alloc((8 - (signature.length % 8)) % 8);
  return Buffer.concat([rpmLead(`${facts.name}-${facts.version}-1`), signature, padding, both]);
}

export function debBytes(made: MadePackage, sizeBytes: number): Buffer {
  const { name, version, summary, description, homepage, depends, files } = factsOf(made);
  const control = [
    `Package: ${debName(name)}`,
    `Version: ${version}`,
    'Architecture: amd64',
    'Maintainer: Nobody <nobody@example.org>',
    `Installed-Size: ${Math.ceil(made.payloadBytes / 256)}`,
    ...(depends.length === 0
      ? []
      : [`Depends: ${depends.map((on) => `${debName(on.name)} (>= ${on.version})`).join(', ')}`]),
    'Section: misc',
    'Priority: optional',
    `Homepage: ${homepage}`,
    `Description: ${summary}`,
    ...description.split('\n').map((line) => ` ${line}`),
    '',
  ].join('\n');
  const sums = files.map(({ path, md5 }) => `${md5}  ${path.slice(1)}\n`).join('');
  const controlArchive = compress(
    makeArchive([
      { name: './control', body: control },
      { name: './md5sums', body: sums },
    ]),
    'gzip',
  );
  const room = Math.max(sizeBytes - controlArchive.length - 400, 100);
  const data = compress(makeArchive([{ name: './usr/pkg/share/payload', body: noise(room) }]), 'gzip');
  return makeSigned([
    ['debian-binary', '2.0\n'],
    ['control.tar.gz', controlArchive],
    ['data.tar.gz', data],
  ]);
}

/** Debian's names have no underscore and no capitals, and at least two characters. */
function debName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-').padEnd(2, '0');
}

type Tag =
  | readonly [tag: number, type: 'int16' | 'int32', values: readonly number[]]
  | readonly [tag: number, type: 'string' | 'i18n', value: string]
  | readonly [tag: number, type: 'strings', values: readonly string[]]
  | readonly [tag: number, type: 'binary', value: Uint8Array];

const typeNumbers = { int16: 3, int32: 4, string: 6, binary: 7, strings: 8, i18n: 9 } as const;
const greaterOrEqual = 12;
const equal = 8;
const regularFile = 0o100644;
const builtAt = Date.UTC(2026, 0, 1) / 1000;

function rpmTags({ name, version, summary, description, homepage, license, depends, files }: PeerFacts): Tag[] {
  const folderOf = (path: string) => path.slice(0, path.lastIndexOf('/') + 1);
  const folders = [...new Set(files.map(({ path }) => folderOf(path)))];
  const ofEach = <Value>(value: Value): Value[] => files.map(() => value);
  return [
    [100, 'strings', ['C']],
    [1000, 'string', name],
    [1001, 'string', version],
    [1002, 'string', '1'],
    [1004, 'i18n', summary],
    [1005, 'i18n', description],
    [1006, 'int32', [builtAt]],
    [1007, 'string', 'builder'],
    [1009, 'int32', [1_000 * files.length]],
    [1014, 'string', license],
    [1016, 'i18n', 'Unspecified'],
    [1020, 'string', homepage],
    [1021, 'string', 'linux'],
    [1022, 'string', 'x86_64'],
    [1028, 'int32', ofEach(1_000)],
    [1030, 'int16', ofEach(regularFile)],
    [1034, 'int32', ofEach(builtAt)],
    [1035, 'strings', files.map(({ md5 }) => md5)],
    [1036, 'strings', ofEach('')],
    [1037, 'int32', ofEach(0)],
    [1039, 'strings', ofEach('root')],
    [1040, 'strings', ofEach('root')],
    [1044, 'string', `${name}-${version}-1.src.rpm`],
    [1047, 'strings', [name]],
    [1048, 'int32', depends.map(() => greaterOrEqual)],
    [1049, 'strings', depends.map((on) => on.name)],
    [1050, 'strings', depends.map((on) => on.version)],
    [1064, 'string', '4.18.0'],
    [1080, 'int32', [builtAt]],
    [1081, 'strings', [`Nobody <nobody@example.org> - ${version}-1`]],
    [1082, 'strings', ['- made']],
    [1112, 'int32', [equal]],
    [1113, 'strings', [`${version}-1`]],
    [1116, 'int32', files.map(({ path }) => folders.indexOf(folderOf(path)))],
    [1117, 'strings', files.map(({ path }) => path.slice(path.lastIndexOf('/') + 1))],
    [1118, 'strings', folders],
    [1124, 'string', 'cpio'],
    [1125, 'string', 'zstd'],
    [1126, 'string', '19'],
  ];
}

/**
 * Magic, the index (tag, type, offset, count), and the store that it points into. A tag without values is left out. All of it is
 * one region, as since rpm 4: the region's entry leads the index, and its trailer ends the store.
 */
function headerBytes(region: 62 | 63, tags: readonly Tag[]): Buffer {
  const index: Buffer[] = [];
  const store: Buffer[] = [];
  let storeBytes = 0;
  const append = (bytes: Buffer) => {
    store.push(bytes);
    storeBytes += bytes.length;
  };
  for (const tag of tags) {
    const [number, type] = tag;
    const count = countOf(tag);
    if (count === 0) continue;
    const alignment = type === 'int32' ? 4 : type === 'int16' ? 2 : 1;
    append(Buffer.alloc((alignment - (storeBytes % alignment)) % alignment));
    index.push(integers([number, typeNumbers[type], storeBytes, count], 4));
    append(valueBytes(tag));
  }
  const entryBytes = 16;
  const entries = index.length + 1;
  const regionEntry = integers([region, typeNumbers.binary, storeBytes, entryBytes], 4);
  append(integers([region, typeNumbers.binary, 2 ** 32 - entries * entryBytes, entryBytes], 4));
  return Buffer.concat([
    Buffer.from('8eade80100000000', 'hex'),
    integers([entries, storeBytes], 4),
    regionEntry,
    ...index,
    ...store,
  ]);
}

function countOf([, type, value]: Tag): number {
  return type === 'string' || type === 'i18n' ? 1 : value.length;
}

function valueBytes([, type, value]: Tag): Buffer {
  switch (type) {
    case 'int16':
      return integers(value, 2);
    case 'int32':
      return integers(value, 4);
    case 'strings':
      return Buffer.from(value.map((text) => `${text}\0`).join(''));
    case 'string':
    case 'i18n':
      return Buffer.from(`${value}\0`);
    case 'binary':
      return Buffer.from(value);
  }
}

/** Big-endian. */
function integers(values: readonly number[], bytesEach: 2 | 4): Buffer {
  const bytes = Buffer.alloc(values.length * bytesEach);
  for (const [n, value] of values.entries()) bytes.writeUIntBE(value, n * bytesEach, bytesEach);
  return bytes;
}

/** 96 bytes that only say that it is an rpm, a binary one, with a signature header. */
function rpmLead(name: string): Buffer {
  const lead = Buffer.alloc(96);
  lead.write('edabeedb0300', 0, 'hex');
  lead.writeUInt16BE(1, 8);
  lead.write(name.slice(0, 65), 10);
  lead.writeUInt16BE(1, 76);
  lead.writeUInt16BE(5, 78);
  return lead;
}
