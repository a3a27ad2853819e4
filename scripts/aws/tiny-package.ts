/** The smallest package: metadata files only. */

import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

/** @param name PKGNAME, with its version */
export async function tinyPackage(name: string): Promise<Uint8Array> {
  const files = {
    '+CONTENTS': `@name ${name}\n`,
    '+COMMENT': 'Tests whether the indexer works\n',
    '+DESC': '`smoke` made this package, and removes it again.\n',
    '+BUILD_INFO': 'MACHINE_ARCH=noarch\nOPSYS=None\nOS_VERSION=0\nPKGTOOLS_VERSION=0\n',
  };
  const archive = pack();
  for (const [file, text] of Object.entries(files)) archive.entry({ name: file, mtime: new Date(0) }, text);
  archive.finalize();
  return gzipSync(await buffer(archive));
}
