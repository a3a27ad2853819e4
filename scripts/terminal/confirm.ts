/** A question to the user. */

import { createInterface } from 'node:readline/promises';
import { CannotRun } from '../../functions/failures.ts';

/**
 * @param isConfirmed by --yes
 * @throws {CannotRun} where a question would come and there is no terminal to answer it
 */
export function expectTerminal(isConfirmed = false): void {
  if (!isConfirmed && !process.stdin.isTTY)
    throw new CannotRun('this command asks for confirmation, and there is no terminal: use --yes.');
}

export async function confirm(question: string, isConfirmed = false): Promise<boolean> {
  if (isConfirmed) return true;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } catch (error) {
    // Ctrl-C, or Ctrl-D.
    if (error instanceof Error && error.name === 'AbortError') return false;
    throw error;
  } finally {
    terminal.close();
  }
}
