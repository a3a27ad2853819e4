/** Whether extract would reject a package: asked before an upload is stored. */

import { MalformedPackage } from './package/malformed-package.ts';
import type { PackageSource } from './package/package-source.ts';
import { readPackage } from './package/read-package.ts';
import { renderRecord } from './record/record.ts';
import { type Judgement, judge, type Rules, rejected } from './record/rules.ts';

/**
 * @param file the name of the package
 * @returns undefined for a package that would be indexed
 * @throws what the source throws: the package may be fine
 */
export async function verdictOn(
  source: PackageSource,
  file: string,
  rules: Rules,
): Promise<{ readonly code: string; readonly message: string } | undefined> {
  const judgement = await judged(source, file, rules);
  return judgement.state === 'rejected' ? judgement.reason : undefined;
}

async function judged(source: PackageSource, file: string, rules: Rules): Promise<Judgement> {
  try {
    return judge(renderRecord(await readPackage(source), file, source.size), file, rules);
  } catch (error) {
    if (error instanceof MalformedPackage) return rejected(error);
    throw error;
  }
}
