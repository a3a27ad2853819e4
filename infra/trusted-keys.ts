/** The files of --trust, as the functions get them. */

import { readFileSync } from 'node:fs';
import { UnreadableRing } from '../functions/trust/ring.ts';
import type { TrustFile, TrustOptions } from '../functions/trust/trust.ts';
import { encodeTrust, trustSettingLimits } from '../functions/trust/trust-setting.ts';
import { BadOption } from './bad-option.ts';

export interface TrustFlags {
  /** Files of keys and certificates. */
  readonly trust?: readonly string[] | undefined;
  readonly requireSignature?: boolean | undefined;
  readonly allowSha1?: boolean | undefined;
  readonly deep?: boolean | undefined;
}

/**
 * @returns the value of TRUST; undefined where signatures are not verified
 * @throws {BadOption}
 */
export function trustSetting(flags: TrustFlags): string | undefined {
  const { trust: names = [], requireSignature, allowSha1, deep } = flags;
  if (names.length === 0) {
    if (requireSignature || allowSha1 || deep)
      throw new BadOption('--require-signature, --allow-sha1 and --deep need keys: give them with --trust FILE.');
    return undefined;
  }
  const options = { isRequired: requireSignature ?? false, allowsSha1: allowSha1 ?? false, isDeep: deep ?? false };
  const files = names.map((name) => ({ name, bytes: readKeys(name) }));
  const setting = encoded(files, options);
  const { charactersMax } = trustSettingLimits;
  if (setting.length > charactersMax)
    throw new BadOption(
      `--trust: expected keys that fit into ${charactersMax} characters of base64, found ${setting.length}. ` +
        'Export them without the signatures of others: gpg --export --export-options export-minimal KEY.',
    );
  return setting;
}

function encoded(files: readonly TrustFile[], options: TrustOptions): string {
  try {
    return encodeTrust(files, options);
  } catch (error) {
    if (error instanceof UnreadableRing) throw new BadOption(`--trust ${error.message}`);
    throw error;
  }
}

function readKeys(name: string): Uint8Array {
  try {
    return readFileSync(name);
  } catch (error) {
    throw new BadOption(`--trust ${name}: cannot read these keys (${(error as Error).message}).`);
  }
}
