import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { preconditionOf, rangeStillHolds } from '../../functions/server/preconditions.ts';

const changed = new Date('2026-01-02T03:04:05Z');
const before = 'Fri, 02 Jan 2026 03:04:04 GMT';
const same = changed.toUTCString();
const after = 'Fri, 02 Jan 2026 03:04:06 GMT';
const facts = { etag: '"a-1"', size: 1, lastModified: changed };

const now = new Date('2026-06-01T00:00:00Z');

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
    // The obsolete forms of a date, which a server must understand (RFC 9110, section 5.6.7).
    [{ 'if-modified-since': 'Friday, 02-Jan-26 03:04:05 GMT' }, 'not-modified'],
    [{ 'if-modified-since': 'Friday, 02-Jan-26 03:04:04 GMT' }, 'holds'],
    [{ 'if-modified-since': 'Fri Jan  2 03:04:05 2026' }, 'not-modified'],
    [{ 'if-modified-since': 'Fri Jan  2 03:04:04 2026' }, 'holds'],
    [{ 'if-unmodified-since': 'Fri Jan  2 03:04:04 2026' }, 'failed'],
    [{ 'if-modified-since': 'Fri Jan 12 03:04:05 2026' }, 'not-modified'],
    // Two digits of a year are one of the last 50 or the next 50.
    [{ 'if-modified-since': 'Friday, 02-Jan-99 03:04:05 GMT' }, 'holds'],
    [{ 'if-modified-since': 'Friday, 02-Jan-70 03:04:05 GMT' }, 'not-modified'],
    [{ 'if-modified-since': 'Friday, 02-Jan-80 03:04:05 GMT' }, 'holds'],
    [{ 'if-modified-since': 'Fri, 02 Jan 2026 03:04:05 UTC' }, 'holds'],
    [{ 'if-modified-since': 'Fri, 2 Jan 2026 03:04:05 GMT' }, 'holds'],
    [{ 'if-modified-since': 'Fri, 32 Jan 2027 03:04:05 GMT' }, 'holds'],
    [{ 'if-modified-since': 'Fri, 02 Jan 2027 24:04:05 GMT' }, 'holds'],
    [{ 'if-modified-since': 'Fri Jan  2 03:04:05 2027 GMT' }, 'holds'],
    [{ 'if-modified-since': '02 Jan 2027 GMT' }, 'holds'],
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
    it(`${JSON.stringify(headers)}: ${expected}`, () => assert.equal(preconditionOf(headers, facts, now), expected));
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
