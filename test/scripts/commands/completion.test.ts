/** The completion scripts: what bash makes of its own, and that each has everything that the command line has. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Argument, Command, Option } from 'commander';
import { completionScript, shells } from '../../../scripts/commands/completion.ts';
import { runHere } from '../command-process.ts';

/** What bash offers for the last word of the line. */
async function completions(script: string, line: string): Promise<string[]> {
  const words = line.split(' ');
  const ask = `eval "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pkgsrc_indexer; IFS=" "; echo "\${COMPREPLY[*]}"`;
  const { stdout } = await promisify(execFile)('bash', ['--norc', '-uc', ask, 'bash', script, ...words]);
  return stdout.trim() === '' ? [] : stdout.trim().split(' ');
}

describe('bash', () => {
  let script: string;
  before(async () => {
    script = (await runHere('completion', ['bash'])).stdout;
  });
  const cases: readonly (readonly [line: string, offered: readonly string[]])[] = [
    ['pkgsrc-indexer st', ['status']],
    ['pkgsrc-indexer de', ['deploy', 'destroy']],
    ['pkgsrc-indexer index --formats ', ['gz', 'zst', 'gz,zst']],
    ['pkgsrc-indexer serve --formats g', ['gz', 'gz,zst']],
    ['pkgsrc-indexer deploy --formats ', ['gz', 'gz,zst']],
    ['pkgsrc-indexer c', ['check', 'completion']],
    ['pkgsrc-indexer check --j', ['--json']],
    ['pkgsrc-indexer serve --upload-', ['--upload-token', '--upload-max']],
    ['pkgsrc-indexer serve --host --up', []],
    ['pkgsrc-indexer completion ', ['bash', 'zsh', 'fish', '--help']],
    ['pkgsrc-indexer help ex', ['explain']],
    // Here bash goes on with the names of files.
    ['pkgsrc-indexer index ', []],
    ['pkgsrc-indexer index dir', []],
    ['pkgsrc-indexer check --state ', []],
    ['pkgsrc-indexer nonsense --', []],
  ];
  for (const [line, offered] of cases)
    test(line, async () => assert.deepEqual(await completions(script, line), offered));

  test('is registered', async () => {
    const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', 'eval "$1"; complete -p', 'bash', script]);
    assert.match(stdout, /-F _pkgsrc_indexer pkgsrc-indexer\n/);
  });
});

describe('a script is made of the tree of commands', () => {
  const program = new Command('p');
  program
    .command('paint')
    .description("it's [quick]: c:\\paint")
    .addArgument(new Argument('<what>').choices(['walls', 'doors']))
    .addOption(new Option('--colour <name>', 'which').choices(['red', 'blue']))
    .option('--twice', 'two coats');

  for (const shell of shells)
    test(shell, () => {
      const script = completionScript(program, shell);
      for (const word of ['paint', 'walls', 'doors', 'colour', 'red', 'blue', 'twice', 'help'])
        assert.ok(script.includes(word), word);
    });

  test('whose texts may hold what a shell takes for its own', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'completion-'));
    t.after(() => rm(directory, { recursive: true }));
    const file = join(directory, 'script');
    await writeFile(file, completionScript(program, 'bash'));
    await promisify(execFile)('bash', ['-n', file]);
    assert.ok(completionScript(program, 'zsh').includes(`'paint:it'\\''s [quick]\\: c\\:\\paint'`));
    assert.ok(completionScript(program, 'fish').includes(`-d 'it\\'s [quick]: c:\\\\paint'`));
  });

  test('values of an option are offered behind it', async () => {
    const script = completionScript(program, 'bash');
    assert.deepEqual(await completions(script, 'p paint --colour '), ['red', 'blue']);
    assert.deepEqual(await completions(script, 'p paint w'), ['walls']);
  });
});

test('every file in commands/ is a command, which the help lists and the completion knows', async () => {
  const { stdout: help } = await runHere('', ['--help']);
  const { stdout: script } = await runHere('completion', ['fish']);
  const files = await readdir(new URL('../../../scripts/commands/', import.meta.url));
  const commands = [...(help.split('Commands:')[1] ?? '').matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);
  const expected = [...files.map((file) => file.replace('.ts', '')), 'help'];
  assert.deepEqual(commands.sort(), expected.sort());
  for (const name of expected) assert.ok(script.includes(`-a ${name} `), name);
});

test('a mistyped command or option is answered with the one that was meant', async () => {
  for (const [args, expected] of [
    [['statsu'], /Did you mean status\?/],
    [['check', '--jsn'], /Did you mean --json\?/],
  ] as const) {
    const { exitCode, stderr } = await runHere('', args);
    assert.equal(exitCode, 2);
    assert.match(stderr, expected);
  }
});
