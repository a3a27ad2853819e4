/** The commands for files and directories: what they say to odd arguments. What they do is tested with the steps. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { SqliteRecords } from '../../functions/adapters/local/sqlite-records.ts';
import type { Row } from '../../functions/ports.ts';
import { makePackage } from '../package-maker.ts';
import { run, runHere, withoutAws } from './command-process.ts';
import { undescribed } from './described-json.ts';

let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'local-commands-'));
  await mkdir(join(directory, 'All'));
  await writeFile(join(directory, 'All', 'bad\x1b[2J-1.0.tgz'), 'no package');
});
after(() => rm(directory, { recursive: true }));

describe('explain', () => {
  for (const place of ['', '..', '../x-1.0.tgz']) {
    test(`refuses "${place}", which is not a file below the directory`, async () => {
      const { exitCode, stdout, stderr } = await runHere('explain', [join(directory, place), '--directory', directory]);
      assert.deepEqual([exitCode, stdout], [3, '']);
      assert.match(stderr, /expected a (file|path) below /);
    });
  }
});

test('record shows a name that would move the cursor as text', async () => {
  const { exitCode, stdout, stderr } = await run('record', [join(directory, 'All', 'bad\x1b[2J-1.0.tgz')]);
  assert.deepEqual([exitCode, stdout], [1, '']);
  assert.match(stderr, /bad\\x1b\[2J-1\.0\.tgz: not-a-package/);
});

test('an index that cannot be published is told, and keeps no other from being so', async (t) => {
  const place = await mkdtemp(join(tmpdir(), 'local-commands-two-'));
  t.after(() => rm(place, { recursive: true }));
  for (const name of ['first', 'second']) {
    await mkdir(join(place, name), { recursive: true });
    await writeFile(join(place, name, 'x-1.0.tgz'), makePackage({ name: 'x-1.0' }));
  }
  await mkdir(join(place, 'first', 'pkg_summary.gz'));
  const { exitCode, stdout, stderr } = await runHere('index', [place, '--settle', '0']);
  assert.match(stderr, /^cannot publish first\/pkg_summary\.gz: a directory has that name; rename or remove it\n$/);
  assert.match(stdout, /^second: 1 package, .* published/m);
  assert.equal(exitCode, 3);
});

test('index --quiet prints what is wrong, and nothing else', async (t) => {
  const place = await mkdtemp(join(tmpdir(), 'local-commands-quiet-'));
  t.after(() => rm(place, { recursive: true }));
  const quietly = () => runHere('index', [place, '--settle', '0', '--quiet']);
  assert.deepEqual(await quietly(), { exitCode: 0, stdout: '', stderr: '' });
  await writeFile(join(place, 'x-1.0.tgz'), makePackage({ name: 'x-1.0' }));
  assert.deepEqual(await quietly(), { exitCode: 0, stdout: '', stderr: '' });
  assert.ok(existsSync(join(place, 'pkg_summary.gz')));
  await writeFile(join(place, 'bad-1.0.tgz'), 'no package');
  const { exitCode, stdout, stderr } = await quietly();
  assert.deepEqual([exitCode, stdout], [1, '']);
  assert.match(stderr, /^bad-1\.0\.tgz: rejected: not-a-package: .*\n$/);
});

describe('index keeps the index of another program', () => {
  /** Like `pkg_summary.gz` beside `All/` of links. */
  async function withForeignIndex(t: { after(clean: () => Promise<void>): void }): Promise<string> {
    const place = await mkdtemp(join(tmpdir(), 'local-commands-held-'));
    t.after(() => rm(place, { recursive: true }));
    await mkdir(join(place, 'All'));
    const records = Array.from({ length: 25 }, (_, number) => `PKGNAME=p-${number}\nCOMMENT=c\n\n`);
    await writeFile(join(place, 'All', 'pkg_summary.gz'), gzipSync(records.join('')));
    return place;
  }
  const held =
    /^All: held back: would-shrink: from 25 packages to 0 packages \(another program made .*\); missing: p-0\.tgz, p-1\.tgz, p-2\.tgz and 22 more; to publish it: index --adopt, /m;

  test('rather than replace it by one without any package, says so, and ends with 4', async (t) => {
    const place = await withForeignIndex(t);
    const before = await readFile(join(place, 'All', 'pkg_summary.gz'));
    for (let time = 0; time < 2; time += 1) {
      const { exitCode, stdout, stderr } = await runHere('index', [place, '--settle', '0']);
      assert.deepEqual([exitCode, stderr], [4, '']);
      assert.match(stdout, held);
    }
    const quiet = await runHere('index', [place, '--settle', '0', '--quiet']);
    assert.deepEqual([quiet.exitCode, quiet.stdout], [4, '']);
    assert.match(quiet.stderr, held);
    assert.deepEqual(await readFile(join(place, 'All', 'pkg_summary.gz')), before);
    assert.deepEqual((await readdir(join(place, 'All'))).sort(), ['pkg_summary.gz']);
    const status = await runHere('status', [place]);
    assert.match(status.stdout, /^HELD BACK: .* index --adopt .*\nAll: held back: would-shrink: from 25 .*; since 20/m);
    const state = join(place, '.indexer');
    const withState = await runHere('status', [place, '--state', state]);
    assert.ok(withState.stdout.includes(` index --adopt ${place} --state ${state} (with the same --arch`));
    const below = await runHere('status', [join(place, 'All')]);
    assert.ok(below.stdout.includes(` index --adopt ${place} (with`), 'the directory that is indexed');
    assert.doesNotMatch(status.stdout, /Nothing has been read/, 'there is no package to read');
    const { repositories } = JSON.parse((await runHere('status', [place, '--json'])).stdout);
    assert.deepEqual(
      { ...repositories[0].heldBack, since: '', files: [] },
      {
        reason: 'foreign-index',
        from: 25,
        to: 0,
        files: [],
        since: '',
      },
    );
  });

  test('until --adopt confirms it', async (t) => {
    const place = await withForeignIndex(t);
    const adopted = await runHere('index', [place, '--settle', '0', '--adopt']);
    assert.deepEqual([adopted.exitCode, adopted.stderr], [0, '']);
    assert.match(adopted.stdout, /^All: 0 packages, .* published/m);
    assert.deepEqual(await readdir(join(place, 'All', '.indexer-state')), []);
    const again = await runHere('index', [place, '--settle', '0']);
    assert.deepEqual([again.exitCode, again.stderr], [0, '']);
    assert.match(again.stdout, /index unchanged/);
  });
});

test('index counts and names links to packages, which it leaves out', async (t) => {
  const place = await mkdtemp(join(tmpdir(), 'local-commands-links-'));
  t.after(() => rm(place, { recursive: true }));
  await mkdir(join(place, 'All'));
  for (let number = 0; number < 25; number += 1) {
    const file = `p${number}-1.0.tgz`;
    await writeFile(join(place, file), makePackage({ name: `p${number}-1.0` }));
    await symlink(`../${file}`, join(place, 'All', file));
  }
  await symlink('nowhere', join(place, 'README'));
  const { exitCode, stderr } = await runHere('index', [place, '--settle', '0']);
  assert.equal(exitCode, 0);
  assert.match(
    stderr,
    /^left out 25 symbolic links: (\S+\/All\/p\d+-1\.0\.tgz, ){2}\S+\.tgz and 22 more; to index them, put .*\n$/,
  );
  const followed = await runHere('index', [place, '--settle', '0', '--follow-symlinks']);
  assert.equal(followed.exitCode, 0);
  assert.match(followed.stderr, /^left out 1 symbolic link: \S+\/README; they lead to nothing, .*\n$/);
  const index = gunzipSync(await readFile(join(place, 'All', 'pkg_summary.gz'))).toString();
  assert.equal(index.match(/^FILE_NAME=p\d+-1\.0\.tgz$/gm)?.length, 25);
  assert.equal((await runHere('check', [place, '--follow-symlinks'])).exitCode, 0);
});

test('index --max-shrink holds back a deletion, and takes a percentage', async (t) => {
  const place = await mkdtemp(join(tmpdir(), 'local-commands-shrink-'));
  t.after(() => rm(place, { recursive: true }));
  for (const name of ['x-1.0', 'y-1.0', 'z-1.0']) await writeFile(join(place, `${name}.tgz`), makePackage({ name }));
  const index = (...more: string[]) => runHere('index', [place, '--settle', '0', ...more]);
  assert.equal((await index()).exitCode, 0);
  await rm(join(place, 'x-1.0.tgz'));
  const { exitCode, stdout } = await index('--max-shrink', '33%');
  assert.equal(exitCode, 4);
  assert.match(
    stdout,
    /from 3 packages to 2 packages \(more than --max-shrink allows\); missing: x-1\.0\.tgz; to publish/,
  );
  assert.equal((await index('--max-shrink', '34')).exitCode, 0);
  for (const wrong of ['101', '-1', 'x', '1.', ''])
    assert.equal((await index(`--max-shrink=${wrong}`)).exitCode, 2, wrong);
});

test('index --config has every directory indexed, whatever becomes of the others', async (t) => {
  const place = await mkdtemp(join(tmpdir(), 'local-commands-all-'));
  t.after(() => rm(place, { recursive: true }));
  await mkdir(join(place, 'a'));
  await writeFile(join(place, 'a', 'x-1.0.tgz'), makePackage({ name: 'x-1.0' }));
  const config = join(place, 'all.toml');
  await writeFile(config, 'settle = 0\npage = false\n[[directories]]\npath = "none"\n[[directories]]\npath = "a"\n');
  const { exitCode, stdout, stderr } = await runHere('index', ['--config', config]);
  assert.equal(stderr, `${place}/none: there is no such file or directory\n`);
  assert.match(stdout, /\/a: .*: 1 package, .* published/);
  assert.equal(exitCode, 3);
  assert.deepEqual((await readdir(join(place, 'a'))).sort(), [
    '.indexer',
    'pkg_summary.gz',
    'pkg_summary.zst',
    'x-1.0.tgz',
  ]);
});

test('index judges again what is there when it gets another --arch, and reads nothing for it', async (t) => {
  const place = await mkdtemp(join(tmpdir(), 'local-commands-arch-'));
  t.after(() => rm(place, { recursive: true }));
  await mkdir(join(place, 'All'));
  for (const arch of ['x86_64', 'x86_64v3', 'aarch64'])
    await writeFile(
      join(place, 'All', `${arch}-1.0.tgz`),
      makePackage({ name: `${arch}-1.0`, buildInfo: `MACHINE_ARCH=${arch}\n` }),
    );
  const index = (...args: string[]) => runHere('index', [place, '--settle', '0', ...args]);
  const readAt = async () => {
    const { table } = SqliteRecords.open({ file: join(place, '.indexer/records.sqlite'), readOnly: true });
    const row = await table.row('All', 'aarch64-1.0.tgz');
    table.close();
    return row?.indexedAt;
  };
  const first = await index();
  assert.match(first.stdout, /^All: 3 packages, 0 rejected/);
  assert.match(
    first.stderr,
    /^mixed All: 1 package for aarch64 beside those for x86_64: pkgin update stops for everyone/,
  );
  assert.match((await index()).stderr, /^mixed All: /);
  assert.equal((await index('--quiet')).stderr, '');
  const indexed = await readAt();
  const { exitCode, stdout, stderr } = await index('--arch', 'x86_64');
  assert.equal(exitCode, 1);
  assert.match(stdout, /^All: 2 packages, 1 rejected/);
  assert.match(
    stderr,
    /^All\/aarch64-1\.0\.tgz: rejected: foreign-architecture: expected a MACHINE_ARCH that begins with x86_64, found "aarch64"$/m,
  );
  const explained = await runHere('explain', [join(place, 'All/aarch64-1.0.tgz')]);
  assert.match(explained.stdout, /another --arch/);
  assert.match((await index('--arch', 'x86_64', '--arch', 'aarch64')).stdout, /^All: 3 packages, 0 rejected/);
  const accepted = await readAt();
  assert.deepEqual(accepted, indexed, 'it was not read again');
  assert.match((await index('--arch', 'aarch64', '--arch', 'x86_64')).stdout, /index unchanged/);
});

test('index verifies signatures by the keys of --trust, and again when the keys change', async (t) => {
  const place = await mkdtemp(join(tmpdir(), 'local-commands-trust-'));
  t.after(() => rm(place, { recursive: true }));
  const keys = (file: string) => ['--trust', fileURLToPath(new URL(`../fixtures/trust/${file}`, import.meta.url))];
  for (const [file, fixture] of [
    ['plain-1.0.tgz', 'hello-1.0.tgz'],
    ['signed-1.0.tgz', 'gnupg1-sha256.tgz'],
    ['x509-1.0.tgz', 'x509.tgz'],
  ] as const)
    await copyFile(new URL(`../fixtures/trust/${fixture}`, import.meta.url), join(place, file));
  const index = (...args: string[]) => runHere('index', [place, '--settle', '0', ...args]);
  const rejected = async (...args: string[]) =>
    [...(await index(...args)).stderr.matchAll(/^(\S+)-1\.0\.tgz: rejected: (\S+):/gm)]
      .map(([, name, code]) => `${name} ${code}`)
      .sort();
  assert.deepEqual(await rejected(), []);
  assert.deepEqual(await rejected(...keys('gnupg1.ring')), []);
  const explained = await runHere('explain', [join(place, 'signed-1.0.tgz')]);
  assert.match(explained.stdout, /It is signed by One \(key [0-9A-F]{16}\)\./);
  assert.match(
    (await runHere('explain', [join(place, 'plain-1.0.tgz')])).stdout,
    /unsigned: expected a signed package/,
  );
  const gnupg = [...keys('gnupg1.ring'), '--require-signature'];
  assert.deepEqual(await rejected(...gnupg), ['plain unsigned', 'x509 untrusted-key']);
  assert.deepEqual(await rejected(...gnupg, ...keys('root.pem')), ['plain unsigned']);
  assert.deepEqual(await rejected(...keys('root.pem'), '--require-signature'), [
    'plain unsigned',
    'signed untrusted-key',
  ]);
  assert.deepEqual(await rejected(), []);
  for (const [args, message] of [
    [keys('hello-1.0.tgz'), /hello-1\.0\.tgz: expected .* Make a keyring/],
    [['--trust', join(place, 'absent')], /cannot read the keys in .*absent: there is no such file/],
    [['--deep'], /give them with --trust FILE/],
  ] as const) {
    const { stdout, stderr } = await index(...args);
    assert.equal(stdout, '', 'nothing is accepted without the keys');
    assert.match(stderr, message);
  }
});

test('a table that cannot be made is told with its place', async () => {
  const state = join(directory, '.state');
  await mkdir(join(state, 'records.sqlite'), { recursive: true });
  const { exitCode, stderr } = await runHere('index', [directory, '--state', state, '--settle', '0']);
  assert.equal(exitCode, 3);
  assert.match(stderr, /^pkgsrc-indexer: .*records\.sqlite: /);
});

describe('with the table elsewhere, the directory that is indexed is found', () => {
  let place: string;
  before(async () => {
    place = await mkdtemp(join(tmpdir(), 'local-commands-state-'));
    await mkdir(join(place, 'packages', 'All'), { recursive: true });
    await writeFile(join(place, 'packages', 'All', 'x-1.0.tgz'), makePackage({ name: 'x-1.0' }));
    await writeFile(join(place, 'k.toml'), 'state = "st"\n[[directories]]\npath = "packages"\n');
    const indexed = await runHere('index', [join(place, 'packages'), '--state', join(place, 'st'), '--settle', '0']);
    assert.deepEqual([indexed.exitCode, indexed.stderr], [0, '']);
  });
  after(() => rm(place, { recursive: true }));

  for (const [option, file] of [
    ['--state', 'st'],
    ['--config', 'k.toml'],
  ] as const)
    test(`by ${option}`, async () => {
      const given = [option, join(place, file)];
      const all = join(place, 'packages', 'All');
      for (const name of ['packages', 'packages/All']) {
        const status = await runHere('status', [join(place, name), ...given, '--json']);
        const { repositories } = JSON.parse(status.stdout);
        assert.equal(repositories.length, 1, name);
        assert.deepEqual([repositories[0].repository, repositories[0].packages], ['All', 1]);
        const checked = await runHere('check', [join(place, name), ...given]);
        assert.match(checked.stdout, /^1 package in 1 repository: no findings/, checked.stderr);
      }
      const explained = await runHere('explain', [join(all, 'x-1.0.tgz'), ...given]);
      assert.match(explained.stdout, /^All\/x-1\.0\.tgz: indexed/, explained.stderr);
    });

  test('by --state inside of it', async () => {
    const inside = join(place, 'inside');
    await mkdir(join(inside, 'All'), { recursive: true });
    await writeFile(join(inside, 'All', 'x-1.0.tgz'), makePackage({ name: 'x-1.0' }));
    const state = ['--state', join(inside, '.state')];
    assert.equal((await runHere('index', [inside, ...state, '--settle', '0'])).exitCode, 0);
    const explained = await runHere('explain', [join(inside, 'All', 'x-1.0.tgz'), ...state]);
    assert.match(explained.stdout, /^All\/x-1\.0\.tgz: indexed/, explained.stderr);
  });

  test('and without either, the advice is to give them', async () => {
    const explained = await runHere('explain', [join(place, 'packages', 'All', 'x-1.0.tgz')]);
    assert.match(
      explained.stderr,
      /no indexed directory found above it\. Give the --state \(or --config\) of its indexer/,
    );
    const status = await runHere('status', [join(place, 'packages')]);
    assert.match(
      status.stdout,
      /\n\nNothing has been read into this table: give the --state \(or --config\) of its indexer, or run /,
    );
    const checked = await runHere('check', [join(place, 'packages')]);
    assert.match(checked.stderr, /has not been indexed yet: give the --state \(or --config\) of its indexer, or run /);
  });
});

test('index forgets a repository that is gone', async (t) => {
  const place = await mkdtemp(join(tmpdir(), 'local-commands-gone-'));
  t.after(() => rm(place, { recursive: true }));
  for (const repository of ['gone', 'stays']) {
    await mkdir(join(place, repository));
    await writeFile(join(place, repository, 'x-1.0.tgz'), makePackage({ name: 'x-1.0' }));
  }
  const known = async () => {
    assert.equal((await runHere('index', [place, '--settle', '0'])).exitCode, 0);
    const { table } = SqliteRecords.open({ file: join(place, '.indexer/records.sqlite'), readOnly: true });
    const names: string[] = [];
    for await (const name of table.repositories()) names.push(name);
    table.close();
    return names;
  };
  assert.deepEqual(await known(), ['gone', 'stays']);
  await rm(join(place, 'gone'), { recursive: true });
  assert.deepEqual(await known(), ['stays']);
});

test('check and status of a repository below the directory that was indexed find its table', async (t) => {
  const place = await mkdtemp(join(tmpdir(), 'local-commands-below-'));
  t.after(() => rm(place, { recursive: true }));
  for (const repository of ['a/All', 'b/All', 'ab/All']) {
    await mkdir(join(place, repository), { recursive: true });
    const packingList = [`@pkgdep gone-from-${repository[0]}>=1`];
    await writeFile(join(place, repository, 'x-1.0.tgz'), makePackage({ name: 'x-1.0', packingList }));
  }
  assert.equal((await runHere('index', [place, '--settle', '0'])).exitCode, 0);
  for (const below of ['a', 'a/All', 'a/All/']) {
    const checked = await runHere('check', [join(place, below)]);
    assert.match(checked.stdout, /gone-from-a/);
    assert.doesNotMatch(checked.stdout, /gone-from-b|ab\/All/);
    const status = await runHere('status', [join(place, below)]);
    assert.match(status.stdout, /^a\/All /m);
    assert.doesNotMatch(status.stdout, /^(?:b|ab)\/All /m);
  }
  assert.ok(!existsSync(join(place, 'a/All/.indexer')));
});

describe('check', () => {
  const row = (file: string, lines: readonly string[]): Row => {
    const facts = {
      repository: 'All',
      file,
      etag: 'e',
      size: 1,
      lastModified: new Date(0),
      indexedAt: new Date(0),
      rules: '',
    };
    return { ...facts, state: 'indexed', record: Buffer.from(`${lines.join('\n')}\n\n`), warnings: [] };
  };
  const tables: Readonly<Record<string, readonly Row[]>> = {
    empty: [],
    whole: [row('a-1.tgz', ['PKGNAME=a-1', 'DEPENDS=b>=1']), row('b-1.tgz', ['PKGNAME=b-1'])],
    broken: [
      row('a-1.tgz', [
        'PKGNAME=a-1',
        'DEPENDS=gone>=1',
        'DEPENDS=x{',
        'REQUIRES=/usr/pkg/lib/no.so',
        'PKGPATH=misc/a',
        'MACHINE_ARCH=x86_64',
      ]),
      row('a-2.tgz', [
        'PKGNAME=a-2',
        'DEPENDS=gone>=1',
        'PROVIDES=/usr/pkg/lib/a.so',
        'PKGPATH=misc/a',
        'MACHINE_ARCH=x86_64',
      ]),
      row('copy.tgz', ['PKGNAME=a-2', 'DEPENDS=\x1b[2J-[0-9]*', 'MACHINE_ARCH=i386\x1b']),
      ...['3', '4', '5', '6'].map((number) => row(`c${number}.tgz`, [`PKGNAME=c${number}-1`, 'DEPENDS=gone>=1'])),
      row('egg-1.tgz', ['PKGNAME=egg-1', 'DEPENDS=hen>=1']),
      row('hen-1.tgz', ['PKGNAME=hen-1', 'DEPENDS=egg>=1']),
    ],
  };
  const stateOf = (name: string) => join(directory, `table-${name}`);
  before(async () => {
    for (const [name, rows] of Object.entries(tables)) {
      const { table } = SqliteRecords.open({ file: join(stateOf(name), 'records.sqlite') });
      for (const each of rows) await table.putRow(each);
      table.close();
    }
  });
  const checked = (
    name: string,
    args: readonly string[] = [],
    environment: Readonly<Record<string, string>> = withoutAws,
  ) => runHere('check', [directory, '--state', stateOf(name), ...args], environment);

  test('has no findings where everything fits together', async () => {
    const { exitCode, stdout, stderr } = await checked('whole');
    assert.deepEqual([exitCode, stderr], [0, '']);
    assert.equal(stdout, '2 packages in 1 repository: no findings\n');
  });

  test('lists what does not, who needs it, and ends with 1', async () => {
    const { exitCode, stdout, stderr } = await checked('broken');
    assert.deepEqual([exitCode, stderr], [1, '']);
    assert.equal(
      stdout,
      `All: 9 packages

FOREIGN ARCHITECTURE (STOPS PKGIN UPDATE): 1  PACKAGES
i386\\x1b                                      a-2

DEPENDENCY CYCLE: 1    PACKAGES
egg-1 → hen-1 → egg-1  egg-1, hen-1

MISSING DEPENDENCY: 3   NEEDED BY
gone>=1                 a-1, a-2, c3-1, c4-1, c5-1 and 1 more
x{ (unbalanced-braces)  a-1
\\x1b[2J-[0-9]*          a-2

MISSING LIBRARY: 1  REQUIRED BY
/usr/pkg/lib/no.so  a-1

PKGNAME IN SEVERAL FILES (CLIENTS SEE ONE): 1  FILES
a-2                                            a-2.tgz, copy.tgz

PKGPATH WITH SEVERAL VERSIONS: 1  PACKAGES
misc/a                            a-1, a-2

9 packages in 1 repository: 8 findings
`,
    );
  });

  test('gives programs all of it', async () => {
    const { exitCode, stdout } = await checked('broken', ['--json']);
    assert.equal(exitCode, 1);
    assert.deepEqual(undescribed(['`status DIR', '`check DIR'], JSON.parse(stdout)), []);
    const [{ repository, findings, report }] = JSON.parse(stdout).repositories;
    assert.deepEqual([repository, report.missingDependencies[0].neededBy.length], ['All', 6]);
    assert.deepEqual(findings, {
      foreignArchitectures: 1,
      dependencyCycles: 1,
      missingDependencies: 3,
      missingLibraries: 1,
      duplicateNames: 1,
      duplicatePaths: 1,
    });
  });

  test('names the next command where nothing is known yet', async () => {
    const { exitCode, stdout, stderr } = await checked('empty');
    assert.deepEqual([exitCode, stdout], [3, '']);
    assert.match(
      stderr,
      /^pkgsrc-indexer: .* has not been indexed yet: give the --state \(or --config\) of its indexer, or run pkgsrc-indexer index .* first$/m,
    );
  });

  test('has colours where they are asked for, and only there', async () => {
    const controlCharacter = String.fromCharCode(27);
    const inColour = await checked('broken', [], { ...withoutAws, FORCE_COLOR: '1' });
    assert.ok(inColour.stdout.includes(`${controlCharacter}[33mgone>=1${controlCharacter}[39m`));
    const without = await checked('broken', [], { ...withoutAws, NO_COLOR: '1' });
    assert.ok(!without.stdout.includes(controlCharacter));
  });
});

test('status tells rejected packages with their reasons, what is pending, warnings and findings', async () => {
  const state = join(directory, 'status');
  const { table } = SqliteRecords.open({ file: join(state, 'records.sqlite') });
  const facts = {
    repository: 'Some',
    etag: 'e',
    size: 1_234,
    lastModified: new Date(0),
    indexedAt: new Date(0),
    rules: '',
  };
  const record = Buffer.from('PKGNAME=a-x\nDEPENDS=gone>=1\nMACHINE_ARCH=x86_64\n\n');
  const foreign = Buffer.from('PKGNAME=c-1\nMACHINE_ARCH=i386\n\n');
  await table.putRow({ ...facts, file: 'a-x.tgz', state: 'indexed', record, warnings: ['not-installable'] });
  await table.putRow({ ...facts, file: 'c-1.tgz', state: 'indexed', record: foreign, warnings: [] });
  const reason = { code: 'truncated', message: 'cut\x1b[2J' };
  await table.putRow({ ...facts, file: 'b-1.tgz', state: 'rejected', reason });
  table.close();
  const { exitCode, stdout } = await runHere('status', [directory, '--state', state]);
  assert.equal(exitCode, 1);
  assert.equal(
    stdout,
    `REPOSITORY  PACKAGES    SIZE  REJECTED  PENDING  WARNINGS  FINDINGS  PUBLISHED (UTC)
All                0     0 B         0        1         0         0  never
Some               2  2.5 kB         1        3         1         2  never

FOREIGN ARCHITECTURE (STOPS PKGIN UPDATE)  PACKAGES  REPOSITORY
x86_64                                     a-x       Some

REJECTED      REASON
Some/b-1.tgz  truncated  cut\\x1b[2J

PENDING
All/bad\\x1b[2J-1.0.tgz
Some/a-x.tgz
Some/b-1.tgz
Some/c-1.tgz

WARNING          PACKAGES  REPOSITORY
not-installable         1  Some

For the findings, run pkgsrc-indexer check ${directory} --state ${state}.
`,
  );
  const explained = await runHere('explain', [
    join(directory, 'Some', 'b-1.tgz'),
    '--directory',
    directory,
    '--state',
    state,
    '--json',
  ]);
  assert.deepEqual(undescribed(['`explain FILE'], JSON.parse(explained.stdout)), []);
  const asJson = JSON.parse((await runHere('status', [directory, '--state', state, '--json'])).stdout);
  assert.deepEqual(undescribed(['`status DIR'], asJson), []);
  assert.deepEqual(asJson.repositories[1].findings, {
    foreignArchitectures: 1,
    dependencyCycles: 0,
    missingDependencies: 1,
    missingLibraries: 0,
    duplicateNames: 0,
    duplicatePaths: 0,
  });
});
