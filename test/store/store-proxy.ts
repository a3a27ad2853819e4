/** Stands between the indexer and a store: counts requests, and can be away. */

import { createServer, request, type Server } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

export class StoreProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly endpoint: string;
  readonly #counted: () => number;
  readonly #away: { isAway: boolean };

  constructor(server: Server, sockets: Set<Socket>, counted: () => number, away: { isAway: boolean }) {
    this.#server = server;
    this.#sockets = sockets;
    this.#counted = counted;
    this.#away = away;
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Requests so far. */
  count(): number {
    return this.#counted();
  }

  /** Every connection is closed as soon as it is made. */
  set isAway(isAway: boolean) {
    this.#away.isAway = isAway;
    if (isAway) for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** The Host header stays as it is: it is signed. */
export async function startStoreProxy(endpoint: string): Promise<StoreProxy> {
  const target = new URL(endpoint);
  const send = target.protocol === 'https:' ? secureRequest : request;
  const sockets = new Set<Socket>();
  const away = { isAway: false };
  let counted = 0;
  const server = createServer((incoming, outgoing) => {
    counted += 1;
    const { method, url, rawHeaders } = incoming;
    const headers: [string, string][] = [];
    for (let index = 0; index < rawHeaders.length; index += 2)
      if (rawHeaders[index]?.toLowerCase() !== 'expect')
        headers.push([rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '']);
    const forwarded = send({ host: target.hostname, port: target.port, method, path: url, setHost: false });
    for (const [name, value] of headers) forwarded.appendHeader(name, value);
    forwarded.on('response', (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.rawHeaders);
      response.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    outgoing.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  server.on('checkContinue', (incoming, outgoing) => {
    outgoing.writeContinue();
    server.emit('request', incoming, outgoing);
  });
  server.on('connection', (socket) => {
    if (away.isAway) socket.destroy();
    else {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return new StoreProxy(server, sockets, () => counted, away);
}
