/** What is taken from others: from where, under which licence, and what for. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

/** https://docs.npmjs.com/cli/configuring-npm/package-lock-json */
interface Lock {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly version: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
  /** Comes within the archive of the package that it is in, and is covered by its hash. */
  readonly inBundle?: boolean;
  readonly hasInstallScript?: boolean;
}

const readText = (file: string) => readFile(new URL(`../${file}`, import.meta.url), 'utf8');
const manifest = JSON.parse(await readText('package.json')) as Manifest;
const lock = JSON.parse(await readText('package-lock.json')) as Lock;
const { '': root, ...locked } = lock.packages;
const direct = { ...manifest.dependencies, ...manifest.devDependencies };

/** `node_modules/a/node_modules/@b/c` → `@b/c` */
const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

describe('package.json', () => {
  it('names exact versions from the registry, and nothing else', () => {
    const others = Object.entries(direct).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
    assert.deepEqual(others, [], 'expected no range, tag, git, http or file: npm install -E NAME');
  });

  it('says of each package with an install script whether it may run', () => {
    const scripted = Object.entries(locked).filter(([, { hasInstallScript }]) => hasInstallScript);
    assert.deepEqual(scripted.map(([path]) => nameOf(path)).sort(), Object.keys(manifest.allowScripts).sort());
    const allowed = Object.entries(manifest.allowScripts).filter(([, isAllowed]) => isAllowed);
    assert.deepEqual(allowed, [['node', true]], 'one: it puts the binary of Node in its place');
  });
});

describe('package-lock.json', () => {
  it('is of package.json', () => {
    assert.equal(lock.lockfileVersion, 3);
    const { dependencies, devDependencies } = root as unknown as Manifest;
    assert.deepEqual(
      { dependencies, devDependencies },
      {
        dependencies: manifest.dependencies,
        devDependencies: manifest.devDependencies,
      },
    );
    for (const [name, version] of Object.entries(direct))
      assert.equal(locked[`node_modules/${name}`]?.version, version, name);
  });

  it('takes every package from the registry, held against its SHA-512', () => {
    const wrong = Object.entries(locked).filter(([, { integrity, resolved, inBundle, link }]) => {
      const isFromRegistry = resolved === undefined || resolved.startsWith('https://registry.npmjs.org/');
      const isHeld = integrity === undefined ? inBundle === true : /^sha512-[\w+/]{86}==$/.test(integrity);
      return !isFromRegistry || !isHeld || link === true;
    });
    assert.deepEqual(wrong, []);
  });
});

/** Such that whatever is made with them may be given away under any licence. */
const free = ['MIT', 'MIT-0', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0'];
/** Only for tests: it is not part of anything that is given away. */
const forTests: Readonly<Record<string, string>> = { 'axe-core': 'MPL-2.0' };

describe('licences', () => {
  it('let the project be given away under any', () => {
    const others = Object.entries(locked).filter(([path, { license = 'none', dev }]) => {
      // One of several, at the receiver's choice.
      const choices = license.replace(/^\(|\)$/g, '').split(' OR ');
      return !choices.some((choice) => free.includes(choice) || (dev === true && forTests[nameOf(path)] === choice));
    });
    assert.deepEqual(others, []);
  });
});

describe('docs/dependencies.md', () => {
  it('gives each direct dependency, once, with its licence and a reason', async () => {
    const text = await readText('docs/dependencies.md');
    const rows = [...text.matchAll(/^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$/gm)];
    assert.deepEqual(rows.map(([, name]) => name).sort(), Object.keys(direct).sort());
    for (const [, name = '', licence = '', reason = ''] of rows) {
      assert.equal(licence.trim(), locked[`node_modules/${name}`]?.license, name);
      assert.ok(reason.trim().length > 20, `${name}: what for?`);
    }
    const [forRunning = '', forBuilding = ''] = text.split(/^## /m).slice(1);
    for (const name of Object.keys(manifest.dependencies)) assert.ok(forRunning.includes(`| \`${name}\``), name);
    for (const name of Object.keys(manifest.devDependencies)) assert.ok(forBuilding.includes(`| \`${name}\``), name);
  });
});
