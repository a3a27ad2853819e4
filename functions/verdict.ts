/** Whether extract would reject a package: asked before an upload is stored. */

import { MalformedPackage } from './package/malformed-package.ts';
import type { PackageSource } from './package/package-source.ts';
import { readPackage } from './package/read-package.ts';
import { findRejection } from './record/hazards.ts';
import { renderRecord } from './record/record.ts';

/**
 * @param file the name of the package
 * @returns undefined for a package that would be indexed
 * @throws what the source throws: the package may be fine
 */
export async function verdictOn(
  source: PackageSource,
  file: string,
): Promise<{ readonly code: string; readonly message: string } | undefined> {
  try {
    return findRejection(renderRecord(await readPackage(source), file, source.size), file);
  } catch (error) {
    if (error instanceof MalformedPackage) return error;
    throw error;
  }
}
