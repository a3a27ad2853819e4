import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileReference, installCommands, shellWord } from '../../functions/browser/packages/install-commands.ts';
import { splitName } from '../../functions/browser/packages/listed-package.ts';

const repository = 'https://packages.example/All/';

const commands = (name: string, { file = `${name}.tgz`, isNewest = true } = {}) =>
  installCommands(repository, { name, ...splitName(name), file }, isNewest);

test('an ordinary package gives two lines that can be pasted', () => {
  assert.deepEqual(commands('nginx-1.27.0nb1'), {
    pkgin: 'pkgin install nginx',
    pkgAdd: 'pkg_add https://packages.example/All/nginx-1.27.0nb1.tgz',
  });
});

test('pkgin needs the version of a package that is not the newest', () => {
  assert.equal(commands('nginx-1.26.0', { isNewest: false }).pkgin, 'pkgin install nginx-1.26.0');
});

test('a + stays what it is in a name, and is encoded in a URL', () => {
  assert.deepEqual(commands('gtk2+-2.24'), {
    pkgin: 'pkgin install gtk2+',
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
    assert.equal(commands(name, { file }).pkgin, undefined, file);
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
