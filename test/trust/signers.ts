/** Signs packages as their builders do: with GnuPG 1.4, GnuPG 2 and openssl. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** +PKG_HASH. */
export function hashFileOf(packageName: string, inner: Uint8Array, blockSize = 65_536): Buffer {
  const hashes: string[] = [];
  for (let start = 0; start < inner.length; start += blockSize)
    hashes.push(
      createHash('sha512')
        .update(inner.subarray(start, start + blockSize))
        .digest('hex'),
    );
  const head = ['pkgsrc signature', '', 'version: 1', `pkgname: ${packageName}`, 'algorithm: SHA512'];
  const sizes = [`block size: ${blockSize}`, `file size: ${inner.length}`, ''];
  return Buffer.from([...head, ...sizes, ...hashes, 'end pkgsrc signature', ''].join('\n'));
}

/** One home directory of GnuPG. */
export class Gnupg {
  readonly #home: string;
  readonly #program: 'gpg' | 'gpg1';

  constructor(program: 'gpg' | 'gpg1', home: string) {
    this.#home = home;
    this.#program = program;
    mkdirSync(home, { mode: 0o700, recursive: true });
  }

  /** @param more lines of a parameter file, such as `Subkey-Type: RSA` */
  makeKey(name: string, type: 'RSA' | 'DSA', bits: number, more: readonly string[] = []): void {
    const lines = [`Key-Type: ${type}`, `Key-Length: ${bits}`, `Name-Real: ${name}`, 'Expire-Date: 0', ...more];
    const parameters = join(this.#home, 'parameters');
    writeFileSync(parameters, [...lines, '%no-protection', '%commit', ''].join('\n'));
    this.run(['--quick-random', '--gen-key', parameters].slice(this.#program === 'gpg' ? 1 : 0));
  }

  ring(name: string, options: readonly string[] = []): Buffer {
    return this.run([...options, '--export', name]);
  }

  sign(name: string, data: Uint8Array, options: readonly string[] = []): Buffer {
    const file = join(this.#home, 'data');
    writeFileSync(file, data);
    return this.run([...options, '--armor', '--local-user', name, '--output', '-', '--detach-sign', file]);
  }

  run(args: readonly string[]): Buffer {
    const all = ['--homedir', this.#home, '--batch', '--yes', '--no-tty', '--quiet', ...args];
    return execFileSync(this.#program, all, { stdio: ['ignore', 'pipe', 'ignore'] });
  }
}

/** An authority with one signer. */
export class Openssl {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  read(file: string): Buffer {
    return readFileSync(join(this.#directory, file));
  }

  makeAuthority(name: string, issuer?: string): void {
    this.#certify(name, issuer, ['basicConstraints=critical,CA:TRUE', 'keyUsage=keyCertSign'], ['-days', '36500']);
  }

  makeSigner(name: string, issuer: string, purposes = 'codeSigning,emailProtection', days = '36500'): void {
    this.#certify(
      name,
      issuer,
      ['basicConstraints=CA:FALSE', `extendedKeyUsage=${purposes}`, 'keyUsage=digitalSignature'],
      ['-days', days],
    );
  }

  sign(name: string, data: Uint8Array, options: readonly string[] = ['-noattr']): Buffer {
    writeFileSync(join(this.#directory, 'data'), data);
    const by = ['-signer', `${name}.pem`, '-inkey', `${name}.key`];
    return this.#run(['smime', '-sign', '-binary', ...options, '-in', 'data', ...by, '-outform', 'PEM']);
  }

  #certify(name: string, issuer: string | undefined, extensions: readonly string[], validity: readonly string[]): void {
    this.#run([
      'req',
      '-new',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-subj',
      `/CN=${name}`,
      '-out',
      'csr',
    ]);
    writeFileSync(join(this.#directory, 'extensions'), extensions.join('\n'));
    const by =
      issuer === undefined
        ? ['-signkey', `${name}.key`]
        : ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`, '-CAcreateserial'];
    this.#run([
      'x509',
      '-req',
      '-in',
      'csr',
      ...by,
      ...validity,
      '-sha256',
      '-extfile',
      'extensions',
      '-out',
      `${name}.pem`,
    ]);
  }

  #run(args: readonly string[]): Buffer {
    return execFileSync('openssl', args, { cwd: this.#directory, stdio: ['ignore', 'pipe', 'ignore'] });
  }
}
