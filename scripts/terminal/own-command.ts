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

/** A place and where its table is, as given: a command without them would make another table. */
export function placeArguments(
  place: string,
  { state, endpoint, config }: { readonly state?: string; readonly endpoint?: string; readonly config?: string },
): string {
  const options = Object.entries({ state, endpoint, config }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, shellWord(value)],
  );
  return [shellWord(place), ...options].join(' ');
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
