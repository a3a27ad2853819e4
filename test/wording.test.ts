import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { printable } from '../functions/wording.ts';

describe('printable', () => {
  const cases: readonly [text: string, expected: string][] = [
    ['All/gtk2+-2.24.tgz', 'All/gtk2+-2.24.tgz'],
    ['ä-1.0.tgz, 日本', 'ä-1.0.tgz, 日本'],
    ['a\nb', 'a\\x0ab'],
    ['\x1b[2J', '\\x1b[2J'],
    ['\x7f\x85', '\\x7f\\x85'],
    ...['202a', '202b', '202c', '202d', '202e', '2066', '2067', '2068', '2069', '200e', '200f', '061c'].map(
      (code): [string, string] => [`a${String.fromCharCode(Number.parseInt(code, 16))}b`, `a\\u${code}b`],
    ),
  ];
  for (const [text, expected] of cases)
    it(`shows ${JSON.stringify(text)} as ${expected}`, () => assert.equal(printable(text), expected));
});
