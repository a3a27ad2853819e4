/** Where the code of others comes from: package.json, the lock file and docs/dependencies.md say the same. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly inBundle?: boolean;
  readonly link?: boolean;
  readonly license?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const { dependencies, devDependencies, allowScripts } = JSON.parse(read('package.json')) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
};
const direct = { ...dependencies, ...devDependencies };
const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> };
const installed = Object.entries(packages).filter(([path]) => path !== '');
const page = read('docs/dependencies.md');

/** Licences that let everybody use, change and pass on what is made with them. */
const allowedLicences = [
  ...['MIT', 'MIT-0', 'ISC', '0BSD', 'BSD-3-Clause', 'BSD-2-Clause', 'Apache-2.0', 'BlueOak-1.0.0'],
  ...['MIT OR Apache-2.0', '(MIT OR GPL-3.0-or-later)'],
];
/** Used as it is, in a browser test, and never passed on. */
const allowedForDevelopment = ['MPL-2.0'];

test('every version is exact, and the one that is locked', () => {
  for (const [name, version] of Object.entries(direct)) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
    assert.equal(packages[`node_modules/${name}`]?.version, version, name);
  }
});

test('everything comes from the registry, and has its integrity', () => {
  for (const [path, { resolved, integrity, inBundle, link }] of installed) {
    assert.ok(resolved === undefined || resolved.startsWith('https://registry.npmjs.org/'), path);
    assert.ok(link !== true, path);
    // What is inside another package's archive is covered by that one's.
    if (inBundle !== true) assert.match(integrity ?? '', /^sha512-/, path);
  }
});

test('each install script is allowed or refused by name', () => {
  for (const [path, { hasInstallScript }] of installed) {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    if (hasInstallScript === true) assert.ok(name in allowScripts, name);
  }
});

test('every licence is one that is allowed', () => {
  for (const [path, { license, dev, inBundle }] of installed) {
    if (license === undefined && inBundle === true) continue;
    const allowed = dev === true ? [...allowedLicences, ...allowedForDevelopment] : allowedLicences;
    assert.ok(allowed.includes(license ?? ''), `${path}: ${license}`);
  }
});

test('docs/dependencies.md has each direct dependency with its licence, and no other', () => {
  const rows = [...page.matchAll(/^\| (\S+) \| ([^|]+) \| [^|]+ \|$/gm)].map(([, name, licence]) => [name, licence]);
  const listed = rows.filter(([name]) => name !== 'package' && name !== '---');
  const expected = Object.keys(direct).map((name) => [name, packages[`node_modules/${name}`]?.license]);
  assert.deepEqual(listed.sort(), expected.sort());
  const lasting = installed.filter(([, { dev }]) => dev !== true).length;
  assert.ok(page.includes(`In all ${installed.length} packages, of which ${lasting} are not for development alone.`));
});
