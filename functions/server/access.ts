/** Who may change the repository, and who may see what the server is doing. Everybody who reaches it may read packages. */

import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import { notFound, Refusal } from './answer.ts';
import type { ChangePermission, RequestHeaders, ViewPermission } from './site.ts';

export interface ChangeRequest {
  readonly headers: RequestHeaders;
  /** The address that the server listens on, and the one that the request came from. */
  readonly boundAddress: string | undefined;
  readonly peerAddress: string | undefined;
}

const howToPermit =
  'Start the server with --upload-token TOKEN and send "Authorization: Bearer TOKEN"; or, for its own machine alone and never ' +
  'behind a proxy, with --local-uploads.';
const isOff = `Uploads and deletions are off. ${howToPermit}`;
const isNotLocal =
  "Only the server's own machine may change packages, at http://localhost or http://127.0.0.1 and not through a proxy. " +
  howToPermit;

const wrongToken = 'Expected the upload token: send "Authorization: Bearer TOKEN" (or curl -u :TOKEN).';

/** Basic comes last: a browser or curl that knows only this sends the token as the password, with any name. */
const challenge = {
  'WWW-Authenticate': 'Bearer realm="package uploads", Basic realm="package uploads", charset="UTF-8"',
};

/**
 * Returns for a request that may change packages, and throws for any other.
 *
 * For local uploads three things must hold, each against another attacker: the server listens on loopback only and the peer
 * is there too (the network); the Host header names a loopback host (a web page whose own host name resolves to 127.0.0.1,
 * "DNS rebinding"); no header shows that the request came through a proxy, whose peer is this machine. By default nginx adds
 * no such header, so nothing here can detect it: that is why local uploads are off unless asked for.
 *
 * @throws {Refusal} 401 not permitted; 403 nobody is, or sent by a web page of another site
 */
export function permitChange(
  { headers, boundAddress, peerAddress }: ChangeRequest,
  permission: ChangePermission,
): void {
  if (isFromAnotherSite(headers))
    throw new Refusal(403, 'Requests from web pages of other sites may not change packages.');

  if (permission.who === 'nobody') throw new Refusal(403, isOff);
  if (permission.who === 'token') {
    if (!sendsToken(headers.authorization, permission.token)) throw new Refusal(401, wrongToken, challenge);
    return;
  }
  const isLocal =
    isLoopbackAddress(boundAddress) &&
    isLoopbackAddress(peerAddress) &&
    isLoopbackHost(headers.host) &&
    !cameThroughProxy(headers);
  if (!isLocal) throw new Refusal(401, isNotLocal, challenge);
}

/**
 * Returns for a request that may see a view of the server, and throws for any other.
 * @throws {Refusal} 401 without its token; 404 where the view is off
 */
export function permitView(headers: RequestHeaders, permission: ViewPermission): void {
  if (permission.who === 'nobody') throw notFound();
  if (permission.who === 'token' && !sendsToken(headers.authorization, permission.token))
    throw new Refusal(401, wrongViewToken, viewChallenge);
}

const wrongViewToken = 'Expected the token of this view: send "Authorization: Bearer TOKEN" (or curl -u :TOKEN).';

/** A browser asks for a name, which may be anything, and for the token as the password. */
const viewChallenge = { 'WWW-Authenticate': 'Basic realm="operations", charset="UTF-8"' };

/** Browsers say where a request comes from; other clients send neither header. */
function isFromAnotherSite(headers: RequestHeaders): boolean {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  if (origin === undefined) return false;
  // https where a proxy in front of this server speaks it.
  return host === undefined || (origin !== `http://${host}` && origin !== `https://${host}`);
}

function cameThroughProxy(headers: RequestHeaders): boolean {
  return ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'].some((name) => name in headers);
}

function sendsToken(authorization: string | undefined, token: string): boolean {
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

/** Hashed first: then both have the same length, and the time of the comparison tells nothing about the token. */
function isEqual(sent: Uint8Array, token: string): boolean {
  const digest = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
  return timingSafeEqual(digest(sent), digest(Buffer.from(token)));
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

export function isLoopbackAddress(address: string | undefined): boolean {
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
