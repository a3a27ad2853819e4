/** Wrong input, as a newcomer gives it: a sentence that says what to do, an exit code, and never a stack trace or a wait. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noise } from '../package-maker.ts';
import { indexNow, inTemporaryDirectory, run, until } from './indexer-process.ts';
import { assertPublished, makeRepository, packagesIn } from './made-repository.ts';

/** TOP is a directory that nobody keeps, DIR an empty one, FILE a file, DAMAGED a directory with a damaged table. */
const mistakes: readonly (readonly [command: string, exitCode: number, said: RegExp])[] = [
  ['', 2, /^Usage: pkgsrc-indexer/],
  ['nonsense', 2, /unknown command 'nonsense'/],
  ['--nonsense', 2, /unknown option '--nonsense'/],
  ['index', 2, /index: expected a directory, or --config/],
  ['index DIR --config FILE', 2, /FILE: line 1, column \d+: /],
  ['index DIR DIR', 2, /too many arguments/],
  ['index EMPTY', 2, /Expected a path, found nothing/],
  ['index DIR/none', 3, /DIR\/none: there is no such file or directory$/],
  ['index FILE', 3, /FILE: expected a directory, found a file$/],
  ['index DIR --state FILE', 3, /cannot make the state directory FILE .*something else is in its place$/],
  [
    'index DIR --state DIR/state',
    3,
    /state directory DIR\/state is inside DIR.*outside, or one that begins with a dot$/,
  ],
  ['serve DIR --port 0 --state DIR/state', 3, /state directory DIR\/state is inside DIR/],
  ['index DIR --formats xz', 2, /Expected gz, zst, or both; found xz/],
  ['index DIR --formats EMPTY', 2, /Expected gz, zst, or both; found nothing/],
  ['serve', 2, /serve: expected a directory, or --config/],
  ['watch', 2, /watch: expected a directory, or --config/],
  ['watch DIR/none', 3, /DIR\/none: there is no such file or directory$/],
  ['serve EMPTY', 2, /Expected a path, found nothing/],
  ['serve DIR/none', 3, /DIR\/none: there is no such file or directory$/],
  ['serve FILE --create', 3, /FILE: expected a directory, found a file$/],
  ['serve DIR --port abc', 2, /Expected a number from 0 to 65535/],
  ['serve DIR --port 99999', 2, /Expected a number from 0 to 65535/],
  ['serve DIR --port USED', 3, /port \d+ is in use: stop the other program or choose --port$/],
  ['serve DIR --port 0 --host 192.0.2.1', 3, /192.0.2.1 is not an address of this machine: choose another --host$/],
  ['serve DIR --port 0 --upload-token BLANK', 3, /the upload token must be ASCII without spaces/],
  ['serve DIR --port 0 --host EMPTY', 2, /Expected an address, found nothing/],
  ['serve /proc/none/below --create', 3, /\/proc\/none\/below: there is no such file or directory$/],
  ['serve DIR --upload-max 0', 2, /Expected a number of bytes, without a unit/],
  ['serve DIR --upload-max 4GB', 2, /Expected a number of bytes, without a unit/],
  ['serve DIR --debounce -1', 2, /Expected 0 to 300 seconds/],
  ['status', 2, /expected either a directory or --stack/],
  ['status DIR/none', 3, /DIR\/none: there is no such file or directory$/],
  ['status FILE', 3, /FILE: expected a directory, found a file$/],
  ['status DAMAGED', 3, /records.sqlite: expected the table of an indexer .* found a file that is damaged/],
  ['explain', 2, /missing required argument 'file'/],
  ['explain TOP/none.tgz', 3, /no indexed directory found above it\./],
  ['record', 2, /missing required argument 'file'/],
  ['record DIR/none.tgz', 3, /DIR\/none.tgz: there is no such file or directory$/],
  ['record DIR', 3, /DIR: expected a file, found a directory$/],
  ['record FILE', 1, /FILE: not-a-package: expected a gzip, bzip2, xz, zstd or tar file/],
];

test('every mistake gets its exit code and a sentence', async () => {
  await inTemporaryDirectory(async (directory) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const places: Record<string, string> = {
      TOP: directory,
      DIR: join(directory, 'empty'),
      FILE: join(directory, 'file'),
      DAMAGED: join(directory, 'damaged'),
      USED: String((server.address() as AddressInfo).port),
      EMPTY: '',
      BLANK: 'a b',
    };
    await mkdir(join(directory, 'empty'));
    await writeFile(join(directory, 'file'), 'x');
    await mkdir(join(directory, 'damaged', '.indexer'), { recursive: true });
    await writeFile(join(directory, 'damaged', '.indexer', 'records.sqlite'), noise(5_000));
    const named = (text: string) => text.replace(/[A-Z]{3,}/g, (name) => places[name] ?? name);
    const wrong: string[] = [];
    const remaining = [...mistakes];
    const tryAll = async () => {
      for (let mistake = remaining.shift(); mistake !== undefined; mistake = remaining.shift()) {
        const [command, exitCode, said] = mistake;
        const args = command === '' ? [] : command.split(' ').map(named);
        const ran = await run(args, {}, (child) => void setTimeout(() => child.kill('SIGKILL'), 20_000).unref());
        const expected = new RegExp(named(said.source), 'm');
        const isTold = expected.test(ran.stderr) && ran.stdout === '' && !/\n\s+at /.test(ran.stderr);
        if (ran.exitCode !== exitCode || !isTold) wrong.push(`${command}: ${JSON.stringify(ran)}`);
      }
    };
    await tryAll();
    server.close();
    assert.deepEqual(wrong, []);
    assert.deepEqual(await readdir(join(directory, 'empty')), [], 'a command that fails leaves nothing behind');
  });
});

describe('a reader that has seen enough', () => {
  /** `indexer ARGS | head -n 1`: the exit code of the indexer, and what it said on standard error. */
  async function head(args: readonly string[]): Promise<[exitCode: number, stderr: string]> {
    const commandLine = fileURLToPath(new URL('../../scripts/indexer.ts', import.meta.url));
    const pipe = '"$@" | head -n 1 >/dev/null';
    const child = spawn('bash', ['-o', 'pipefail', '-c', pipe, 'bash', process.execPath, commandLine, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [exitCode] = (await once(child, 'close')) as [number];
    return [exitCode, stderr];
  }

  test('is no failure, and stops no work', async () => {
    await inTemporaryDirectory(async (directory) => {
      await makeRepository(directory, 1_000);
      assert.deepEqual(await head([...indexNow, directory]), [0, '']);
      await assertPublished(directory);
      const files = (await packagesIn(directory)).map((file) => join(directory, 'All', file));
      assert.deepEqual(await head(['record', ...files]), [0, '']);
      assert.deepEqual(await head(['status', directory, '--json']), [0, '']);
    });
  });
});

test('index says what it keeps when it is interrupted, and continues with that', async () => {
  await inTemporaryDirectory(async (directory) => {
    await makeRepository(directory, 3_000);
    const { exitCode, stderr } = await run([...indexNow, directory], {}, async (child) => {
      await until('it begins', () => existsSync(join(directory, '.indexer', 'records.sqlite')) || undefined);
      child.kill('SIGINT');
    });
    assert.equal(exitCode, 130);
    assert.match(
      stderr,
      /^stopped after [\d,]+ packages? and [\d,]+ repositor(?:y|ies)\. That work is kept: run the same command/m,
    );
    assert.equal((await run([...indexNow, directory])).exitCode, 0);
    await assertPublished(directory);
  });
});

test('serve stops in order when npm, which a supervisor knows, is told to', async () => {
  await inTemporaryDirectory(async (directory) => {
    const args = ['run', '-s', 'indexer', '--', 'serve', directory, '--port', '0'];
    const cwd = fileURLToPath(new URL('../..', import.meta.url));
    // A group of its own: what outlives npm has to end with the test.
    const npm = spawn('npm', args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    npm.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    try {
      await until('it serves', () => output.includes('to stop: Ctrl-C') || undefined);
      npm.kill('SIGTERM');
      await until('it says goodbye', () => output.includes('stopped after') || undefined);
    } finally {
      endGroup(npm);
    }
  });
});

function endGroup({ pid = 0 }: ChildProcess): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // All of it has ended, as it should.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
