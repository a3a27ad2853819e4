/** A disk that can be full, read-only, or gone: a file system in memory where root may mount one. */

import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProcessOptions } from './indexer-process.ts';

export interface Disk {
  /** On it. */
  readonly directory: string;
  /** For the state of an indexer that is not to be hindered itself; elsewhere. */
  readonly elsewhere: string;
  /** What a process needs to notice. */
  readonly options: ProcessOptions;
  /** Leaves so much room. */
  fill(bytesLeft?: number): Promise<void>;
  free(): Promise<void>;
  remove(): Promise<void>;
}

export interface MountedDisk extends Disk {
  makeReadOnly(): void;
  makeWritable(): void;
  /** At once, whoever uses it. Until it is mounted again, there is an empty directory in its place. */
  unmount(): void;
  mountAgain(): void;
}

const megabyte = 1_000_000;

/** Undefined where this user, or this container, may not mount anything. */
export async function mountSmallDisk(megabytes = 16): Promise<MountedDisk | undefined> {
  const top = await mkdtemp(join(tmpdir(), 'indexer-disk-'));
  await chmod(top, 0o755);
  const [disk, directory, elsewhere] = [join(top, 'disk'), join(top, 'mounted'), join(top, 'elsewhere')];
  for (const path of [disk, directory, elsewhere]) await mkdir(path);
  const ballast = join(disk, '.ballast');
  const isMounted = command('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m`, 'indexer-test', disk);
  if (!isMounted || !command('mount', '--bind', disk, directory)) {
    command('umount', disk);
    await rm(top, { recursive: true });
    return undefined;
  }
  return {
    directory,
    elsewhere,
    options: {},
    async fill(bytesLeft = 0) {
      await rm(ballast, { force: true });
      const { bavail, bsize } = await statfs(disk);
      // One that does not fit is cut where the disk ends.
      const bytes = bytesLeft === 0 ? bavail * bsize + megabyte : bavail * bsize - bytesLeft;
      await writeFile(ballast, Buffer.alloc(bytes)).catch(() => {});
    },
    free: () => rm(ballast),
    makeReadOnly: () => must('mount', '-o', 'remount,bind,ro', directory),
    makeWritable: () => must('mount', '-o', 'remount,bind,rw', directory),
    unmount: () => must('umount', '--lazy', directory),
    mountAgain: () => must('mount', '--bind', disk, directory),
    async remove() {
      command('umount', '--lazy', directory);
      command('umount', '--lazy', disk);
      await rm(top, { recursive: true });
    },
  };
}

/** Any directory, in which what a process writes through a file handle finds no room; its table does. */
export async function pretendFullDisk(): Promise<Disk> {
  const top = await mkdtemp(join(tmpdir(), 'indexer-disk-'));
  const [directory, elsewhere, sign] = [join(top, 'directory'), join(top, 'elsewhere'), join(top, 'full')];
  for (const path of [directory, elsewhere]) await mkdir(path);
  return {
    directory,
    elsewhere,
    options: { preload: 'full-disk.ts', environment: { FULL_DISK: sign } },
    fill: () => writeFile(sign, ''),
    free: () => rm(sign),
    remove: () => rm(top, { recursive: true }),
  };
}

function command(name: string, ...args: string[]): boolean {
  return spawnSync(name, args, { stdio: 'ignore' }).status === 0;
}

function must(name: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(name, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`expected ${name} ${args.join(' ')} to succeed: ${stderr}`);
}
