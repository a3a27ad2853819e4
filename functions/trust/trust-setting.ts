/** Trust as the value of an environment variable. */

import { readTrust, type Trust, type TrustFile, type TrustOptions } from './trust.ts';

export const trustSettingLimits = {
  /** All variables of a Lambda function have 4 KB together. Two keys of 4,096 bits take 2 KB without the signatures of others. */
  charactersMax: 3_000,
} as const;

interface Setting extends TrustOptions {
  readonly fingerprint: string;
  /** Each in base64. */
  readonly files: readonly string[];
}

/** @throws {UnreadableRing} */
export function encodeTrust(files: readonly TrustFile[], options: TrustOptions): string {
  const setting: Setting = {
    ...options,
    fingerprint: readTrust(files, options).fingerprint,
    files: files.map(({ bytes }) => Buffer.from(bytes).toString('base64')),
  };
  return JSON.stringify(setting);
}

/** @throws {UnreadableRing} and for a text that `encodeTrust` did not make: nothing may be accepted then */
export function decodeTrust(text: string): Trust {
  const { files, isRequired, allowsSha1, isDeep } = JSON.parse(text) as Setting;
  const read = files.map((file, index) => ({
    name: `file ${index + 1} of --trust`,
    bytes: Buffer.from(file, 'base64'),
  }));
  return readTrust(read, { isRequired, allowsSha1, isDeep });
}

/** All that reindex needs, without the keys. */
export function trustFingerprint(text: string): Pick<Trust, 'fingerprint'> {
  const { fingerprint } = JSON.parse(text) as Setting;
  return { fingerprint };
}
