/** How a command ends: its exit code, and a sentence in the place of a stack trace for everything that a person can mend. */

import { type Command, CommanderError } from 'commander';
import {
  type ExitCode,
  exitCodes,
  failureSentence,
  systemErrorSentence,
  UsageError,
} from '../../functions/failures.ts';
import { awsErrorSentence } from '../aws/aws-errors.ts';

/** Runs the program with the process's arguments. Whatever is no mistake of the person at the terminal is thrown. */
export async function runCommand(program: Command): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that has seen enough (`| head`) is no reason to stop half-way.
    if (error.code === 'EPIPE') return;
    console.error(`${program.name()}: ${systemErrorSentence(error, 'the output cannot be written')}`);
    process.exit(exitCodes.couldNotRun);
  });
  try {
    await program.parseAsync();
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

/** An action whose result is the exit code. */
export function ending<Arguments extends unknown[]>(run: (...args: Arguments) => Promise<ExitCode>) {
  return async (...args: Arguments): Promise<void> => {
    process.exitCode = await run(...args);
  };
}

/** A command that is loaded when it is asked for: the others, and what they need, would take most of a short command's time. */
export function onDemand<Arguments extends unknown[]>(load: () => Promise<(...args: Arguments) => Promise<ExitCode>>) {
  return async (...args: Arguments): Promise<ExitCode> => await (await load())(...args);
}

export const exitCodesHelp = `
Exit codes:
  0  done
  1  done, and some package is rejected (check: something does not fit together)
  2  the command line makes no sense
  3  could not run, or not everything could be read`;
