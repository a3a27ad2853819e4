/**
 * A command of ours as the user can type it, for messages that say what to do next: through npm where npm started us, so that it
 * works in a fresh checkout, and by its name otherwise.
 *
 * @example ownCommand('check --stack S') // "npm run -s indexer -- check --stack S"
 */
export function ownCommand(args: string): string {
  return `${process.env.npm_lifecycle_event === undefined ? 'pkgsrc-indexer' : 'npm run -s indexer --'} ${args}`;
}
