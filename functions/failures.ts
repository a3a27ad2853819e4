/** Its message is a sentence for the user: what failed, why, and what to do. A command ends with exit code 3. */
export class CannotRun extends Error {
  override readonly name: string = 'CannotRun';
}

/** Invalid usage: each argument is fine, but they do not go together. A command ends with exit code 2. */
export class UsageError extends CannotRun {
  override readonly name = 'UsageError';
}

/** An error code of the operating system as a sentence. @param what the file or action that failed */
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
 * The message that replaces a stack trace, for failures that the user can fix: wrong input, and errors of the operating system.
 * Undefined for a bug of ours.
 */
export function failureSentence(error: unknown): string | undefined {
  if (error instanceof CannotRun) return error.message;
  if (!(error instanceof Error)) return undefined;
  // An adapter has worded it already, and kept the system's error as the cause.
  if (isOfTheSystem(error.cause)) return error.message;
  return isOfTheSystem(error) ? systemErrorSentence(error, error.path ?? error.syscall ?? 'the table') : undefined;
}

export function isOfTheSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && ('syscall' in error || ('code' in error && error.code === 'ERR_SQLITE_ERROR'));
}
