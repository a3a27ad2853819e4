/** The rules of a service on one machine, from its options and the files that they name. */

import { readFile } from 'node:fs/promises';
import { CannotRun, systemErrorSentence, UsageError } from '../../failures.ts';
import type { Rules } from '../../record/rules.ts';
import type { Trust } from '../../trust/trust.ts';

export interface RulesOptions {
  /** Prefixes of MACHINE_ARCH that are accepted; by default any. */
  readonly arch?: readonly string[];
  /** Files of keys and certificates. */
  readonly trust?: readonly string[];
  readonly requireSignature?: boolean;
  readonly allowSha1?: boolean;
  /** Compare every block with its signed hash. */
  readonly deep?: boolean;
}

/** @throws {CannotRun} where the keys cannot be read: without them, nothing may be accepted. */
export async function readRules(options: RulesOptions): Promise<Rules> {
  const { arch: architectures = [], trust: files = [], requireSignature, allowSha1, deep } = options;
  if (files.length === 0) {
    if (requireSignature || allowSha1 || deep)
      throw new UsageError('--require-signature, --allow-sha1 and --deep need keys: give them with --trust FILE');
    return { architectures };
  }
  return { architectures, trust: await trustIn(files, options) };
}

async function trustIn(files: readonly string[], options: RulesOptions): Promise<Trust> {
  const { requireSignature: isRequired = false, allowSha1: allowsSha1 = false, deep: isDeep = false } = options;
  const [{ readTrust }, { UnreadableRing }] = await Promise.all([
    import('../../trust/trust.ts'),
    import('../../trust/ring.ts'),
  ]);
  const read = await Promise.all(files.map(async (name) => ({ name, bytes: await readKeys(name) })));
  try {
    return readTrust(read, { isRequired, allowsSha1, isDeep });
  } catch (error) {
    if (error instanceof UnreadableRing) throw new CannotRun(error.message);
    throw error;
  }
}

async function readKeys(name: string): Promise<Uint8Array> {
  try {
    return await readFile(name);
  } catch (error) {
    throw new CannotRun(systemErrorSentence(error, `cannot read the keys in ${name}`), { cause: error });
  }
}
