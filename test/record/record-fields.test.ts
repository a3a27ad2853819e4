import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { allValues, lastValue, readFields } from '../../functions/record/record-fields.ts';

test('a record says what its lines say, in their order', () => {
  const fields = readFields('PKGNAME=x-1\nDEPENDS=a>=1\nCOMMENT=a = b\nDEPENDS=b\nDESCRIPTION=\nDESCRIPTION=text\n\n');
  assert.deepEqual(allValues(fields, 'DEPENDS'), ['a>=1', 'b']);
  assert.deepEqual(allValues(fields, 'DESCRIPTION'), ['', 'text']);
  assert.deepEqual(allValues(fields, 'CONFLICTS'), []);
  assert.equal(lastValue(fields, 'COMMENT'), 'a = b');
  assert.equal(lastValue(fields, 'HOMEPAGE'), '');
});

test('of a variable that should come once, the last value that is not empty counts', () => {
  assert.equal(lastValue(readFields('A=1\nA=2\nA=\n'), 'A'), '2');
});

test('lines without = say nothing, and a last line needs no line feed', () => {
  assert.deepEqual(
    [...readFields('A=1\nnothing\n=empty\nB=2')],
    [
      ['A', ['1']],
      ['', ['empty']],
      ['B', ['2']],
    ],
  );
});

test('gives back every variable and value that was written', () => {
  const line = fc.tuple(fc.stringMatching(/^[A-Z_]{1,3}$/), fc.stringMatching(/^[^\n]{0,5}$/));
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const fields = readFields(lines.map(([variable, value]) => `${variable}=${value}\n`).join(''));
      for (const [variable] of lines) {
        const expected = lines.filter(([other]) => other === variable).map(([, value]) => value);
        assert.deepEqual(allValues(fields, variable), expected);
      }
      assert.equal(fields.size, new Set(lines.map(([variable]) => variable)).size);
    }),
  );
});
