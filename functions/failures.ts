/** How a command ends. */
export const exitCodes = {
  done: 0,
  /** Everything was done, and some package is bad. */
  rejected: 1,
  /** `check` found something that does not fit together. */
  found: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** What was asked for could not be done, or not all of it. */
  couldNotRun: 3,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** One sentence for the person at the terminal: what could not be done, why, and what to do. Exit code 3. */
export class CannotRun extends Error {
  override readonly name: string = 'CannotRun';
}

/** The same of a command line that makes no sense as a whole, though each part of it does. Exit code 2. */
export class UsageError extends CannotRun {
  override readonly name = 'UsageError';
}

/** What the operating system's error codes mean to somebody who asked for `what`. */
export function systemErrorSentence(error: unknown, what: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such file or directory',
    ENOTDIR: 'it is not a directory',
    EISDIR: 'it is a directory',
    EEXIST: 'something else is in its place',
    EACCES: 'permission is denied',
    EPERM: 'the operation is not permitted',
    EROFS: 'the file system is read-only',
    EIO: 'the disk reports an error',
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    EMFILE: 'too many files are open',
    ELOOP: 'too many symbolic links lead to it',
    ENAMETOOLONG: 'the name is too long',
  };
  return `${what}: ${(code !== undefined && reasons[code]) || message}`;
}

/**
 * What the person at the terminal is told in the place of a stack trace: of everything that the machine, and not the program, is
 * to blame for. Undefined of a mistake of the program's own.
 */
export function failureSentence(error: unknown): string | undefined {
  if (error instanceof CannotRun) return error.message;
  if (!(error instanceof Error)) return undefined;
  // An adapter has put it into words, and kept what the system said.
  if (isOfTheSystem(error.cause)) return error.message;
  return isOfTheSystem(error) ? systemErrorSentence(error, error.path ?? error.syscall ?? 'the table') : undefined;
}

export function isOfTheSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && ('syscall' in error || ('code' in error && error.code === 'ERR_SQLITE_ERROR'));
}
