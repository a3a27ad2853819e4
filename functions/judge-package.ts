/** What the rules decide about a package: read when its hint comes, and asked before an upload is stored. */

import { MalformedPackage } from './package/malformed-package.ts';
import { type PackageSource, withHead } from './package/package-source.ts';
import { readPackage } from './package/read-package.ts';
import type { SignatureCheck } from './ports.ts';
import { packageNameOf } from './record/hazards.ts';
import { renderRecord } from './record/record.ts';
import { type Judgement, judge, type Rules, rejected } from './record/rules.ts';
import type { Trust } from './trust/trust.ts';

/**
 * @param file the name of the package
 * @param now for signatures, keys and certificates that expire
 * @throws what the source throws: the package may be fine
 */
export async function judgePackage(stored: PackageSource, file: string, rules: Rules, now: Date): Promise<Judgement> {
  try {
    const source = withHead(stored);
    const record = renderRecord(await readPackage(source), file, source.size);
    const { trust } = rules;
    const signature = trust && (await verify(source, record, trust, now));
    return judge(record, file, rules, signature);
  } catch (error) {
    if (error instanceof MalformedPackage) return rejected(error);
    throw error;
  }
}

/** What verifies signatures is loaded only where it is wanted. */
async function verify(source: PackageSource, record: Uint8Array, trust: Trust, now: Date): Promise<SignatureCheck> {
  const { checkSignature } = await import('./trust/trust.ts');
  return await checkSignature(source, packageNameOf(record), trust, now);
}
