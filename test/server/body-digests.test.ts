import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { Refusal } from '../../functions/server/answer.ts';
import { BodyDigests } from '../../functions/server/body-digests.ts';

const body = Buffer.from('a package');
const base64 = (algorithm: string, bytes: Uint8Array = body) => createHash(algorithm).update(bytes).digest('base64');
const sha256 = base64('sha256');
const other = base64('sha256', Buffer.from('another'));

function outcome(headers: Record<string, string>): 'matches' | 'differs' | 'malformed' {
  let digests: BodyDigests;
  try {
    digests = new BodyDigests(headers);
  } catch (error) {
    assert.ok(error instanceof Refusal && error.status === 400, String(error));
    return 'malformed';
  }
  digests.update(body.subarray(0, 3));
  digests.update(body.subarray(3));
  try {
    digests.verify();
    return 'matches';
  } catch (error) {
    assert.ok(error instanceof Refusal && error.status === 400, String(error));
    return 'differs';
  }
}

describe('the digests of a body', () => {
  const cases: readonly [headers: Record<string, string>, expected: ReturnType<typeof outcome>][] = [
    [{}, 'matches'],
    [{ 'content-md5': base64('md5') }, 'matches'],
    [{ 'content-md5': base64('md5', Buffer.from('another')) }, 'differs'],
    [{ 'content-md5': '' }, 'malformed'],
    [{ 'content-md5': 'nonsense' }, 'malformed'],
    [{ 'content-md5': sha256 }, 'malformed'],
    [{ 'content-md5': createHash('md5').update(body).digest('hex') }, 'malformed'],

    [{ 'content-digest': `sha-256=:${sha256}:` }, 'matches'],
    [{ 'repr-digest': `sha-256=:${sha256}:` }, 'matches'],
    [{ 'content-digest': `sha-512=:${base64('sha512')}:` }, 'matches'],
    [{ 'content-digest': `md5=:${base64('md5')}:` }, 'matches'],
    [{ 'content-digest': `  sha-256=:${sha256}: , sha-512=:${base64('sha512')}:  ` }, 'matches'],
    [{ 'content-digest': `sha-256=:${sha256}:;weight=1;x` }, 'matches'],
    [{ 'content-digest': `sha-256=:${other}:` }, 'differs'],
    [{ 'repr-digest': `sha-256=:${other}:` }, 'differs'],
    [{ 'content-digest': `sha-256=:${sha256}:, sha-512=:${base64('sha512', Buffer.from('another'))}:` }, 'differs'],
    [{ 'content-digest': `sha-256=:${sha256}:`, 'repr-digest': `sha-256=:${other}:` }, 'differs'],
    [{ 'content-digest': `sha-256=:${sha256}:`, 'content-md5': base64('md5', Buffer.from('another')) }, 'differs'],

    // Unknown algorithms are no reason to refuse: the client may send several.
    [{ 'content-digest': 'unixsum=:AAAA:' }, 'matches'],
    [{ 'content-digest': `sha-1024=:AAAA:, sha-256=:${other}:` }, 'differs'],

    [{ 'content-digest': '' }, 'malformed'],
    [{ 'content-digest': 'sha-256' }, 'malformed'],
    [{ 'content-digest': sha256 }, 'malformed'],
    [{ 'content-digest': `sha-256=${sha256}` }, 'malformed'],
    [{ 'content-digest': `sha-256=:${sha256}` }, 'malformed'],
    [{ 'content-digest': `sha-256=:${sha256}:,` }, 'malformed'],
    [{ 'content-digest': `sha-256=:${sha256}: sha-512=:AAAA:` }, 'malformed'],
    [{ 'content-digest': 'sha-256=:AAAA:' }, 'malformed'],
    [{ 'content-digest': `sha-256=:${base64('sha512')}:` }, 'malformed'],
    [{ 'content-digest': 'sha-256=:!!!!:' }, 'malformed'],
    [{ 'content-digest': `SHA-256=:${sha256}:` }, 'malformed'],
  ];
  for (const [headers, expected] of cases)
    it(`${JSON.stringify(headers)}: ${expected}`, () => assert.equal(outcome(headers), expected));
});
