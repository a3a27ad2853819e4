/** Who may change the repository. Reading it is for everybody who reaches the server. */

import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import { Refusal } from './answer.ts';
import type { RequestHeaders } from './served-request.ts';

export interface ChangeRequest {
  readonly headers: RequestHeaders;
  /** The address that the server listens on, and the one that the request came from. */
  readonly boundAddress: string | undefined;
  readonly peerAddress: string | undefined;
}

const howToBeLetIn =
  "Without an upload token, packages are changed only from the server's own machine, by way of http://localhost or " +
  'http://127.0.0.1. From elsewhere: start the server with --upload-token TOKEN and send "Authorization: Bearer TOKEN".';

const howToShowTheToken = 'Expected the upload token: send "Authorization: Bearer TOKEN" (or curl -u :TOKEN).';

/** Basic comes last: a browser or curl that knows only this sends the token as the password, with any name. */
const challenge = {
  'WWW-Authenticate': ['Bearer realm="package uploads"', 'Basic realm="package uploads", charset="UTF-8"'],
};

/**
 * Lets a request that would change something pass, or throws.
 *
 * Without a token three things must hold, each against somebody else: the server listens on loopback only and the peer is
 * there too (against the network); the Host header names a loopback host (against a web page whose own host name was made
 * to lead to 127.0.0.1, "DNS rebinding"); no proxy has passed it on (its peer would be the proxy, on this machine).
 *
 * @param token undefined where the server has none
 * @throws {Refusal} 401 not allowed to, 403 sent by a web page of another site
 */
export function permitChange({ headers, boundAddress, peerAddress }: ChangeRequest, token: string | undefined): void {
  if (isFromAnotherSite(headers))
    throw new Refusal(403, 'A web page of another site sent this request, and those may change nothing here.');

  if (token !== undefined) {
    if (!showsToken(headers.authorization, token)) throw new Refusal(401, howToShowTheToken, challenge);
    return;
  }
  const isLocal =
    isLoopbackAddress(boundAddress) &&
    isLoopbackAddress(peerAddress) &&
    isLoopbackHost(headers.host) &&
    !isPassedOn(headers);
  if (!isLocal) throw new Refusal(401, howToBeLetIn, challenge);
}

/** Browsers say where a request comes from; other clients send neither header. */
function isFromAnotherSite(headers: RequestHeaders): boolean {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  if (origin === undefined) return false;
  // https where a proxy in front of this server speaks it.
  return host === undefined || (origin !== `http://${host}` && origin !== `https://${host}`);
}

function isPassedOn(headers: RequestHeaders): boolean {
  return ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'].some((name) => name in headers);
}

function showsToken(authorization: string | undefined, token: string): boolean {
  const [, scheme = '', credentials = ''] = /^(\S+) +(\S+) *$/.exec(authorization ?? '') ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return isEqual(Buffer.from(credentials, 'latin1'), token);
    case 'basic': {
      const nameAndPassword = Buffer.from(credentials, 'base64');
      const colon = nameAndPassword.indexOf(':');
      return colon >= 0 && isEqual(nameAndPassword.subarray(colon + 1), token);
    }
    default:
      return false;
  }
}

/** Hashed first: then both have the same length, and the time that comparing takes says nothing about the token. */
function isEqual(shown: Uint8Array, token: string): boolean {
  const digest = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
  return timingSafeEqual(digest(shown), digest(Buffer.from(token)));
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function isLoopbackAddress(address: string | undefined): boolean {
  switch (isIP(address ?? '')) {
    case 4:
      return loopback.check(address ?? '', 'ipv4');
    case 6: // Also the IPv4 addresses in their IPv6 form, ::ffff:127.0.0.1.
      return loopback.check(address ?? '', 'ipv6');
    default:
      return false;
  }
}

/** `localhost`, `127.0.0.1:8080`, `[::1]:8080` */
function isLoopbackHost(host: string | undefined): boolean {
  const [, bracketed, name] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d*)?$/i.exec(host ?? '') ?? [];
  return name?.toLowerCase() === 'localhost' || isLoopbackAddress(bracketed ?? name);
}
