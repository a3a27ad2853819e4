import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileReference, installCommands, shellWord } from '../../functions/browser/packages/install-commands.ts';

const repository = 'https://packages.example/All/';

test('an ordinary package gives two lines that can be pasted', () => {
  assert.deepEqual(installCommands(repository, 'nginx-1.27.0nb1', 'nginx-1.27.0nb1.tgz'), {
    pkgin: 'pkgin install nginx-1.27.0nb1',
    pkgAdd: 'pkg_add https://packages.example/All/nginx-1.27.0nb1.tgz',
  });
});

test('a + stays what it is in a name, and is encoded in a URL', () => {
  assert.deepEqual(installCommands(repository, 'gtk2+-2.24', 'gtk2+-2.24.tgz'), {
    pkgin: 'pkgin install gtk2+-2.24',
    pkgAdd: 'pkg_add https://packages.example/All/gtk2%2B-2.24.tgz',
  });
});

test('there is no line for pkgin where pkgin would ask for another file', () => {
  for (const [name, file] of [
    ['x-1.0', 'y-1.0.tgz'],
    ['x-1.0', 'x-1.0.tbz'],
    ['x-alpha', 'x-alpha.tgz'],
    ['x', 'x.tgz'],
    ['x%-1', 'x%-1.tgz'],
    ['x#1-1', 'x#1-1.tgz'],
  ] as const) {
    assert.equal(installCommands(repository, name, file).pkgin, undefined, file);
  }
});

test('whatever a name is, a shell takes it for one word', () => {
  const names = [
    'x-1.0',
    "it's-1",
    'a b-1',
    '$(touch /tmp/x)-1',
    '`id`-1',
    'a;b-1',
    'a"b-1',
    "'-1",
    '~root-1',
    '-n',
    '',
    'é-1',
    'a\\b-1',
    '!1-1',
    'x=1-1',
  ];
  const printed = execFileSync('sh', ['-c', `printf '%s\\n' ${names.map(shellWord).join(' ')}`], { encoding: 'utf8' });
  assert.deepEqual(printed.split('\n').slice(0, -1), names);
});

test('a reference to a file leads nowhere but to that file', () => {
  for (const file of [
    'gtk2+-2.tgz',
    'a b.tgz',
    'javascript:x.tgz',
    '..%2f.tgz',
    '//host.tgz',
    'x?y#z.tgz',
    'a&amp;b".tgz',
    'ü.tgz',
  ]) {
    const url = new URL(fileReference(file), repository);
    assert.ok(url.href.startsWith(repository), file);
    assert.equal(decodeURIComponent(url.href.slice(repository.length)), file);
  }
});
