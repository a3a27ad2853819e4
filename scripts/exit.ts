/** How a command ends. */
export const exitCodes = {
  done: 0,
  /** Everything was done, and some package is bad. */
  rejected: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** What was asked for could not be done, or not all of it. */
  couldNotRun: 3,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** One sentence for the person at the terminal: what could not be done, why, and what to do. Exit code 3. */
export class CannotRun extends Error {
  override readonly name = 'CannotRun';
}

/** What the operating system's error codes mean to somebody who asked for `what`. */
export function systemErrorSentence(error: unknown, what: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such file or directory',
    ENOTDIR: 'it is not a directory',
    EISDIR: 'it is a directory',
    EACCES: 'permission is denied',
    EPERM: 'the operation is not permitted',
    EROFS: 'the file system is read-only',
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    EMFILE: 'too many files are open',
    ELOOP: 'too many symbolic links lead to it',
    ENAMETOOLONG: 'the name is too long',
  };
  return `${what}: ${(code !== undefined && reasons[code]) || message}`;
}
