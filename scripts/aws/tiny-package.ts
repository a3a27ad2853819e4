/** A package made on the spot, the smallest that is one: three metadata files and no other. */

import { gzipSync } from 'node:zlib';

/** @param name PKGNAME, with its version. */
export function tinyPackage(name: string): Uint8Array {
  const files = {
    '+CONTENTS': `@name ${name}\n`,
    '+COMMENT': 'Made to see whether the indexer works\n',
    '+DESC': 'npm run smoke made this package, and removes it again.\n',
    '+BUILD_INFO': 'MACHINE_ARCH=noarch\nOPSYS=None\nOS_VERSION=0\nPKGTOOLS_VERSION=0\n',
  };
  const entries = Object.entries(files).flatMap(([file, text]) => entry(file, Buffer.from(text)));
  // Two blocks of zeros end an archive.
  return gzipSync(Buffer.concat([...entries, Buffer.alloc(2 * blockBytes)]));
}

const blockBytes = 512;

/** POSIX.1-1988 ustar: offset of each field in the header, and what it says. Numbers are octal. */
function entry(name: string, content: Buffer): Buffer[] {
  const header = Buffer.alloc(blockBytes);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  // The sum is taken with blanks in the place of itself.
  header.write('        ', 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return [header, content, Buffer.alloc(-content.length & (blockBytes - 1))];
}
