/** The URL for clients, unless --public-url names another one. */

import type { AddressInfo } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

/** The address that the server listens on: `http://0.0.0.0:8080` for all of them. */
export function listeningUrl({ address, port }: Pick<AddressInfo, 'address' | 'port'>): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/**
 * What a client can most likely use: of a server that listens on every address, the first one of this machine that others can reach.
 * @param interfaces of this machine, by name
 */
export function guessedUrl(
  { address, port }: Pick<AddressInfo, 'address' | 'port'>,
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): string {
  if (address !== '0.0.0.0' && address !== '::') return listeningUrl({ address, port });
  const reachable = Object.values(interfaces)
    .flatMap((addresses = []) => addresses)
    // A link-local address (fe80::) is of no use without the name of an interface.
    .filter(({ internal, address: each }) => !internal && !/^fe80:/i.test(each));
  const first = reachable.find(({ family }) => family === 'IPv4') ?? (address === '::' ? reachable[0] : undefined);
  return listeningUrl({ address: first?.address ?? (address === '::' ? '::1' : '127.0.0.1'), port });
}
