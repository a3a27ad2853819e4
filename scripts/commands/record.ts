/** `record FILE…`: what `pkg_info -X` prints. */

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { systemErrorSentence } from '../../functions/failures.ts';
import { MalformedPackage } from '../../functions/package/malformed-package.ts';
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

/** Prints the record of each good file on stdout, and one line about each bad file on stderr. */
async function record(files: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.done;
  for (const file of files) {
    try {
      await print(await recordOf(file));
    } catch (error) {
      // The reader of our output has stopped.
      if ((error as NodeJS.ErrnoException).code === 'EPIPE') return exitCode;
      const isBad = error instanceof MalformedPackage;
      console.error(printable(isBad ? `${file}: ${error.code}: ${error.message}` : systemErrorSentence(error, file)));
      if (exitCode !== exitCodes.couldNotRun) exitCode = isBad ? exitCodes.rejected : exitCodes.couldNotRun;
    }
  }
  return exitCode;
}

async function recordOf(file: string): Promise<Uint8Array> {
  const [{ readPackage }, { renderRecord }] = await Promise.all([
    import('../../functions/package/read-package.ts'),
    import('../../functions/record/record.ts'),
  ]);
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await handle.stat();
    if (!stat.isFile())
      throw new Error(`expected a file, found a ${stat.isDirectory() ? 'directory' : 'device or pipe'}`);
    const metadata = await readPackage({
      size: stat.size,
      read: (offset, length) => readExactly(handle, offset, length),
    });
    return renderRecord(metadata, basename(file), stat.size);
  } finally {
    await handle.close();
  }
}

async function readExactly(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(length);
  const { bytesRead } = await handle.read(bytes, 0, length, offset);
  if (bytesRead !== length) throw new Error('the file shrank while it was being read; try again');
  return bytes;
}

/** Waits while the reader of a pipe is slow. */
async function print(bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
