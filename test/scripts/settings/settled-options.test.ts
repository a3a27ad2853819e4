/** Options from the command line, the environment and a configuration file. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Command } from 'commander';
import { acceptSettings } from '../../../scripts/settings/settled-options.ts';
import { parsePath, parsePaths, parsePort, RepeatableOption } from '../../../scripts/terminal/argument-parsers.ts';
import { exitCodes } from '../../../scripts/terminal/exit-codes.ts';
import { ending, endingForAll, runCommand } from '../../../scripts/terminal/run-command.ts';
import { runHere, withoutAws } from '../command-process.ts';

let place: string;
let file: string;
before(async () => {
  place = await mkdtemp(join(tmpdir(), 'settings-'));
  file = join(place, 'indexer.toml');
});
after(() => rm(place, { recursive: true }));

/** Runs a command of a small program. @returns what its action got, or the sentence that it ended with. */
async function settled(args: readonly string[], environment: Record<string, string>, toml?: string): Promise<unknown> {
  let got: unknown;
  let errors = '';
  const keep = async (given: unknown) => {
    got = given;
    return exitCodes.done;
  };
  const program = new Command('p').exitOverride().configureOutput({ writeErr: (text) => (errors += text) });
  program
    .command('all [dir]')
    .option('--port <number>', 'port', parsePort, 80)
    .option('--no-page', 'no page')
    .option('--create', 'create')
    .option('--state <dir>', 'state', parsePath)
    .addOption(new RepeatableOption('--trust <file>', 'repeatable').argParser(parsePaths))
    .action(endingForAll(keep));
  program
    .command('one')
    .requiredOption('--stack <name>', 'stack')
    .addOption(new RepeatableOption('--prefix <prefix>', 'repeatable'))
    .action(ending(keep));
  for (const command of program.commands) acceptSettings(command);
  if (toml !== undefined) await writeFile(file, toml);
  const before = { env: process.env, exitCode: process.exitCode, error: console.error };
  console.error = (text: string) => (errors += text);
  process.env = { ...environment };
  try {
    await runCommand(program, [...args, ...(toml === undefined ? [] : ['--config', file])]);
  } finally {
    Object.assign(process, { env: before.env, exitCode: before.exitCode });
    console.error = before.error;
  }
  return got ?? errors.replaceAll(place, 'PLACE').trim();
}

const E = 'PKGSRC_INDEXER_';
const defaults = { port: 80, page: true };

describe('a value is taken from', () => {
  const cases: readonly (readonly [
    what: string,
    args: readonly string[],
    environment: Record<string, string>,
    toml: string | undefined,
    options: object,
  ])[] = [
    ['the default', [], {}, undefined, defaults],
    ['the command line', ['--port', '1'], { [`${E}PORT`]: '2' }, 'port = 3', { port: 1 }],
    ['the command line, where it is the default', ['--port', '80'], { [`${E}PORT`]: '2' }, undefined, { port: 80 }],
    ['the environment', [], { [`${E}PORT`]: '2' }, 'port = 3', { port: 2 }],
    ['the file', [], {}, 'port = 3', { port: 3 }],
    ['the file, as text', [], {}, 'port = "3"', { port: 3 }],
    ['a switch in the environment', [], { [`${E}CREATE`]: 'yes' }, undefined, { create: true }],
    ['a switch that is off in the environment', [], { [`${E}CREATE`]: '0' }, 'create = true', { create: false }],
    ['a switch in the file', [], {}, 'create = true\npage = false', { create: true, page: false }],
    ['a switch on the line', ['--no-page'], { [`${E}PAGE`]: '1' }, 'page = true', { page: false }],
    ['the part for the directory', [], {}, 'port = 3\n[[directories]]\npath = "/x"\nport = 4', { port: 4 }],
    ['the part for another directory: not', [], {}, '[[directories]]\npath = "/xy"\nport = 4', {}],
  ];
  for (const [what, args, environment, toml, options] of cases) {
    test(what, async () => {
      const config = toml === undefined ? {} : { config: file };
      const targets = await settled(['all', '/x', ...args], environment, toml);
      assert.deepEqual(targets, [{ directory: '/x', options: { ...defaults, ...config, ...options } }]);
    });
  }

  test('the file for an option that is required, and for one that is a list', async () => {
    const toml = 'stack = "s"\nprefix = ["a", "b"]';
    assert.deepEqual(await settled(['one'], {}, toml), { stack: 's', prefix: ['a', 'b'], config: file });
    const onLine = await settled(['one', '--prefix', 'c'], {}, toml);
    assert.deepEqual(onLine, { stack: 's', prefix: ['c'], config: file });
    assert.deepEqual(await settled(['one'], { [`${E}STACK`]: 't' }), { stack: 't' });
  });
});

test('without a directory, a command gets each one of the file; paths are relative to it', async () => {
  const toml =
    'port = 3\nstate = "s"\ntrust = ["k", "/l"]\n[[directories]]\npath = "a"\n[[directories]]\npath = "/b"\nport = 4\nstate = "/t"';
  const config = { config: file, page: true, trust: [join(place, 'k'), '/l'] };
  assert.deepEqual(await settled(['all'], {}, toml), [
    { directory: join(place, 'a'), options: { ...config, port: 3, state: join(place, 's') } },
    { directory: '/b', options: { ...config, port: 4, state: '/t' } },
  ]);
  const below = await settled(['all', '/b/c'], { [`${E}CONFIG`]: file });
  assert.deepEqual(below, [{ directory: '/b/c', options: { ...config, port: 4, state: '/t' } }]);
});

test('two directories with the same state directory are refused', async () => {
  const toml = 'state = "st"\n[[directories]]\npath = "/a"\n[[directories]]\npath = "/b"';
  assert.equal(
    await settled(['all'], {}, toml),
    'p: /a and /b have the same state directory PLACE/st: give each its own',
  );
  assert.equal(typeof (await settled(['all'], {}, `${toml}\nstate = "other"`)), 'object');
});

describe('one sentence says what is wrong with', () => {
  const cases: readonly (readonly [
    what: string,
    args: readonly string[],
    environment: Record<string, string>,
    toml: string | undefined,
    expected: string,
  ])[] = [
    ['an unknown key', [], {}, 'prot = 3', 'PLACE/indexer.toml: unknown key "prot"; did you mean port?'],
    ['one like several', [], {}, 'sta = 3', 'PLACE/indexer.toml: unknown key "sta"; did you mean one of stack, state?'],
    [
      'one like no other',
      [],
      {},
      'qqqqqqqq = 3',
      'PLACE/indexer.toml: unknown key "qqqqqqqq": docs/options.md lists all',
    ],
    [
      'one with odd characters',
      [],
      {},
      '"-- \\u001b" = 3',
      'PLACE/indexer.toml: unknown key "-- \\u001b": docs/options.md lists all',
    ],
    ['config', [], {}, 'config = "x"', 'PLACE/indexer.toml: unknown key "config": docs/options.md lists all'],
    ['a negated key', [], {}, 'no-page = true', 'PLACE/indexer.toml: unknown key "no-page"; did you mean page?'],
    ['a value', [], {}, 'port = 99999', 'PLACE/indexer.toml: port: Expected a number from 0 to 65535.'],
    ['the type of a value', [], {}, 'port = true', 'PLACE/indexer.toml: port: expected a text or a number, found true'],
    [
      'a date',
      [],
      {},
      'port = 2026-01-01',
      'PLACE/indexer.toml: port: expected a text or a number, found "2026-01-01"',
    ],
    ['a list', [], {}, 'port = [1, 2]', 'PLACE/indexer.toml: port: expected a text or a number, found [1,2]'],
    ['a switch', [], {}, 'create = 1', 'PLACE/indexer.toml: create: expected true or false, found 1'],
    ['the environment', [], { [`${E}PORT`]: 'x' }, undefined, `${E}PORT: Expected a number from 0 to 65535.`],
    ['an empty variable', [], { [`${E}STATE`]: '' }, undefined, `${E}STATE: Expected a path, found nothing.`],
    ['a switch there', [], { [`${E}CREATE`]: '' }, undefined, `${E}CREATE: expected true or false, found ""`],
    [
      'a directory without a path',
      [],
      {},
      '[[directories]]\nport = 1',
      'PLACE/indexer.toml: [[directories]] 1: expected path = "DIR"',
    ],
    [
      'a key of a directory',
      [],
      {},
      '[[directories]]\npath = "x"\nprot = 1',
      'PLACE/indexer.toml: [[directories]] 1: unknown key "prot"; did you mean port?',
    ],
    [
      'directories',
      [],
      {},
      'directories = "x"',
      'PLACE/indexer.toml: directories: expected a [[directories]] for each directory',
    ],
    [
      'one directory',
      [],
      {},
      '[directories]\npath = "x"',
      'PLACE/indexer.toml: directories: expected a [[directories]] for each directory',
    ],
    [
      'a directory that is there twice',
      [],
      {},
      '[[directories]]\npath = "x"\n[[directories]]\npath = "./x/"',
      'PLACE/indexer.toml: [[directories]] has PLACE/x twice',
    ],
    [
      'a directory inside another one',
      [],
      {},
      '[[directories]]\npath = "x/All"\n[[directories]]\npath = "x-y"\n[[directories]]\npath = "x"',
      'PLACE/indexer.toml: [[directories]] has PLACE/x/All inside PLACE/x, which is indexed with all below it',
    ],
    [
      'a store inside another one',
      [],
      {},
      '[[directories]]\npath = "s3://b"\n[[directories]]\npath = "s3://b/x"',
      'PLACE/indexer.toml: [[directories]] has s3://b/x inside s3://b, which is indexed with all below it',
    ],
  ];
  for (const [what, args, environment, toml, expected] of cases)
    test(what, async () => assert.equal(await settled(['all', '/x', ...args], environment, toml), `p: ${expected}`));

  test('a file that is not TOML', async () => {
    assert.match(
      String(await settled(['all', '/x'], {}, 'a = 1\nport =')),
      /^p: PLACE\/indexer\.toml: line 2, column \d+: \S/,
    );
  });

  test('a file that is not there', async () => {
    const said = await settled(['all', '/x'], { [`${E}CONFIG`]: '/nonexistent.toml' });
    assert.equal(said, 'p: /nonexistent.toml: there is no such file or directory');
  });

  test('a required option that is nowhere', async () => {
    assert.equal(await settled(['one'], {}, 'port = 3'), "p: required option '--stack <name>' not specified");
  });

  for (const toml of [undefined, 'port = 3'])
    test(`no directory at all, ${toml === undefined ? 'without' : 'with'} a file`, async () => {
      const said = await settled(['all'], {}, toml);
      assert.equal(said, 'p: all: expected a directory, or --config FILE with [[directories]] in it');
    });
});

test('a file may have the options of every command', async () => {
  const config = join(place, 'all.toml');
  await writeFile(config, 'port = 1\nbucket = "b"\nstate = "s"\ndebounce = 3\n');
  const { exitCode, stderr } = await runHere('index', [join(place, 'nonexistent'), '--config', config], withoutAws);
  assert.equal(stderr, `pkgsrc-indexer: ${join(place, 'nonexistent')}: there is no such file or directory\n`);
  assert.equal(exitCode, 3);
});
