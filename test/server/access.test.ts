import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { permitChange } from '../../functions/server/access.ts';
import { Refusal } from '../../functions/server/answer.ts';
import type { ChangePermission } from '../../functions/server/site.ts';

const token = 'correct-horse/battery+staple==';
const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

interface Case {
  readonly what: string;
  readonly headers?: Record<string, string>;
  readonly bound?: string;
  readonly peer?: string;
  readonly status: 'permitted' | 401 | 403;
}

function statusOf(
  { headers = {}, bound = '127.0.0.1', peer = '127.0.0.1' }: Case,
  permission: ChangePermission,
): Case['status'] {
  const request = { headers: { host: '127.0.0.1:8080', ...headers }, boundAddress: bound, peerAddress: peer };
  try {
    permitChange(request, permission);
    return 'permitted';
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 401) assert.match(error.headers['WWW-Authenticate'] ?? '', /^Bearer realm=.*, Basic realm=/);
    return error.status as 401 | 403;
  }
}

describe('unless asked for, packages are changed', () => {
  const cases: readonly Case[] = [
    { what: 'not from this machine', status: 403 },
    { what: 'not with a token', headers: { authorization: `Bearer ${token}` }, status: 403 },
    { what: 'not by another site', headers: { origin: 'http://evil.example' }, status: 403 },
  ];
  for (const one of cases) it(one.what, () => assert.equal(statusOf(one, { who: 'nobody' }), one.status));

  it('and the refusal names both ways to permit it', () => {
    const request = { headers: { host: 'localhost' }, boundAddress: '127.0.0.1', peerAddress: '127.0.0.1' };
    assert.throws(
      () => permitChange(request, { who: 'nobody' }),
      /--upload-token TOKEN .*never behind a proxy, with --local-uploads/,
    );
  });
});

describe('with local uploads, packages are changed', () => {
  const cases: readonly Case[] = [
    { what: 'from 127.0.0.1', status: 'permitted' },
    { what: 'by the name localhost', headers: { host: 'LocalHost:8080' }, status: 'permitted' },
    { what: 'by localhost without a port', headers: { host: 'localhost' }, status: 'permitted' },
    { what: 'from ::1', headers: { host: '[::1]:8080' }, bound: '::1', peer: '::1', status: 'permitted' },
    {
      what: 'from 127.1.2.3',
      headers: { host: '127.1.2.3' },
      bound: '127.1.2.3',
      peer: '127.0.0.1',
      status: 'permitted',
    },
    { what: 'from an IPv4 peer in IPv6 form', bound: '::1', peer: '::ffff:127.0.0.1', status: 'permitted' },
    { what: 'by a page of our own', headers: { origin: 'http://127.0.0.1:8080' }, status: 'permitted' },

    { what: 'not where the server listens on every address', bound: '0.0.0.0', status: 401 },
    { what: 'not where it listens on every IPv6 address', bound: '::', status: 401 },
    { what: 'not where it listens on a network', bound: '192.0.2.1', peer: '192.0.2.1', status: 401 },
    { what: 'not by a peer elsewhere', peer: '192.0.2.7', status: 401 },
    { what: 'not by a peer that has left', peer: '', status: 401 },
    { what: 'not under a name that leads here', headers: { host: 'evil.example:8080' }, status: 401 },
    { what: 'not under a name with localhost in it', headers: { host: 'localhost.evil.example' }, status: 401 },
    { what: 'not under 127.0.0.1.evil.example', headers: { host: '127.0.0.1.evil.example' }, status: 401 },
    { what: 'not under 0.0.0.0', headers: { host: '0.0.0.0:8080' }, status: 401 },
    { what: 'not under a number for an address', headers: { host: '2130706433' }, status: 401 },
    { what: 'not under an empty name', headers: { host: '' }, status: 401 },
    { what: 'not with a user before the name', headers: { host: 'evil@localhost' }, status: 401 },
    ...[
      { forwarded: 'for=192.0.2.7' },
      { via: '1.1 proxy' },
      { 'x-forwarded-for': '192.0.2.7' },
      { 'x-forwarded-host': 'packages.example' },
      { 'x-real-ip': '192.0.2.7' },
    ].map((headers) => ({
      what: `not through a proxy that sends ${Object.keys(headers)}`,
      headers,
      status: 401 as const,
    })),
    {
      what: 'not by a token that nobody asked for, from elsewhere',
      headers: { authorization: `Bearer ${token}` },
      peer: '192.0.2.7',
      status: 401,
    },
    { what: 'not by another site', headers: { origin: 'http://evil.example' }, status: 403 },
    { what: 'not by another port of this machine', headers: { origin: 'http://127.0.0.1:9' }, status: 403 },
    { what: 'not by a sandboxed page', headers: { origin: 'null' }, status: 403 },
    { what: 'not where the browser says cross-site', headers: { 'sec-fetch-site': 'cross-site' }, status: 403 },
    { what: 'not where the browser says same-site', headers: { 'sec-fetch-site': 'same-site' }, status: 403 },
  ];
  for (const one of cases) it(one.what, () => assert.equal(statusOf(one, { who: 'local' }), one.status));
});

describe('with a token, packages are changed', () => {
  const elsewhere = { bound: '0.0.0.0', peer: '192.0.2.7' };
  const authorized = (authorization: string, more: Record<string, string> = {}) => ({
    ...elsewhere,
    headers: { authorization, host: 'packages.example', ...more },
  });
  const cases: readonly Case[] = [
    { what: 'by Bearer', ...authorized(`Bearer ${token}`), status: 'permitted' },
    { what: 'by bearer', ...authorized(`bearer  ${token} `), status: 'permitted' },
    { what: 'by Basic without a name', ...authorized(basic('', token)), status: 'permitted' },
    { what: 'by Basic with a name', ...authorized(basic('me', token)), status: 'permitted' },
    { what: 'through a proxy', ...authorized(`Bearer ${token}`, { via: '1.1 proxy' }), status: 'permitted' },
    {
      what: 'by a page of our own, over https',
      ...authorized(`Bearer ${token}`, { origin: 'https://packages.example' }),
      status: 'permitted',
    },

    { what: 'not without it, from this machine either', status: 401 },
    { what: 'not by an empty one', ...authorized('Bearer '), status: 401 },
    { what: 'not by its beginning', ...authorized(`Bearer ${token.slice(0, -1)}`), status: 401 },
    { what: 'not by more than it', ...authorized(`Bearer ${token}x`), status: 401 },
    { what: 'not by it in capitals', ...authorized(`Bearer ${token.toUpperCase()}`), status: 401 },
    { what: 'not by it alone', ...authorized(token), status: 401 },
    { what: 'not by another scheme', ...authorized(`Digest ${token}`), status: 401 },
    { what: 'not by it as the name', ...authorized(basic(token, '')), status: 401 },
    {
      what: 'not by Basic without a colon',
      ...authorized(`Basic ${Buffer.from(token).toString('base64')}`),
      status: 401,
    },
    { what: 'not by Basic that is none', ...authorized('Basic !!!'), status: 401 },
    { what: 'not by another site', ...authorized(`Bearer ${token}`, { origin: 'http://evil.example' }), status: 403 },
  ];
  for (const one of cases) it(one.what, () => assert.equal(statusOf(one, { who: 'token', token }), one.status));
});
