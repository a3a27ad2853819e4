/** The lines that install a package, to paste into a shell: whatever a record says, it stays one word there. */

export interface InstallCommands {
  /** Undefined where pkgin would ask for a file of another name. */
  readonly pkgin: string | undefined;
  readonly pkgAdd: string;
}

interface InstalledPackage {
  readonly name: string;
  readonly base: string;
  readonly file: string;
}

/**
 * @param repositoryUrl with the slash at its end.
 * @param isNewest whether pkgin installs it where no version is asked for.
 */
export function installCommands(
  repositoryUrl: string,
  { name, base, file }: InstalledPackage,
  isNewest: boolean,
): InstallCommands {
  const isKnownToPkgin = file === `${name}.tgz` && /-[0-9][^-]*$/.test(name) && !/[?%&#]/.test(name);
  return {
    pkgin: isKnownToPkgin ? `pkgin install ${shellWord(isNewest ? base : name)}` : undefined,
    pkgAdd: `pkg_add ${shellWord(repositoryUrl + fileReference(file))}`,
  };
}

/**
 * A file of the repository, relative to it, for an `href`. A `+` is encoded too: S3 reads it as a blank.
 * @throws {URIError} never: decoded text has no lone surrogates.
 */
export function fileReference(file: string): string {
  return encodeURIComponent(file);
}

/** Quoted where a shell would split or expand it. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_][A-Za-z0-9_.,+@:%/=~-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
