/** Runs a command: its exit code, and a sentence in place of a stack trace for every failure that the user can fix. */

import { type Command, CommanderError } from 'commander';
import { failureSentence, systemErrorSentence, UsageError } from '../../functions/failures.ts';
import { awsErrorSentence } from '../aws/aws-errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

/** Output that cannot be written ends the process; a reader that stops early does not. */
export function handleOutputErrors(name: string): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // `| head` is no reason to leave work half done.
    if (error.code === 'EPIPE') return;
    console.error(`${name}: ${systemErrorSentence(error, 'cannot write the output')}`);
    process.exit(exitCodes.couldNotRun);
  });
}

/** Sets the exit code of this process. Throws what is a bug of ours. */
export async function runCommand(program: Command, args: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
      return;
    }
    const sentence = awsErrorSentence(error) ?? failureSentence(error);
    if (sentence === undefined) throw error;
    console.error(`${program.name()}: ${sentence}`);
    process.exitCode = error instanceof UsageError ? exitCodes.usage : exitCodes.couldNotRun;
  }
}

/** An action for commander whose result is the exit code. */
export function ending<Arguments extends unknown[]>(run: (...args: Arguments) => Promise<ExitCode>) {
  return async (...args: Arguments): Promise<void> => {
    process.exitCode = await run(...args);
  };
}
