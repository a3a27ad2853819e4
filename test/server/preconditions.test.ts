import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { preconditionOf, rangeStillHolds } from '../../functions/server/preconditions.ts';

const changed = new Date('2026-01-02T03:04:05Z');
const before = 'Fri, 02 Jan 2026 03:04:04 GMT';
const same = changed.toUTCString();
const after = 'Fri, 02 Jan 2026 03:04:06 GMT';
const facts = { etag: '"a-1"', size: 1, lastModified: changed };

describe('the conditions of a request', () => {
  const cases: readonly [headers: Record<string, string>, expected: ReturnType<typeof preconditionOf>][] = [
    [{}, 'holds'],
    [{ 'if-none-match': '"a-1"' }, 'not-modified'],
    [{ 'if-none-match': 'W/"a-1"' }, 'not-modified'],
    [{ 'if-none-match': '"b", "a-1"' }, 'not-modified'],
    [{ 'if-none-match': '"b,a-1"' }, 'holds'],
    [{ 'if-none-match': '*' }, 'not-modified'],
    [{ 'if-none-match': '"b"' }, 'holds'],
    [{ 'if-none-match': 'a-1' }, 'holds'],
    [{ 'if-none-match': '"b"', 'if-modified-since': after }, 'holds'],
    [{ 'if-none-match': '"a-1"', 'if-modified-since': before }, 'not-modified'],
    [{ 'if-modified-since': before }, 'holds'],
    [{ 'if-modified-since': same }, 'not-modified'],
    [{ 'if-modified-since': after }, 'not-modified'],
    [{ 'if-modified-since': 'yesterday' }, 'holds'],
    [{ 'if-modified-since': '2027-01-01' }, 'holds'],
    [{ 'if-match': '"a-1"' }, 'holds'],
    [{ 'if-match': '*' }, 'holds'],
    [{ 'if-match': '"b"' }, 'failed'],
    [{ 'if-match': 'W/"a-1"' }, 'failed'],
    [{ 'if-match': '"a-1"', 'if-unmodified-since': before }, 'holds'],
    [{ 'if-match': '"a-1"', 'if-none-match': '"a-1"' }, 'not-modified'],
    [{ 'if-unmodified-since': before }, 'failed'],
    [{ 'if-unmodified-since': same }, 'holds'],
    [{ 'if-unmodified-since': 'never' }, 'holds'],
  ];
  for (const [headers, expected] of cases)
    it(`${JSON.stringify(headers)}: ${expected}`, () => assert.equal(preconditionOf(headers, facts), expected));
});

describe('If-Range', () => {
  const later = new Date(changed.getTime() + 60_000);
  const cases: readonly [ifRange: string | undefined, now: Date, expected: boolean][] = [
    [undefined, later, true],
    ['"a-1"', changed, true],
    ['"b"', later, false],
    ['W/"a-1"', later, false],
    [same, later, true],
    [same, new Date(changed.getTime() + 999), false],
    [before, later, false],
    [after, later, false],
    ['yesterday', later, false],
  ];
  for (const [ifRange, now, expected] of cases)
    it(`${ifRange} at ${now.toISOString()}: ${expected}`, () =>
      assert.equal(rangeStillHolds(ifRange, facts, now), expected));
});
