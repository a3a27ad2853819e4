import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AnsweredRequest, accessLogTo, logTo } from '../functions/log.ts';

const now = () => new Date('2026-11-07T09:05:03.120Z');

function lines(use: (write: (line: string) => void) => void): string[] {
  const written: string[] = [];
  use((line) => written.push(line));
  return written;
}

describe('the log', () => {
  it('has time and level on each line', () => {
    const written = lines((write) => {
      const log = logTo(write, 'text', now);
      log('indexed All/x-1.0.tgz');
      log('the disk is full; will retry', 'error');
    });
    assert.deepEqual(written, [
      '2026-11-07T09:05:03.120Z info  indexed All/x-1.0.tgz',
      '2026-11-07T09:05:03.120Z error the disk is full; will retry',
    ]);
  });

  it('is JSON, without colours, for programs', () => {
    const written = lines((write) => logTo(write, 'json', now)('\u001b[31mrejected\u001b[39m "x"', 'warn'));
    assert.deepEqual(written, ['{"time":"2026-11-07T09:05:03.120Z","level":"warn","message":"rejected \\"x\\""}']);
  });
});

describe('the access log', () => {
  const request: AnsweredRequest = {
    client: '192.0.2.7',
    method: 'GET',
    target: '/All/x-1.0.tgz',
    httpVersion: '1.1',
    status: 206,
    bytes: 1_024,
    milliseconds: 3,
  };
  const line = (more: Partial<AnsweredRequest>) =>
    lines((write) => accessLogTo(write, 'text', undefined, now)({ ...request, ...more }))[0];

  for (const [what, more, expected] of [
    ['a part of a package', {}, '"GET /All/x-1.0.tgz HTTP/1.1" 206 1024'],
    ['an answer without a body', { status: 304, bytes: 0 }, '"GET /All/x-1.0.tgz HTTP/1.1" 304 -'],
    ['quotes and backslashes', { target: '/"\\x' }, '"GET /\\x22\\x5Cx HTTP/1.1" 206 1024'],
    ['bytes beyond ASCII', { target: '/é\u202e' }, '"GET /\\xC3\\xA9\\xE2\\x80\\xAE HTTP/1.1" 206 1024'],
  ] as const)
    it(`shows ${what} in the common log format`, () => {
      assert.equal(line(more), `192.0.2.7 - - [07/Nov/2026:09:05:03 +0000] ${expected}`);
    });

  it('names the directory where there are several', () => {
    const [text = ''] = lines((write) => accessLogTo(write, 'text', '/srv/a', now)(request));
    assert.match(text, /^\/srv\/a: 192\.0\.2\.7 - - /);
    const [json = ''] = lines((write) => accessLogTo(write, 'json', '/srv/a', now)(request));
    assert.equal(JSON.parse(json).directory, '/srv/a');
  });

  it('is JSON for programs', () => {
    const [written = ''] = lines((write) => accessLogTo(write, 'json', undefined, now)(request));
    assert.deepEqual(JSON.parse(written), {
      time: '2026-11-07T09:05:03.120Z',
      level: 'info',
      message: 'request',
      ...request,
    });
  });
});
