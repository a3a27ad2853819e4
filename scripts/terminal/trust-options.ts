import type { Command } from 'commander';
import { parsePaths, RepeatableOption } from './argument-parsers.ts';

/** Whose signatures are good, and what becomes of packages without one. */
export function addTrustOptions(command: Command): Command {
  return command
    .addOption(
      new RepeatableOption(
        '--trust <file>',
        'verify signatures by the keys in this keyring, or by these certificates in PEM; repeatable',
      ).argParser(parsePaths),
    )
    .option('--require-signature', 'reject packages without a good signature of these keys')
    .option('--allow-sha1', 'accept signatures with SHA-1, which is broken')
    .option('--deep', 'compare all of each package with its signed hashes, not only the signature of these');
}
