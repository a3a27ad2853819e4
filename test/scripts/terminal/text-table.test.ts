import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { type Column, textTable, wrap } from '../../../scripts/terminal/text-table.ts';

const columns: readonly Column[] = [
  { title: 'NAME', wraps: true },
  { title: 'SIZE', align: 'right' },
  { title: 'WHY', wraps: true },
];

describe('a table', () => {
  test('is as wide as its cells, where there is no terminal', () => {
    assert.deepEqual(textTable(columns, [['a', '1', 'x'.repeat(300)]], undefined), [
      'NAME  SIZE  WHY',
      `a        1  ${'x'.repeat(300)}`,
    ]);
  });

  test('counts what a character takes on a terminal, not its code units', () => {
    const rows = [
      ['größe', '1', ''],
      ['漢字', '10', 'e\u0301'],
      ['👩‍👩‍👧', '100', ''],
    ];
    assert.deepEqual(textTable(columns, rows, 80), [
      'NAME   SIZE  WHY',
      'größe     1',
      '漢字     10  e\u0301',
      '👩‍👩‍👧      100',
    ]);
  });

  test('is not wrapped for a terminal that does not know its width, and says 0', (context) => {
    const { columns: width } = process.stdout;
    context.after(() => Object.assign(process.stdout, { columns: width }));
    Object.assign(process.stdout, { columns: 0 });
    assert.equal(textTable(columns, [['a', '1', 'x'.repeat(300)]])[1], `a        1  ${'x'.repeat(300)}`);
    Object.assign(process.stdout, { columns: 40 });
    assert.notEqual(textTable(columns, [['a', '1', 'x'.repeat(300)]])[1], `a        1  ${'x'.repeat(300)}`);
  });

  test('may have more rows than a call has arguments', () => {
    assert.equal(textTable(columns, Array(130_000).fill(['a', '1', 'x'])).length, 130_001);
  });

  test('wraps the widest of the columns that may be, where the terminal is narrow', () => {
    const rows = [['a-package-with-a-name-1.0', '12', 'expected one thing and found another one']];
    assert.deepEqual(textTable(columns, rows, 40), [
      'NAME              SIZE  WHY',
      'a-package-with-a    12  expected one',
      '-name-1.0               thing and found',
      '                        another one',
    ]);
  });

  test('is no wider than the terminal, and loses nothing', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '-', 'ß', '漢', '👍'), maxLength: 60 });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text)), fc.integer({ min: 40, max: 100 }), (rows, width) => {
        const cells = rows.map(([name, why]) => [name, '1', why]);
        const lines = textTable(columns, cells, width);
        for (const line of lines) assert.ok(stringWidth(line) <= width, `${line}: ${stringWidth(line)} of ${width}`);
        const all = (texts: readonly string[]) => [...texts.join('').replaceAll(/\s/g, '')].sort().join('');
        assert.equal(all(lines), all(['NAMESIZEWHY', ...cells.flat()]));
      }),
    );
  });
});

test('text is wrapped at blanks, and within a word only where it is too long for a line', () => {
  const cases: readonly (readonly [text: string, width: number, lines: readonly string[]])[] = [
    ['', 5, ['']],
    ['one two', 7, ['one two']],
    ['one two', 6, ['one', 'two']],
    ['abcdefgh', 3, ['abc', 'def', 'gh']],
    ['a bcdefgh', 3, ['a b', 'cde', 'fgh']],
    ['漢字漢字', 5, ['漢字', '漢字']],
    ['漢字', 1, ['漢', '字']],
  ];
  for (const [text, width, lines] of cases) assert.deepEqual(wrap(text, width), lines, `${text} in ${width}`);
});
