/** Changes the entries of packages, and writes archives with valid checksums. */

import type { Dice } from '../dice.ts';
import { type Entry, type Headers, makeArchive, makeSigned, paxRecord } from '../package-maker.ts';
import { boundaries, changeBytes, changeText, randomBytes } from './byte-changes.ts';

const blockBytes = 512;

const names = [
  '+CONTENTS',
  '+COMMENT',
  '+DESC',
  '+BUILD_INFO',
  '+SIZE_PKG',
  '+INSTALL',
  '+MTREE_DIRS',
  '+VIEWS',
  './+CONTENTS',
  '+contents',
  '+CONTENTS/',
  '',
  'bin/x',
  '.',
  '/',
  `${'d/'.repeat(60)}x`,
  'n'.repeat(100),
  'n'.repeat(101),
  'n'.repeat(2_000),
  '+DESC\0hidden',
  'caf\xe9',
];

const types = ['0', '\0', '5', '1', '2', '3', '6', '7', 'x', 'g', 'L', 'K', 'S', 'D', 'V', 'M', 'A', '\xff'];

const sizeFields = [
  '00000000000\0',
  '00000000001 ',
  '00000001000\0',
  '77777777777\0',
  '777777777777',
  '            ',
  '-0000000001\0',
  '0x000000010\0',
  '99999999999\0',
  '\0\0\0\0\0\0\0\0\0\0\0\0',
  '\x80\0\0\0\0\0\0\0\0\0\0\x10',
  '\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff',
  '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff',
];

const paxBodies = [
  '12 path=abc\n',
  '18 path=+CONTENTS\n',
  '16 path=+COMMENT\n',
  '9 path=\n',
  '10 size=1\n',
  '12 size=512\n',
  '21 size=999999999999\n',
  '21 size=-00000000001\n',
  '13 size=1e99\n',
  '0 path=x\n',
  '-5 path=x\n',
  '999999999999 path=x\n',
  '11 path=abc\n',
  '13 path=abc\n',
  ' 12 path=abc\n',
  '12 path=abc',
  'path=abc\n',
  '',
  '\n',
  '22 hdrcharset=BINARY\n',
  `${6 + 4_000 + 4} path=${'p'.repeat(4_000)}\n`,
  ...sparseBodies(),
];

/** Sparse files of GNU tar, right and wrong (test/package/sparse.test.ts). */
function sparseBodies(): string[] {
  const maps = ['0,1', '0,1,512,1', '5,1,0,1', '0,999999999999', '1', '', '0,1,', 'a,b', '-1,1'];
  const sparse = (records: Readonly<Record<string, string>>) =>
    Object.entries(records)
      .map(([keyword, value]) => paxRecord(`GNU.sparse.${keyword}`, value))
      .join('');
  return [
    ...maps.map((map) => sparse({ map, size: '513', numblocks: '2', name: '+DESC' })),
    sparse({ major: '1', minor: '0', name: '+DESC', realsize: '1000' }),
    sparse({ major: '1', minor: '0', name: '+CONTENTS', realsize: '999999999999' }),
    sparse({ major: '2', minor: '0' }),
    sparse({ size: '1000', numblocks: '1', offset: '0', numbytes: '10' }),
    sparse({ offset: '10', numbytes: '999999999999', size: '1' }),
  ];
}

/** The entries of a tar archive, as far as a simple parser can read it. */
export function entriesIn(archive: Uint8Array): Entry[] {
  const entries: Entry[] = [];
  for (let offset = 0; offset + blockBytes <= archive.length; ) {
    const header = Buffer.from(archive.subarray(offset, offset + blockBytes)).toString('latin1');
    const size = Number.parseInt(header.slice(124, 135), 8);
    if (Number.isNaN(size)) break;
    const name = (header.slice(0, 100).split('\0', 1)[0] ?? '').slice(0, 100);
    const start = offset + blockBytes;
    entries.push({ name, type: header[156] ?? '0', body: archive.subarray(start, start + size) });
    offset = start + blockBytes * Math.ceil(size / blockBytes);
  }
  return entries;
}

/** The archive after up to three changes. */
export function changeArchive(dice: Dice, original: readonly Entry[]): Uint8Array {
  const entries = [...original];
  for (let count = dice.pick([0, 1, 1, 2, 3]); count > 0; count -= 1) changeEntries(dice, entries);
  const archive = makeArchive(entries, dice.pick<Headers>(['ustar', 'ustar', 'gnu', 'pax']));
  return dice.chance(0.3) ? changeHeader(dice, archive) : archive;
}

function changeEntries(dice: Dice, entries: Entry[]): void {
  const at = dice.integer(0, Math.max(0, entries.length - 1));
  const entry = entries[at] ?? { name: '+DESC', body: 'x\n' };
  switch (dice.integer(0, 9)) {
    case 0:
      entries.splice(at, 1);
      break;
    case 1:
      entries.splice(dice.integer(0, entries.length), 0, entry);
      break;
    case 2:
      entries.splice(dice.integer(0, entries.length), 0, ...entries.splice(at, 1));
      break;
    case 3:
      entries[at] = { ...entry, name: dice.pick(names) };
      break;
    case 4:
      entries[at] = { ...entry, type: dice.pick(types) };
      break;
    case 5:
      entries[at] = { ...entry, header: { 124: dice.pick(sizeFields) } };
      break;
    case 6:
      entries.splice(at, 0, {
        name: dice.pick(names),
        type: dice.pick(types),
        body: randomBytes(dice, dice.pick(boundaries.slice(0, 12))),
      });
      break;
    case 7:
      entries.splice(at, 0, { name: 'PaxHeader', type: dice.pick(['x', 'x', 'g', 'L']), body: dice.pick(paxBodies) });
      break;
    default:
      entries[at] = { ...entry, body: changeBody(dice, entry.body ?? '') };
  }
}

function changeBody(dice: Dice, body: string | Uint8Array): Uint8Array {
  let text = Buffer.from(body as Uint8Array).toString('latin1');
  for (let count = dice.integer(1, 3); count > 0; count -= 1) text = changeText(dice, text);
  return Buffer.from(text, 'latin1');
}

/** Changes bytes of one header, and in most cases corrects its checksum. */
function changeHeader(dice: Dice, archive: Uint8Array): Uint8Array {
  const changed = Buffer.from(archive);
  const blocks = Math.min(changed.length / blockBytes, 30);
  const header = changed.subarray(blockBytes * dice.integer(0, blocks - 1)).subarray(0, blockBytes);
  const [field, length] = dice.pick([
    [0, 100],
    [124, 12],
    [148, 8],
    [156, 1],
    [157, 100],
    [257, 8],
    [345, 155],
  ] as const);
  const piece = randomBytes(dice, dice.integer(1, Math.min(length, 12)));
  piece.copy(header, field + dice.integer(0, length - piece.length));
  if (dice.chance(0.8)) {
    header.fill(' ', 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  }
  return changed;
}

/** Signs a package, sometimes wrongly. */
export function signSomehow(dice: Dice, unsigned: Uint8Array): Uint8Array {
  const members: [string, string | Uint8Array][] = [
    ['+PKG_HASH', dice.chance(0.8) ? 'pkgsrc signature\n' : randomBytes(dice, dice.pick(boundaries.slice(0, 10)))],
    [dice.pick(['+PKG_GPG_SIGNATURE', '+PKG_SIGNATURE', '+PKG_GPG_SIGNATURE', 'other']), 'AAAA\n'],
    [dice.pick(['made-1.0.tgz', 'made-1.0.tgz', 'n'.repeat(40), '']), unsigned],
  ];
  if (dice.chance(0.1)) members.splice(dice.integer(0, 2), 1);
  if (dice.chance(0.1)) members.push(['more', randomBytes(dice, 30)]);
  const signed = makeSigned(members);
  if (dice.chance(0.6)) return signed;
  // A number of the first header, or any byte of the first two.
  const sizeAt = 8 + 48;
  const lie = dice.pick(['0', '1', '60', '61', '-1', '9999999999', '1e3', ' ', '0x10', '4294967296', '18446744']);
  if (dice.chance(0.5))
    return Buffer.concat([
      signed.subarray(0, sizeAt),
      Buffer.from(lie.padEnd(10).slice(0, 10)),
      signed.subarray(sizeAt + 10),
    ]);
  return Buffer.concat([changeBytes(dice, signed.subarray(0, 200)), signed.subarray(200)]);
}
