/** What no tool checks: plain words, short files, and commands that are explained. `npm run check` runs this, too. */

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const root = new URL('../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, root), 'utf8');
const sources = globSync('{functions,infra,scripts}/**/*.{ts,tsx,css,html,js}', { cwd: root });
const documents = ['README.md', ...globSync('docs/*.md', { cwd: root }).filter((file) => !file.includes('benchmarks'))];

/** Translated idiom, and the plain words in its place. */
const idioms: Readonly<Record<string, string>> = {
  'anew|for ever': 'again, forever',
  'whoever|some ?body|any ?body|nobody else': 'the user, another program, no other program; or the passive',
  'told of|is told|are told': 'receives, is reported',
  'held against': 'compared with',
  'taken for': 'counts as',
  'look(?:s|ed|ing)? (?:at|again)|a look': 'read, list, check; check again',
  'makes no sense': 'invalid',
};

for (const [idiom, plain] of Object.entries(idioms)) {
  test(`no source and no document says "${idiom}"`, () => {
    const pattern = new RegExp(`\\b(?:${idiom})\\b`, 'i');
    const found = [...sources, ...documents].flatMap((file) =>
      read(file)
        .split('\n')
        .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
    );
    assert.deepEqual(found, [], `write: ${plain}`);
  });
}

test('no file of sources has more than 400 lines', () => {
  const lengths = sources.map((file) => [file, read(file).split('\n').length - 1] as const);
  assert.deepEqual(
    lengths.filter(([, lines]) => lines > 400),
    [],
  );
});

test('docs/contributing.md explains every command of package.json', () => {
  const { scripts }: { scripts: Readonly<Record<string, string>> } = JSON.parse(read('package.json'));
  const table = read('docs/contributing.md');
  const explained = (name: string) => new RegExp(`^\\|.*\`(?:npm (?:run )?)?${name}(?: [^\`]*)?\``, 'm').test(table);
  assert.deepEqual(
    Object.keys(scripts).filter((name) => !explained(name)),
    [],
  );
});
