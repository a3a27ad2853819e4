/** The lines that install a package, to be pasted into a shell: whatever a record says, it stays one word there. */

export interface InstallCommands {
  /** Undefined where pkgin would ask for a file of another name. */
  readonly pkgin: string | undefined;
  readonly pkgAdd: string;
}

/** @param repositoryUrl with the slash at its end. */
export function installCommands(repositoryUrl: string, name: string, file: string): InstallCommands {
  const isKnownToPkgin = file === `${name}.tgz` && /-[0-9][^-]*$/.test(name) && !/[?%&#]/.test(name);
  return {
    pkgin: isKnownToPkgin ? `pkgin install ${shellWord(name)}` : undefined,
    pkgAdd: `pkg_add ${shellWord(repositoryUrl + fileReference(file))}`,
  };
}

/**
 * A file of the repository, relative to it, for an `href`. A `+` is encoded too: S3 takes it for a blank.
 * @throws {URIError} never: decoded text has no lone surrogates.
 */
export function fileReference(file: string): string {
  return encodeURIComponent(file);
}

/** Quoted where a shell would take it apart. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_][A-Za-z0-9_.,+@:%/=~-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
