/** Runs a command: its exit code, and a sentence in place of a stack trace for every failure that the user can fix. */

import { type Command, CommanderError } from 'commander';
import { failureSentence, systemErrorSentence, UsageError } from '../../functions/failures.ts';
import { awsErrorSentence } from '../aws/aws-errors.ts';
import { settledOptions, settledTargets, type Target } from '../settings/settled-options.ts';
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

/** What commander gives to an action. */
type Given = [...args: unknown[], options: object, command: Command];

/**
 * An action for commander whose result is the exit code. Its last argument are the options, of which some may be from the environment
 * or a configuration file; its first one may be a directory.
 */
export function ending<Arguments extends unknown[]>(run: (...args: Arguments) => Promise<ExitCode>) {
  return async (...given: Given): Promise<void> => {
    const { args, command } = split(given);
    const options = await settledOptions(command, firstText(args));
    process.exitCode = await run(...([...args, options] as Arguments));
  };
}

/** The same for a command over a directory, or over all those of the configuration file. */
export function endingForAll<Options>(run: (targets: readonly Target<Options>[]) => Promise<ExitCode>) {
  return async (...given: Given): Promise<void> => {
    const { args, command } = split(given);
    const targets = await settledTargets(command, firstText(args));
    process.exitCode = await run(targets as readonly Target<Options>[]);
  };
}

function split(given: Given): { readonly args: readonly unknown[]; readonly command: Command } {
  return { args: given.slice(0, -2), command: given.at(-1) as Command };
}

function firstText([first]: readonly unknown[]): string | undefined {
  return typeof first === 'string' ? first : undefined;
}
