/** The package as its users get it: packed, installed from the file alone, and used under the oldest Node and under ours. */

import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bulkLimits } from '../functions/extract-threads.ts';
import { until } from './local/indexer-process.ts';
import { assertPublished, madeName, makeRepository } from './local/made-repository.ts';
import { makePackage } from './package-maker.ts';
import { withoutAws } from './scripts/command-process.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const oldestNode = '22.16.0';

const limits = {
  /** A download of a second on a slow line. */
  tarballBytesMax: 4_000_000,
  /** The clone is 600 MB. */
  installedBytesMax: 10_000_000,
} as const;

let place: string;
/** A clone, as far as packing needs it: packing changes its package.json for a moment. */
let clone: string;
let tarball: string;
let installed: string;

const runFile = promisify(execFile);

/** Only what the machine has, without settings of npm or of the test. */
const environment = { PATH: process.env.PATH ?? '', HOME: '/nonexistent', ...withoutAws };

async function npm(directory: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await runFile('npm', [...args, '--cache', join(place, 'cache')], {
    cwd: directory,
    env: environment,
    maxBuffer: 10_000_000,
  });
  return stdout;
}

before(async () => {
  place = await mkdtemp(join(tmpdir(), 'npm-package-'));
  clone = join(place, 'clone');
  await mkdir(clone);
  for (const part of [
    'docs',
    'functions',
    'infra',
    'scripts',
    'package.json',
    'package-lock.json',
    'README.md',
    'LICENSE',
  ])
    await cp(join(root, part), join(clone, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(clone, 'node_modules'));
  await npm(clone, 'pack');
  tarball = join(clone, (await readdir(clone)).find((name) => name.endsWith('.tgz')) ?? '');
  const prefix = join(place, 'prefix');
  await npm(place, 'install', '--global', '--offline', '--prefix', prefix, tarball);
  installed = join(prefix, 'lib/node_modules/pkgsrc-indexer');
});
after(() => rm(place, { recursive: true }));

async function sizeOf(directory: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(directory, { recursive: true })) bytes += (await stat(join(directory, name))).size;
  return bytes;
}

describe('the package', () => {
  test('is small, packed and installed', async (t) => {
    const [packed, unpacked] = [(await stat(tarball)).size, await sizeOf(installed)];
    t.diagnostic(`${packed} bytes packed, ${unpacked} installed`);
    assert.ok(packed <= limits.tarballBytesMax, `${packed} bytes`);
    assert.ok(unpacked <= limits.installedBytesMax, `${unpacked} bytes`);
  });

  test('holds what it needs, and nothing else', async () => {
    assert.deepEqual((await readdir(installed)).sort(), [
      'LICENSE',
      'README.md',
      'dist',
      'docs',
      'infra',
      'package.json',
    ]);
    assert.deepEqual((await readdir(join(installed, 'infra'))).sort(), ['action', 'container', 'pkgsrc', 'service']);
    const others = (await readdir(join(installed, 'dist'))).filter((name) => !/\.c?js$/.test(name));
    assert.deepEqual(others, ['LICENSES.txt']);
    const licences = await readFile(join(installed, 'dist/LICENSES.txt'), 'utf8');
    for (const name of ['@aws-sdk/client-s3', 'commander', 'hono', 'preact', 'tar-stream', 'xz-decompress'])
      assert.match(licences, new RegExp(`(^|, )${name}[,:]`, 'm'));
    assert.doesNotMatch(licences, /aws-cdk-lib|esbuild/);
  });

  test('has a manifest that installs nothing and runs nothing', async () => {
    const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
    const fields = ['name', 'version', 'description', 'license', 'keywords', 'type', 'bin', 'engines', 'files'];
    assert.deepEqual(Object.keys(manifest), fields);
  });

  test('leaves the manifest of the clone as it was, also after it was interrupted', async () => {
    const manifest = () => readFile(join(clone, 'package.json'), 'utf8');
    const ours = await readFile(join(root, 'package.json'), 'utf8');
    assert.equal(await manifest(), ours);
    const pack = (step: string) => runFile(process.execPath, [join(clone, 'scripts/pack.ts'), step]);
    await pack('prepack');
    assert.notEqual(await manifest(), ours);
    await pack('prepack');
    await pack('postpack');
    assert.equal(await manifest(), ours);
    await pack('prepack');
    await writeFile(join(clone, 'package.json'), `${ours}\n`);
    await pack('postpack');
    assert.equal(await manifest(), `${ours}\n`, 'somebody changed it meanwhile');
    await writeFile(join(clone, 'package.json'), ours);
  });

  test('gets its version by npm version', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    await npm(clone, 'version', 'major', '--no-git-tag-version');
    await npm(clone, 'pack', '--pack-destination', place);
    const next = `${Number(version.split('.')[0]) + 1}.0.0`;
    const said = await npm(
      place,
      'exec',
      '--yes',
      '--offline',
      `--package=${place}/pkgsrc-indexer-${next}.tgz`,
      '--',
      'pkgsrc-indexer',
      '--version',
    ).catch((error) => error.stderr);
    assert.match(said, new RegExp(`^${next.replaceAll('.', '\\.')}$|expected Node`, 'm'));
  });

  test('says in one sentence that a Node is too old', async () => {
    const launcher = join(installed, 'dist/pkgsrc-indexer.cjs');
    for (const [version, isEnough] of [
      ['8.17.0', false],
      ['20.19.5', false],
      ['22.15.1', false],
      ['22.16.0', true],
      ['23.11.0', false],
      ['24.0.0', true],
    ] as const) {
      const code = `Object.defineProperty(process.versions, 'node', { value: '${version}' }); process.argv[2] = '--version'; require('${launcher}')`;
      const { stdout, stderr } = await runFile(process.execPath, ['-e', code, '--', 'x']).catch((error) => error);
      const expected = `pkgsrc-indexer: expected Node 22.16 or later, or 24 or later, found ${version} (${process.execPath})\n`;
      assert.deepEqual([stdout === '', stderr], isEnough ? [false, ''] : [true, expected]);
    }
  });

  const machineNode = ['/usr/bin/node', '/usr/local/bin/node', '/usr/pkg/bin/node'].find(existsSync);
  test('says so under the Node of this machine, if that is too old', async (t) => {
    const found = machineNode && (await runFile(machineNode, ['--version'])).stdout.trim();
    if (machineNode === undefined || Number(found?.slice(1).split('.')[0]) >= 22)
      return t.skip(`this machine has ${found ?? 'no Node'}`);
    const ran = await ranBy(machineNode, ['index', place]);
    assert.equal(ran.exitCode, 3);
    assert.match(ran.stderr, /^pkgsrc-indexer: expected Node 22\.16 or later, or 24 or later, found .*\n$/);
  });
});

test('the command of a clone works through links, and says what it lacks', async () => {
  await mkdir(join(place, 'links'));
  await symlink(join(root, 'scripts/pkgsrc-indexer'), join(place, 'links/first'));
  await symlink('links/first', join(place, 'second'));
  const { stdout } = await runFile(join(place, 'second'), ['--version']);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  // Without node_modules, and without a Node.
  await cp(join(root, 'scripts/pkgsrc-indexer'), join(place, 'links/alone'));
  const alone = await runFile(join(place, 'links/alone'), ['--version'], {
    env: { PATH: await pathWithoutNode() },
  }).catch((error) => error);
  assert.equal(alone.stderr, 'pkgsrc-indexer: expected Node 24 or later, found none: npm ci brings one along\n');
  assert.equal(alone.code, 3);
});

/** What the command needs of the system, and nothing else. */
async function pathWithoutNode(): Promise<string> {
  const directory = join(place, 'programs');
  await mkdir(directory);
  for (const program of ['dirname', 'readlink']) await symlink(`/usr/bin/${program}`, join(directory, program));
  return directory;
}

interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param meanwhile gets the child, and what it has printed so far; it has to end it. */
async function ranBy(
  node: string,
  args: readonly string[],
  meanwhile: (child: ChildProcess, output: () => string) => Promise<void> = async () => {},
): Promise<Ran> {
  // Through a link to the link that npm made, and with this Node first in the PATH.
  const link = join(place, 'command');
  if (!existsSync(link)) await symlink(join(place, 'prefix/bin/pkgsrc-indexer'), link);
  const child = spawn(link, args, {
    env: { ...environment, PATH: `${dirname(node)}:${environment.PATH}` },
    cwd: place,
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  const closed = once(child, 'close');
  try {
    await meanwhile(child, () => said.stdout);
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`${said.stdout}${said.stderr}`, { cause: error });
  }
  const [exitCode] = (await closed) as [number | null];
  return { exitCode, ...said };
}

/** Kept for the next time; 120 MB. @returns undefined where there is none for this machine, or no registry. */
async function oldestNodeFile(): Promise<string | undefined> {
  const kept = join(root, 'node_modules/.cache', `node-${oldestNode}`);
  const name = `node-${process.platform}-${process.arch}`;
  const file = join(kept, 'node_modules', name, 'bin/node');
  if (existsSync(file)) return file;
  await mkdir(kept, { recursive: true });
  const install = ['install', '--prefix', kept, '--no-audit', '--no-fund', '--ignore-scripts', `${name}@${oldestNode}`];
  await runFile('npm', install, { timeout: 300_000 }).catch(() => undefined);
  return existsSync(file) ? file : undefined;
}

for (const [title, find] of [
  ['the Node of node_modules', async () => process.execPath],
  [`Node ${oldestNode}`, oldestNodeFile],
] as const) {
  describe(`under ${title}`, () => {
    let node: string | undefined;
    let directory: string;
    before(async () => {
      node = await find();
      directory = await mkdtemp(join(place, 'packages-'));
      await makeRepository(directory, bulkLimits.hintsWithoutThreadsMax + 100);
      await writeFile(join(directory, 'All/bad-1.0.tgz'), 'no package');
    });

    /** The tour of the README, and the rest; each depends on the one before. */
    const tour: Readonly<
      Record<string, (run: (...args: readonly string[]) => Promise<Ran>, node: string) => Promise<void>>
    > = {
      'index, in threads': async (run) => {
        const { exitCode, stdout, stderr } = await run('index', directory, '--settle', '0');
        assert.match(stderr, /^All\/bad-1\.0\.tgz: rejected: not-a-package: [^\n]*\n$/);
        assert.match(stdout, /^All: 600 packages, 1 rejected, /);
        assert.equal(exitCode, 1);
        assert.match(await readFile(join(directory, 'All/index.html'), 'utf8'), /<script>/);
        await rm(join(directory, 'All/bad-1.0.tgz'));
        assert.equal((await run('index', directory, '--quiet')).exitCode, 0);
        await assertPublished(directory);
      },
      'status, check, explain, record, completion': async (run) => {
        const file = join(directory, 'All', `${madeName(7)}.tgz`);
        const said: readonly (readonly [args: readonly string[], exitCode: number, stdout: RegExp])[] = [
          [['status', directory], 0, /^All +600 /m],
          [['status', directory, '--json'], 0, /"packages": 600/],
          [['check', directory], 0, /no findings/],
          [['explain', file], 0, /in the index/],
          [['record', file], 0, /^PKGNAME=made0007-1\.0$/m],
          [['completion', 'bash'], 0, /complete -o bashdefault/],
          [['serve', '--help'], 0, /--upload-token/],
          [['--version'], 0, /^\d+\.\d+\.\d+$/m],
        ];
        for (const [args, exitCode, expected] of said) {
          const ran = await run(...args);
          assert.deepEqual([ran.exitCode, ran.stderr], [exitCode, ''], args.join(' '));
          assert.match(ran.stdout, expected);
        }
      },
      'serve, with uploads and both pages': async (_, under) => {
        const args = ['serve', directory, '--port', '0', '--local-uploads', '--debounce', '0.2'];
        const { exitCode, stderr } = await ranBy(under, args, async (child, output) => {
          const url = await until('it serves', () => /serving .* on (http:\/\/[^/]+)\//.exec(output())?.[1]);
          const body = makePackage({ name: 'new-1.0' });
          const answer = await fetch(`${url}/All/new-1.0.tgz`, { method: 'PUT', body });
          assert.equal(answer.status, 201);
          await until('it is published', () => /published All: 601 packages/.exec(output()) ?? undefined);
          const page = await (await fetch(`${url}/All/`)).text();
          assert.match(page, /new-1\.0\.tgz/);
          assert.match(await (await fetch(`${url}/-/`)).text(), /<script>/);
          assert.match(await (await fetch(`${url}/?search=made0007`)).text(), /made0007-1\.0/);
          assert.match(await (await fetch(`${url}/-/metrics`)).text(), /^pkgsrc_indexer_packages\{.*\} 601$/m);
          child.kill('SIGTERM');
        });
        assert.deepEqual([exitCode, stderr], [0, '']);
        await assertPublished(directory);
      },
      'watch, from a configuration file': async (_, under) => {
        const config = join(place, 'indexer.toml');
        await writeFile(config, `debounce = 0.2\nsettle = 0.5\n[[directories]]\npath = ${JSON.stringify(directory)}\n`);
        const { exitCode, stderr } = await ranBy(under, ['watch', '--config', config], async (child, output) => {
          await until('it watches', () => /watching /.exec(output()) ?? undefined);
          await rm(join(directory, 'All/new-1.0.tgz'));
          await until('it is published', () => /published All: 600 packages/.exec(output()) ?? undefined);
          child.kill('SIGTERM');
        });
        assert.deepEqual([exitCode, stderr], [0, '']);
      },
      'what needs AWS: a sentence': async (run) => {
        for (const [args, expected] of [
          [
            ['deploy', '--bucket', 'b'],
            /^pkgsrc-indexer: deploy needs the AWS CDK, .* npm run deploy -- --bucket b\n$/,
          ],
          [
            ['destroy', '--stack', 's'],
            /^pkgsrc-indexer: destroy needs the AWS CDK, .* npm run destroy -- --stack s\n$/,
          ],
          [['status', '--stack', 's'], /^pkgsrc-indexer: expected a region, found none/],
          [['status', '--stack', 's', '--region', 'eu-central-1'], /^pkgsrc-indexer: no AWS credentials/],
          [['reindex', '--stack', 's', '--region', 'eu-central-1'], /^pkgsrc-indexer: no AWS credentials/],
          [['redrive', '--stack', 's', '--region', 'eu-central-1'], /^pkgsrc-indexer: no AWS credentials/],
          [['smoke', '--stack', 's', '--region', 'eu-central-1'], /^pkgsrc-indexer: no AWS credentials/],
        ] as const) {
          const { exitCode, stdout, stderr } = await run(...args);
          assert.deepEqual([exitCode, stdout], [3, ''], stderr);
          assert.match(stderr, expected);
        }
      },
    };
    for (const [what, take] of Object.entries(tour))
      test(what, async (t) => {
        const under = node;
        if (under === undefined) return t.skip(`npm has no Node ${oldestNode} for this machine, or cannot be reached`);
        await take((...args) => ranBy(under, args), under);
      });
  });
}
