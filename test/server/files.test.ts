import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseByteRange, type RangeRequest } from '../../functions/server/files.ts';

describe('a byte range of 100 bytes', () => {
  const part = (start: number, length: number): RangeRequest => ({ kind: 'part', start, length });
  const whole: RangeRequest = { kind: 'whole' };
  const unsatisfiable: RangeRequest = { kind: 'unsatisfiable' };
  const cases: readonly [header: string | undefined, expected: RangeRequest][] = [
    [undefined, whole],
    ['bytes=0-0', part(0, 1)],
    ['bytes=0-99', part(0, 100)],
    ['bytes=10-19', part(10, 10)],
    ['bytes=90-', part(90, 10)],
    ['bytes=90-1000', part(90, 10)],
    ['bytes=99-99999999999999999999', part(99, 1)],
    ['bytes=-1', part(99, 1)],
    ['bytes=-100', part(0, 100)],
    ['bytes=-101', part(0, 100)],
    ['Bytes= 10-19 ', part(10, 10)],
    ['bytes=100-', unsatisfiable],
    ['bytes=100-200', unsatisfiable],
    ['bytes=-0', unsatisfiable],
    ['bytes=0-1,5-6', whole],
    ['bytes=19-10', whole],
    ['bytes=-', whole],
    ['bytes=', whole],
    ['bytes=a-b', whole],
    ['bytes=+1-2', whole],
    ['bytes=1.5-2', whole],
    ['items=0-1', whole],
    ['', whole],
  ];
  for (const [header, expected] of cases)
    it(`${header} is ${JSON.stringify(expected)}`, () => assert.deepEqual(parseByteRange(header, 100), expected));
});

describe('a byte range', () => {
  it('of an empty file is never a part', () => {
    for (const header of ['bytes=0-', 'bytes=0-0', 'bytes=-5'])
      assert.equal(parseByteRange(header, 0).kind, 'unsatisfiable');
  });

  it('lies inside of the file', () => {
    const number = fc.option(fc.nat(), { nil: '' });
    fc.assert(
      fc.property(number, number, fc.nat(), (first, last, size) => {
        const range = parseByteRange(`bytes=${first}-${last}`, size);
        if (range.kind !== 'part') return;
        assert.ok(range.start >= 0 && range.length > 0 && range.start + range.length <= size);
      }),
    );
  });
});
