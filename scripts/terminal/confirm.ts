/** Asking the person at the terminal. */

import { createInterface } from 'node:readline/promises';
import { CannotRun } from '../../functions/failures.ts';

/** @throws {CannotRun} where there will be a question, and nobody to answer it. */
export function expectSomebody(isAgreed = false): void {
  if (!isAgreed && !process.stdin.isTTY) throw new CannotRun('there is no terminal to ask at: give --yes.');
}

export async function confirm(question: string, isAgreed = false): Promise<boolean> {
  if (isAgreed) return true;
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
