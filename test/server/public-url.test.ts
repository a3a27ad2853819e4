import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { describe, it } from 'node:test';
import { guessedUrl, listeningUrl } from '../../functions/server/public-url.ts';

const of = (address: string, internal = false) =>
  ({ address, internal, family: address.includes(':') ? 'IPv6' : 'IPv4' }) as NetworkInterfaceInfo;
const lo = [of('127.0.0.1', true), of('::1', true)];

describe('the URL that clients are told', () => {
  const cases: readonly [what: string, address: string, eth0: readonly NetworkInterfaceInfo[], expected: string][] = [
    ['of loopback', '127.0.0.1', [of('192.0.2.7')], 'http://127.0.0.1:8080'],
    ['of loopback in IPv6', '::1', [of('192.0.2.7')], 'http://[::1]:8080'],
    ['of one address', '192.0.2.9', [of('192.0.2.7')], 'http://192.0.2.9:8080'],
    ['of every address', '0.0.0.0', [of('fe80::1'), of('2001:db8::7'), of('192.0.2.7')], 'http://192.0.2.7:8080'],
    ['of every IPv6 address', '::', [of('fe80::1'), of('2001:db8::7')], 'http://[2001:db8::7]:8080'],
    ['of every IPv6 address, with IPv4', '::', [of('2001:db8::7'), of('192.0.2.7')], 'http://192.0.2.7:8080'],
    ['without a network', '0.0.0.0', [], 'http://127.0.0.1:8080'],
    ['without an IPv4 network', '0.0.0.0', [of('2001:db8::7')], 'http://127.0.0.1:8080'],
    ['without a network, in IPv6', '::', [of('fe80::1')], 'http://[::1]:8080'],
  ];
  for (const [what, address, eth0, expected] of cases)
    it(`${what} is ${expected}`, () =>
      assert.equal(guessedUrl({ address, port: 8080 }, { lo, eth0: [...eth0] }), expected));

  it('is never the address that stands for all of them, on this machine either', () => {
    assert.doesNotMatch(guessedUrl({ address: '0.0.0.0', port: 1 }), /0\.0\.0\.0/);
    assert.equal(listeningUrl({ address: '0.0.0.0', port: 1 }), 'http://0.0.0.0:1');
  });
});
