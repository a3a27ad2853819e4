/**
 * A command of ours as the user can type it, for messages that say what to do next: through npm where a script of package.json started
 * us, so that it works in a fresh checkout, and by its name otherwise (npx is a "script" too).
 *
 * @example ownCommand('check --stack S') // "npm run -s indexer -- check --stack S"
 */
export function ownCommand(args: string): string {
  const { npm_lifecycle_event: script = 'npx' } = process.env;
  return `${script === 'npx' ? 'pkgsrc-indexer' : 'npm run -s indexer --'} ${args}`;
}
