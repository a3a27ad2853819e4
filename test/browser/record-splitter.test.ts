import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RecordSplitter } from '../../functions/browser/packages/record-splitter.ts';

/** @param pieces how the summary is cut on its way. */
function split(pieces: readonly string[]): { records: string[]; rest: string[] } {
  const splitter = new RecordSplitter();
  const text = (record: Uint8Array) => Buffer.from(record).toString();
  const records = pieces.flatMap((piece) => splitter.push(Buffer.from(piece))).map(text);
  return { records, rest: splitter.end().map(text) };
}

test('cuts a summary at its empty lines', () => {
  assert.deepEqual(split(['A=1\nB=2\n\nA=2\n\n']), { records: ['A=1\nB=2\n', 'A=2\n'], rest: [] });
});

test('finds no record in the summary of an empty repository', () => {
  for (const pieces of [['\n'], [], [''], ['\n', '']]) assert.deepEqual(split(pieces), { records: [], rest: [] });
});

test('gives back what is behind the last empty line', () => {
  assert.deepEqual(split(['A=1\n\nB=']), { records: ['A=1\n'], rest: ['B='] });
  assert.deepEqual(split(['A=1\n\nB=2\n']), { records: ['A=1\n'], rest: ['B=2\n'] });
});

test('it makes no difference how the summary is cut on its way', () => {
  const record = fc.array(fc.stringMatching(/^[A-B]=[ab=]{0,3}$/), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(record), fc.array(fc.nat({ max: 60 })), (lists, cuts) => {
      const records = lists.map((lines) => lines.map((line) => `${line}\n`).join(''));
      const summary = records.map((each) => `${each}\n`).join('');
      const places = [0, ...cuts.filter((cut) => cut <= summary.length).sort((a, b) => a - b), summary.length];
      const pieces = places.slice(1).map((end, index) => summary.slice(places[index], end));
      assert.deepEqual(split(pieces), { records, rest: [] });
    }),
  );
});
