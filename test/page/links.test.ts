import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compareByBytes } from '../../functions/keys.ts';
import { type FilePresence, pageLimits, renderLinks, spliceLinks } from '../../functions/page/links.ts';
import { runs } from '../thoroughness.ts';
import { smallPage } from './small-page.ts';

const sorted = (files: Iterable<string>) => [...new Set(files)].sort(compareByBytes);

const listOf = (files: readonly string[]) => Buffer.concat(renderLinks(files)).toString();

/** The files that are listed once these have come and gone. */
function afterwards(files: readonly string[], presence: FilePresence): string[] {
  const coming = [...presence].flatMap(([file, wanted]) => (wanted === 'present' ? [file] : []));
  return sorted([...files.filter((file) => !presence.has(file)), ...coming]);
}

const absent = 'absent' as const;
const present = 'present' as const;

test('a list has one line for each file, however many become bytes at a time', () => {
  for (const count of [0, 1, pageLimits.linesAtOnce, pageLimits.linesAtOnce + 1, 3 * pageLimits.linesAtOnce - 1]) {
    const files = Array.from({ length: count }, (_, index) => `made-${index}.tgz`);
    assert.equal(listOf(files), files.map((file) => `<a href="${file}">${file}</a>\n`).join(''));
  }
});

describe('a list of links that is changed line by line equals one that is written anew', () => {
  const files = ['app-2.0.tgz', 'gtk2+-2.24.tgz', 'libfoo-1.0.tbz', 'libfoo-1.1.tgz', 'zsh-5.9.tgz'];
  const cases: readonly (readonly [what: string, files: readonly string[], presence: FilePresence])[] = [
    ['a file comes in the middle', files, new Map([['gtk3-3.24.tgz', present]])],
    ['before all others', files, new Map([['2bwm-0.3.tgz', present]])],
    ['behind all others', files, new Map([['zz-1.tgz', present]])],
    ['a name that begins another', files, new Map([['libfoo-1.0', present]])],
    ['the first goes', files, new Map([['app-2.0.tgz', absent]])],
    ['the last goes', files, new Map([['zsh-5.9.tgz', absent]])],
    ['neighbours go', files, new Map(files.slice(1, 4).map((file) => [file, absent]))],
    ['all go', files, new Map(files.map((file) => [file, absent]))],
    ['the first of all comes', [], new Map([['app-2.0.tgz', present]])],
    [
      'in any order',
      files,
      new Map([
        ['zz-1.tgz', present],
        ['app-2.0.tgz', absent],
        ['libfoo-1.0.tgz', present],
        ['libfoo-1.0.tbz', absent],
      ]),
    ],
    [
      'by bytes, which UTF-16 is not',
      ['a.tgz', '\u{ff5e}.tgz', '\u{1f4e6}.tgz'],
      new Map([
        ['\u{ff5f}.tgz', present],
        ['\u{1f4e6}.tgz', absent],
        ['\u{1f4e7}.tgz', present],
      ]),
    ],
    [
      'names that take escaping',
      ['%2B.tgz', 'a b.tgz', 'a\nb.tgz', '<a href="x">.tgz'],
      new Map([['a\nb.tgz', absent]]),
    ],
  ];
  for (const [what, before, presence] of cases) {
    test(what, () => {
      const spliced = spliceLinks(Buffer.from(listOf(sorted(before))), presence);
      assert.equal(spliced.outcome, 'spliced');
      assert.equal(Buffer.from(spliced.links).toString(), listOf(afterwards(before, presence)));
    });
  }

  test('whatever comes and goes', () => {
    const file = fc.oneof(
      fc.constantFrom(...files),
      fc.string({ unit: fc.constantFrom('a', 'b', '+', '-', '%', '"', '<', '\n', '\u{e4}', '\u{fffd}', '\u{1f4e6}') }),
    );
    const presence = fc.array(fc.tuple(file, fc.constantFrom(present, absent)));
    let changed = 0;
    fc.assert(
      fc.property(fc.array(file), presence, (listed, entries) => {
        const before = sorted(listed);
        const changes = new Map(entries);
        const expected = afterwards(before, changes);
        const spliced = smallPage.splice(smallPage.render(before), changes);
        const isSame = listOf(expected) === listOf(before);
        assert.equal(spliced.outcome, isSame ? 'unchanged' : 'spliced');
        if (spliced.outcome !== 'spliced') return;
        changed += 1;
        assert.ok(Buffer.from(spliced.page).equals(smallPage.render(expected)));
      }),
      { numRuns: runs(1_000) },
    );
    assert.ok(changed > runs(300), `only ${changed} of the lists changed`);
  });

  test('among 27,699', (context) => {
    const many = sorted(Array.from({ length: 27_699 }, (_, index) => `made-${(index * 7919) % 99_991}.tgz`));
    const page = smallPage.render(many);
    const changes: FilePresence = new Map([
      [many[17_000] ?? '', absent],
      ['made-new.tgz', present],
    ]);
    const began = performance.now();
    const spliced = smallPage.splice(page, changes);
    context.diagnostic(`${(performance.now() - began).toFixed(1)} ms for ${page.length} bytes`);
    assert.equal(spliced.outcome, 'spliced');
    assert.ok(Buffer.from(spliced.page).equals(smallPage.render(afterwards(many, changes))));
  });
});

describe('a list of links that need not, or cannot, be changed', () => {
  const files = ['app-2.0.tgz', 'gtk2+-2.24.tgz'];

  test('stays as it is where every file is as it should be', () => {
    const presence: FilePresence = new Map([
      ['app-2.0.tgz', present],
      ['none-1.tgz', absent],
    ]);
    assert.deepEqual(smallPage.splice(smallPage.render(files), presence), { outcome: 'unchanged' });
    assert.deepEqual(smallPage.splice(smallPage.render([]), new Map([['none-1.tgz', absent]])), {
      outcome: 'unchanged',
    });
    assert.deepEqual(smallPage.splice(smallPage.render(files), new Map()), { outcome: 'unchanged' });
  });

  test('is left to whoever knows all files where it is of another version, or not ours', () => {
    const page = Buffer.from(smallPage.render(files)).toString();
    const strange: Readonly<Record<string, string>> = {
      'of no bytes': '',
      'of another version': page.replace('<title>', '<title>Old '),
      'cut off': page.slice(0, -1),
      'without the end of a line': page.replace('</a>\n</pre>', '</a></pre>'),
      'with another element': page.replace('<a href="gtk', '<b href="gtk'),
      'with a link that is no name': page.replace('%2B', '%2'),
      'with a link that does not end': page.replace('.24.tgz">', '.24.tgz>'),
    };
    for (const [what, text] of Object.entries(strange)) {
      assert.notEqual(text, page, what);
      const changes: FilePresence = new Map([['gtk2-1.tgz', present]]);
      assert.deepEqual(smallPage.splice(Buffer.from(text), changes), { outcome: 'unreadable' }, what);
    }
  });
});
