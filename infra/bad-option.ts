/** A wrong flag. The message names it, and says what was found and what is allowed. */
export class BadOption extends Error {
  override readonly name = 'BadOption';
}
