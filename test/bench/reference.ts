/** The reference in C, peers/libarchive-head.c: built where there are a compiler and libarchive. */

import { execFileSync } from 'node:child_process';
import { mkdir, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const source = join(import.meta.dirname, 'peers/libarchive-head.c');
const directory = join(tmpdir(), 'pkgsrc-indexer-bench');

/** @returns the program; or why there is none, in a sentence. */
export async function buildReference(): Promise<{ readonly program: string } | { readonly absent: string }> {
  const program = join(directory, 'libarchive-head');
  await mkdir(directory, { recursive: true });
  const built = `${program}.${process.pid}`;
  try {
    execFileSync('cc', ['-O2', '-o', built, source, '-larchive'], { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { readonly stderr?: Buffer };
    if (code === 'ENOENT') return { absent: 'there is no C compiler (cc): install gcc, libc6-dev and libarchive-dev' };
    const reason = stderr?.toString().trim().split('\n')[0] ?? String(error);
    return { absent: `it cannot be built (${reason}): install libc6-dev and libarchive-dev` };
  }
  await rename(built, program);
  return { program };
}
