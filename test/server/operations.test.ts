import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { operationsPage } from '../../functions/adapters/pages.ts';
import { CannotRun } from '../../functions/failures.ts';
import { operationsLimits } from '../../functions/server/operations.ts';
import { serverLimits } from '../../functions/server/server-limits.ts';
import type { RetryRequest } from '../../functions/server/service-status.ts';
import { idleOperations, type RequestOptions, startServer } from './running-server.ts';

describe('the page', () => {
  it('is served at /-/ with a policy that allows exactly its own script and style, and talks to nobody else', async (test) => {
    const { request } = await startServer(test);
    const { status, headers, text } = await request('GET', '/-/');
    assert.deepEqual([status, headers['content-type']], [200, 'text/html; charset=utf-8']);
    const { html, policy } = await operationsPage();
    assert.equal(text, html);
    const [, script = ''] = /<script>(.*?)<\/script>/s.exec(text) ?? [];
    const [, style = ''] = /<style>(.*?)<\/style>/s.exec(text) ?? [];
    const hashOf = (part: string) => `'sha256-${createHash('sha256').update(part).digest('base64')}'`;
    assert.ok(script.length > 5_000 && style.length > 1_000);
    assert.deepEqual(headers['content-security-policy']?.split('; '), [
      "default-src 'none'",
      `script-src ${hashOf(script)}`,
      `style-src ${hashOf(style)}`,
      "connect-src 'self'",
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ]);
    assert.equal(headers['content-security-policy'], policy);
    assert.doesNotMatch(script, /\b(outerHTML|insertAdjacentHTML|document\.write|eval)\b/);
  });

  it('is where /-, without the slash, leads', async (test) => {
    const { request } = await startServer(test);
    const { status, headers } = await request('GET', '/-');
    assert.deepEqual([status, headers.location], [301, '/-/']);
  });
});

it('the status of a directory that is gone for the moment is refused with a sentence, and no fault of the server', async (test) => {
  const status = () => Promise.reject(new CannotRun('/packages: there is no such file or directory'));
  const { request, log } = await startServer(test, { operations: { ...idleOperations, status } });
  const answer = await request('GET', '/-/status');
  assert.equal(answer.status, 503);
  assert.match(answer.text, /^Status is temporarily unavailable: \/packages: there is no such/);
  assert.deepEqual(log, []);
});

describe('POST /-/retry', () => {
  const json = { 'Content-Type': 'application/json' };
  const all = '{"all": true}';
  const key = 'All/x-1.0.tgz';
  const cases: readonly {
    readonly what: string;
    readonly options: RequestOptions;
    readonly token?: string;
    readonly status: number;
    readonly wanted?: RetryRequest;
  }[] = [
    { what: 'a key', options: { headers: json, body: JSON.stringify({ key }) }, status: 202, wanted: { key } },
    { what: 'everything', options: { headers: json, body: all }, status: 202, wanted: { all: true } },
    {
      what: 'with a charset',
      options: { headers: { 'Content-Type': 'application/json; charset=utf-8' }, body: all },
      status: 202,
      wanted: { all: true },
    },
    {
      what: 'the token',
      options: { headers: { ...json, Authorization: 'Bearer secret' }, body: all },
      token: 'secret',
      status: 202,
      wanted: { all: true },
    },
    { what: 'no token where one is wanted', options: { headers: json, body: all }, token: 'secret', status: 401 },
    {
      what: 'a proxy in between, without a token',
      options: { headers: { ...json, 'X-Forwarded-For': '192.0.2.7' }, body: all },
      status: 401,
    },
    {
      what: 'a page of another site',
      options: { headers: { ...json, Origin: 'http://evil.example' }, body: all },
      status: 403,
    },
    {
      what: 'a page of another site, with the token',
      options: { headers: { ...json, Origin: 'null', Authorization: 'Bearer secret' }, body: all },
      token: 'secret',
      status: 403,
    },
    {
      what: 'a browser that says cross-site',
      options: { headers: { ...json, 'Sec-Fetch-Site': 'cross-site' }, body: all },
      status: 403,
    },
    {
      what: 'a host that was made to lead here',
      options: { headers: { ...json, Host: 'evil.example' }, body: all },
      status: 401,
    },
    { what: 'a form', options: { headers: { 'Content-Type': 'text/plain' }, body: all }, status: 415 },
    {
      what: 'what only begins like JSON',
      options: { headers: { 'Content-Type': 'application/jsonx' }, body: all },
      status: 415,
    },
    { what: 'no type', options: { body: all }, status: 415 },
    { what: 'nothing', options: { headers: json }, status: 400 },
    { what: 'no JSON', options: { headers: json, body: '{' }, status: 400 },
    { what: 'other JSON', options: { headers: json, body: 'null' }, status: 400 },
    { what: 'neither', options: { headers: json, body: '{}' }, status: 400 },
    { what: 'both', options: { headers: json, body: JSON.stringify({ key, all: true }) }, status: 400 },
    { what: 'all that is not true', options: { headers: json, body: '{"all": 1}' }, status: 400 },
    ...[
      '../x-1.0.tgz',
      '/x-1.0.tgz',
      'All/.x-1.0.tgz',
      'All/x',
      '',
      'All//x-1.0.tgz',
      'a\0b-1.0.tgz',
      '\ud800-1.0.tgz',
    ].map((bad) => ({
      what: `the key ${JSON.stringify(bad)}`,
      options: { headers: json, body: JSON.stringify({ key: bad }) },
      status: 400,
    })),
  ];
  for (const { what, options, token, status, wanted } of cases)
    it(`answers ${what} with ${status}`, async (test) => {
      const asked: RetryRequest[] = [];
      const retry = async (request: RetryRequest) => asked.push(request);
      const operations = { ...idleOperations, retry };
      const { request } = await startServer(
        test,
        token === undefined ? { operations } : { operations, uploadToken: token },
      );
      const answer = await request('POST', '/-/retry', options);
      assert.equal(answer.status, status, answer.text);
      assert.deepEqual(asked, wanted === undefined ? [] : [wanted]);
      if (status === 202) assert.deepEqual(JSON.parse(answer.text), { retried: 1 });
    });

  it('takes so many bytes, and refuses one more', async (test) => {
    const { request } = await startServer(test);
    const { retryBytesMax } = operationsLimits;
    assert.ok(
      retryBytesMax > 3 * serverLimits.keyBytesMax,
      'the longest key, written as JSON writes control characters',
    );
    for (const [bytes, status] of [
      [retryBytesMax, 202],
      [retryBytesMax + 1, 413],
    ] as const) {
      const answer = await request('POST', '/-/retry', { headers: json, body: all.padEnd(bytes) });
      assert.equal(answer.status, status, answer.text);
    }
  });
});

describe('POST /-/adopt', () => {
  const json = { 'Content-Type': 'application/json' };
  const repository = JSON.stringify({ repository: 'All' });
  for (const { what, options, token, status, wanted } of [
    { what: 'a repository', options: { headers: json, body: repository }, status: 202, wanted: 'All' },
    { what: 'the top directory', options: { headers: json, body: '{"repository": ""}' }, status: 202, wanted: '' },
    { what: 'one of which nothing is held back', options: { headers: json, body: '{"repository": "x"}' }, status: 409 },
    { what: 'no token where one is wanted', options: { headers: json, body: repository }, token: 's', status: 401 },
    {
      what: 'a page of another site',
      options: { headers: { ...json, Origin: 'http://x' }, body: repository },
      status: 403,
    },
    { what: 'no type', options: { body: repository }, status: 415 },
    { what: 'no repository', options: { headers: json, body: '{}' }, status: 400 },
    { what: 'a number', options: { headers: json, body: '{"repository": 1}' }, status: 400 },
    { what: 'more', options: { headers: json, body: '{"repository": "All", "all": true}' }, status: 400 },
  ] as readonly {
    readonly what: string;
    readonly options: RequestOptions;
    readonly token?: string;
    readonly status: number;
    readonly wanted?: string;
  }[])
    it(`answers ${what} with ${status}`, async (test) => {
      const asked: string[] = [];
      const adopt = async (name: string) => {
        if (name !== 'x') asked.push(name);
        return name !== 'x';
      };
      const operations = { ...idleOperations, adopt };
      const { request } = await startServer(test, {
        operations,
        ...(token === undefined ? {} : { uploadToken: token }),
      });
      const answer = await request('POST', '/-/adopt', options);
      assert.equal(answer.status, status, answer.text);
      assert.deepEqual(asked, wanted === undefined ? [] : [wanted]);
      if (status === 202) assert.deepEqual(JSON.parse(answer.text), { adopted: true });
    });
});
