/** The ways to run the indexer besides `serve DIR`: `watch`, `index` that waits, and several directories in one process. */

import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockDirectory } from '../../functions/adapters/local/directory-lock.ts';
import { makePackage } from '../package-maker.ts';
import { indexNow, inTemporaryDirectory, run, soon, until } from './indexer-process.ts';

/** What the child has printed on that stream so far. */
function outputOf(stream: NodeJS.ReadableStream | null): () => string {
  let text = '';
  stream?.setEncoding('utf8').on('data', (more: string) => (text += more));
  return () => text;
}

const putPackage = (directory: string, name: string) =>
  writeFile(join(directory, `${name}.tgz`), makePackage({ name }));

const untilIndexed = (directory: string) =>
  until(`${directory} has an index`, () => readFile(join(directory, 'pkg_summary.gz')).catch(() => undefined));

test('watch follows a directory, and says so', async () => {
  await inTemporaryDirectory(async (directory) => {
    const ran = await run(['watch', directory, ...soon], {}, async (child) => {
      const output = outputOf(child.stdout);
      await until('it watches', () => (output().includes('watching ') ? true : undefined));
      await putPackage(directory, 'x-1.0');
      await untilIndexed(directory);
      child.kill('SIGTERM');
    });
    assert.equal(ran.exitCode, 0, ran.stderr);
    assert.match(ran.stdout, / stopped after .*: 1 indexed, 1 publication$/m);
    assert.doesNotMatch(ran.stdout, /http/);
  });
});

test('index --wait goes on when the other indexer ends', async () => {
  await inTemporaryDirectory(async (directory) => {
    await mkdir(join(directory, '.indexer'));
    await putPackage(directory, 'x-1.0');
    const lock = lockDirectory(join(directory, '.indexer'), directory);
    const refused = await run([...indexNow, directory, '--quiet']);
    assert.equal(refused.exitCode, 3);
    assert.match(refused.stderr, new RegExp(`in use by another indexer \\(process ${process.pid}\\)`));
    const ran = await run([...indexNow, directory, '--wait'], {}, async (child) => {
      const output = outputOf(child.stderr);
      await until('it waits', () => (output().includes('waiting: ') ? true : undefined));
      lock.release();
    });
    assert.equal(ran.exitCode, 0, ran.stderr);
    assert.equal(ran.stderr, `waiting: ${directory} is in use by another indexer (process ${process.pid})\n`);
    assert.match(ran.stdout, /1 package, .* published/);
  });
});

test('one process serves and watches all directories of the file', async () => {
  await inTemporaryDirectory(async (directory) => {
    const [a, b] = [join(directory, 'a'), join(directory, 'b')];
    const config = join(directory, 'indexer.toml');
    await writeFile(
      config,
      'port = 0\ncreate = true\ndebounce = 0.2\nsettle = 0.5\n[[directories]]\npath = "a"\n[[directories]]\npath = "b"\n',
    );
    for (const command of ['serve', 'watch']) {
      const ran = await run([command, '--config', config], {}, async (child) => {
        const output = outputOf(child.stdout);
        await until('both have begun', () => (output().split('to stop: Ctrl-C').length === 3 ? true : undefined));
        await putPackage(join(a, 'All'), `${command}-1.0`);
        await putPackage(join(b, 'All'), `${command}-2.0`);
        await until('both are published', () => (output().split(' published ').length === 3 ? true : undefined));
        child.kill('SIGTERM');
      });
      assert.equal(ran.exitCode, 0, ran.stderr);
      for (const [path, version] of [
        [a, 1],
        [b, 2],
      ])
        assert.ok(ran.stdout.includes(`${path}: indexed All/${command}-${version}.0.tgz\n`), ran.stdout);
    }
  });
});

test('one directory that cannot be served ends the process', async () => {
  await inTemporaryDirectory(async (directory) => {
    const config = join(directory, 'indexer.toml');
    await mkdir(join(directory, 'a'));
    await writeFile(config, 'port = 0\n[[directories]]\npath = "a"\n[[directories]]\npath = "none"\n');
    const ran = await run(['serve', '--config', config]);
    assert.equal(ran.exitCode, 3);
    assert.equal(ran.stderr, `pkgsrc-indexer: ${directory}/none: there is no such file or directory\n`);
    assert.match(ran.stdout, /stopped after/);
  });
});
