/** `record FILE…`: what `pkg_info -X` prints. */

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { systemErrorSentence } from '../../functions/failures.ts';
import { MalformedPackage } from '../../functions/package/malformed-package.ts';
import type { PackageSource } from '../../functions/package/package-source.ts';
import { printable } from '../../functions/wording.ts';
import { type ExitCode, exitCodes } from '../terminal/exit-codes.ts';
import { ending } from '../terminal/run-command.ts';

export function addCommand(program: Command): void {
  program
    .command('record')
    .description('print the record of each package, like pkg_info -X')
    .argument('<file...>', 'package files')
    .action(ending(record));
}

/** Records are written together up to this size: a write for each takes as long as half of the reading. */
const writtenBytes = 64 * 1024;

/** Prints the record of each good file on stdout, and one line about each bad file on stderr. */
async function record(files: readonly string[]): Promise<ExitCode> {
  const [{ readPackage }, { renderRecord }] = await Promise.all([
    import('../../functions/package/read-package.ts'),
    import('../../functions/record/record.ts'),
  ]);
  let exitCode: ExitCode = exitCodes.done;
  let records: Uint8Array[] = [];
  let bytes = 0;
  for (const [index, file] of files.entries()) {
    try {
      const one = await withFile(file, async (source) =>
        renderRecord(await readPackage(source), basename(file), source.size),
      );
      records.push(one);
      bytes += one.length;
    } catch (error) {
      const isBad = error instanceof MalformedPackage;
      console.error(printable(isBad ? `${file}: ${error.code}: ${error.message}` : systemErrorSentence(error, file)));
      if (exitCode !== exitCodes.couldNotRun) exitCode = isBad ? exitCodes.rejected : exitCodes.couldNotRun;
    }
    if (bytes < writtenBytes && index < files.length - 1) continue;
    try {
      await print(Buffer.concat(records));
    } catch (error) {
      // The reader of our output has stopped.
      if ((error as NodeJS.ErrnoException).code === 'EPIPE') return exitCode;
      throw error;
    }
    records = [];
    bytes = 0;
  }
  return exitCode;
}

/** Synchronous calls take a tenth of the time, and there is nothing else to do. */
async function withFile<Result>(path: string, use: (source: PackageSource) => Promise<Result>): Promise<Result> {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile())
      throw new Error(`expected a file, found a ${stat.isDirectory() ? 'directory' : 'device or pipe'}`);
    return await use({ size: stat.size, read: async (offset, length) => readExactly(file, offset, length) });
  } finally {
    closeSync(file);
  }
}

function readExactly(file: number, offset: number, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(length);
  if (readSync(file, bytes, 0, length, offset) !== length)
    throw new Error('the file shrank while it was being read; try again');
  return bytes;
}

/** Waits while the reader of a pipe is slow. */
async function print(bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
