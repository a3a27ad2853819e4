/** The smallest package: its metadata files only. */

import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

/** @param name PKGNAME with its version */
export async function tinyPackage(name: string): Promise<Uint8Array> {
  const archive = pack();
  archive.entry({ name: '+CONTENTS' }, `@name ${name}\n`);
  archive.entry({ name: '+COMMENT' }, 'A package that tests the indexer\n');
  archive.entry({ name: '+DESC' }, 'pkgsrc-indexer smoke made this package and removes it again.\n');
  // Without MACHINE_ARCH: whatever --arch says accepts it.
  archive.entry({ name: '+BUILD_INFO' }, 'OPSYS=None\nOS_VERSION=0\nPKGTOOLS_VERSION=0\n');
  archive.finalize();
  return gzipSync(await buffer(archive));
}
