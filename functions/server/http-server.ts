/**
 * The HTTP server of `serve DIR`: packages and indexes to read, uploads into the same directory.
 *
 *     connection → request → app.ts: route → handler → response → connection
 *                  (one at a time per connection)
 *
 * Handlers return a Response or throw a Refusal; only this file and send-response.ts deal with connections.
 */

import { realpath, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AnsweredRequest, Log } from '../log.ts';
import { printable } from '../wording.ts';
import { isLoopbackAddress } from './access.ts';
import { ClientGone, plainText, Refusal } from './answer.ts';
import { createApp } from './app.ts';
import { ConcurrencyLimit } from './concurrency-limit.ts';
import { codeOf } from './open-served.ts';
import { guessedUrl } from './public-url.ts';
import { encodedPath, parseRequestTarget, type RequestTarget } from './request-target.ts';
import { ReaderStalled, sendResponse } from './send-response.ts';
import { servedDirectory } from './served-directory.ts';
import type { ServedTree } from './served-tree.ts';
import { type ServerLimits, serverLimits } from './server-limits.ts';
import type {
  ChangePermission,
  Connection,
  EventReceiver,
  FindRejection,
  Operations,
  Site,
  UploadReceiver,
  ViewPermissions,
} from './site.ts';
import { refuseUnparsed } from './unparsed-request.ts';

export interface HttpServerSettings {
  /** What to serve: a directory, which must exist, or anything else. */
  readonly root: string | ServedTree;
  /** The address, or a name for one, to listen on. Local uploads need a loopback address. */
  readonly host: string;
  /** Where clients find the server, without a slash at its end: `https://packages.example`. By default its address. */
  readonly publicUrl?: string;
  /** A client that sends it may change packages, from anywhere. */
  readonly uploadToken?: string;
  /** Without a token, programs on this machine may change packages: never behind a proxy, see access.ts. */
  readonly localUploads?: boolean;
  readonly uploads: UploadReceiver;
  /** Whether an upload may replace a package: by default it may. */
  readonly overwrite?: boolean;
  /** Uploads that it finds a reason against are refused; without it, none are. */
  readonly findRejection?: FindRejection;
  readonly operations: Operations;
  /** Without it, nobody may send events. */
  readonly events?: EventReceiver | undefined;
  /** Who may see what the server is doing: by default everybody who reaches it. */
  readonly views?: Partial<ViewPermissions>;
  /** Limits that differ from `serverLimits`. */
  readonly limits?: Partial<ServerLimits>;
  readonly log?: Log;
  /** Called once for each request, when it is answered or its client has left. */
  readonly onAnswered?: (request: AnsweredRequest) => void;
}

export interface ListeningAddress extends AddressInfo {
  /** For clients, without a slash at its end. */
  readonly url: string;
  readonly isLoopback: boolean;
}

export interface HttpServer {
  /**
   * @param port 0 takes any that is free
   * @throws {CannotListen}
   */
  listen(port: number): Promise<ListeningAddress>;
  /** Accepts nothing more, waits for the requests under way (`closeMilliseconds` at most), then closes every connection. */
  close(): Promise<void>;
}

/** The message is for the person who started the server: what is wrong, and what to do. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen';
}

/**
 * @throws {CannotListen} for a token that no client could send
 */
export function createHttpServer(settings: HttpServerSettings): HttpServer {
  checkToken('upload', settings.uploadToken);
  checkToken('events', settings.events?.token);
  for (const [name, permission] of Object.entries(settings.views ?? {}))
    if (permission.who === 'token') checkToken(name, permission.token);
  return new DirectoryServer(settings);
}

function checkToken(what: string, token: string | undefined): void {
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw new CannotListen(`the ${what} token must be ASCII without spaces, and not empty: choose another one`);
}

class DirectoryServer implements HttpServer {
  readonly #settings: HttpServerSettings;
  readonly #limits: ServerLimits;
  readonly #log: Log;
  readonly #server: Server;
  readonly #underWay = new Set<Promise<void>>();
  /** The last request of each connection so far: the next one waits for it. */
  readonly #lastTurns = new WeakMap<Duplex, Promise<void>>();
  #app: ReturnType<typeof createApp> | undefined;
  /** Kept here: a server that is closing has no address any more, and still answers what is under way. */
  #boundAddress: string | undefined;
  #isClosing = false;

  constructor(settings: HttpServerSettings) {
    this.#settings = settings;
    this.#limits = { ...serverLimits, ...settings.limits };
    const { log = () => {} } = settings;
    this.#log = (line, level) => log(printable(line), level);
    this.#server = this.#createServer();
  }

  async listen(port: number): Promise<ListeningAddress> {
    const { root, host, publicUrl } = this.#settings;
    const tree = typeof root === 'string' ? servedDirectory(await existingRoot(root)) : root;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen({ port, host }, resolve);
    try {
      await promise;
    } catch (cause) {
      throw new CannotListen(whyNotListening(codeOf(cause), host, port), { cause });
    } finally {
      this.#server.off('error', reject);
    }
    this.#server.on('error', (error) => this.#log(`the server's socket failed: ${error.message}`, 'error'));
    const address = this.#server.address() as AddressInfo;
    const url = publicUrl ?? guessedUrl(address);
    this.#boundAddress = address.address;
    this.#app = createApp(this.#site(tree, url));
    return { ...address, url, isLoopback: isLoopbackAddress(address.address) };
  }

  #site(tree: ServedTree, url: string): Site {
    const { uploads, overwrite = true, findRejection = async () => undefined, operations, views } = this.#settings;
    const limits = this.#limits;
    return {
      tree,
      url,
      changes: changePermission(this.#settings),
      views: { operations: everybody, metrics: everybody, health: everybody, ...views },
      uploads,
      overwrite,
      findRejection,
      operations,
      events: this.#settings.events,
      limits,
      uploadsUnderWay: new ConcurrencyLimit('uploads', limits.uploadsMax),
      verdictsUnderWay: new ConcurrencyLimit('verdicts', limits.verdictsMax),
      pagesUnderWay: new ConcurrencyLimit('directory pages', limits.pagesMax),
      log: this.#log,
    };
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    const graceIsOver = AbortSignal.timeout(this.#limits.closeMilliseconds);
    const over = new Promise((resolve) => graceIsOver.addEventListener('abort', resolve));
    while (this.#underWay.size > 0 && !graceIsOver.aborted)
      await Promise.race([over, Promise.allSettled(this.#underWay)]);
    this.#server.closeAllConnections();
    await closed;
    await Promise.allSettled(this.#underWay);
  }

  #createServer(): Server {
    const limits = this.#limits;
    const server = createServer({
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersMilliseconds,
      // An upload may take as long as it makes progress: upload-body.ts.
      requestTimeout: 0,
      keepAliveTimeout: limits.idleMilliseconds,
      connectionsCheckingInterval: Math.min(1_000, limits.headersMilliseconds),
      // refuseUnusable checks it: Node's own answer would lack the headers that all of ours have.
      requireHostHeader: false,
    });
    server.maxConnections = limits.connectionsMax;
    server.maxRequestsPerSocket = limits.connectionRequestsMax;
    // Node silently drops the fields beyond its limit; refuseUnusable refuses such a request instead.
    server.maxHeadersCount = limits.headerFieldsMax + 1;
    server.on('request', (message, response) => this.#enqueue(message, response, false));
    server.on('checkContinue', (message, response) => this.#enqueue(message, response, true));
    server.on('checkExpectation', (message, response) => this.#enqueue(message, response, false));
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#refuseUnparsed(error.code, socket));
    server.on('connect', (_, socket) => this.#refuseUnparsed('CONNECT', socket));
    return server;
  }

  /** The requests of a connection take turns: a client that sends a thousand at once has one file open at a time. */
  #enqueue(message: IncomingMessage, outgoing: ServerResponse, expectsContinue: boolean): void {
    const { socket } = message;
    // Writing reports the error too; without a listener it would end the process.
    outgoing.on('error', () => {});
    const turn = (this.#lastTurns.get(socket) ?? Promise.resolve()).then(() =>
      this.#serve(message, outgoing, expectsContinue),
    );
    this.#lastTurns.set(socket, turn);
    this.#underWay.add(turn);
    turn.finally(() => {
      this.#underWay.delete(turn);
      if (this.#lastTurns.get(socket) === turn) this.#lastTurns.delete(socket);
    });
  }

  /** In the middle of an answer, a second one would only garble it. */
  #refuseUnparsed(code: string | undefined, socket: Duplex): void {
    if (this.#lastTurns.has(socket) || !socket.writable) socket.destroy();
    else refuseUnparsed(code, socket);
  }

  /** Never rejects: each failure is answered, or logged, once, and here. */
  async #serve(message: IncomingMessage, outgoing: ServerResponse, expectsContinue: boolean): Promise<void> {
    // The client left before its turn came.
    if (message.socket.destroyed) return;
    let awaitsContinue = expectsContinue;
    const continueBody = (): void => {
      if (awaitsContinue) outgoing.writeContinue();
      awaitsContinue = false;
    };
    let pieces: AsyncIterable<Uint8Array> | undefined;
    const releases: (() => void | Promise<void>)[] = [];
    const startedAt = performance.now();
    const { remoteAddress: client = '-' } = message.socket;
    let bytes = 0;
    try {
      const response = await this.#answer(message, {
        message,
        boundAddress: this.#boundAddress,
        peerAddress: message.socket.remoteAddress,
        continueBody,
        sendPieces: (body) => {
          pieces = body;
        },
        afterwards: (release) => releases.push(release),
      });
      const onSent = (more: number) => {
        bytes += more;
      };
      const delivery = { message, outgoing, awaitsContinue, isClosing: this.#isClosing, onSent };
      await sendResponse(response, pieces, delivery, this.#limits);
    } catch (error) {
      outgoing.destroy();
      if (!(error instanceof ClientGone)) this.#log(failureLine(message, error), 'error');
    } finally {
      this.#settings.onAnswered?.({
        client,
        method: message.method ?? '',
        target: message.url ?? '',
        httpVersion: message.httpVersion,
        // 499 is what nginx writes where the client left before the answer began.
        status: outgoing.headersSent ? outgoing.statusCode : 499,
        bytes,
        milliseconds: Math.round(performance.now() - startedAt),
      });
      for (const release of releases) await release();
    }
  }

  /** @throws {ClientGone} */
  async #answer(message: IncomingMessage, connection: Omit<Connection, 'target'>): Promise<Response> {
    try {
      if (this.#app === undefined) throw new Error('a request came before the server listened');
      refuseUnusable(message, this.#limits);
      const target = parseRequestTarget(message.url ?? '', this.#limits);
      return await this.#app.fetch(requestOf(message, target), { ...connection, target });
    } catch (error) {
      if (error instanceof ClientGone) throw error;
      if (error instanceof Refusal) return error.getResponse();
      this.#log(failureLine(message, error), 'error');
      return plainText(500, "Internal server error: the server's log has the details.");
    }
  }
}

/** @throws {Refusal} */
function refuseUnusable(message: IncomingMessage, { headerFieldsMax }: ServerLimits): void {
  const { rawHeaders, headersDistinct, headers, httpVersion } = message;
  if (rawHeaders.length / 2 > headerFieldsMax)
    throw new Refusal(431, `Too many header fields: the limit is ${headerFieldsMax}.`);
  const hosts = headersDistinct.host?.length ?? 0;
  if (hosts > 1 || (hosts === 0 && httpVersion !== '1.0'))
    throw new Refusal(400, `Expected one Host header, found ${hosts}.`);
  if ((headers.expect ?? '100-continue').toLowerCase() !== '100-continue')
    throw new Refusal(417, 'Unsupported Expect header: only "100-continue" is supported.');
}

/**
 * What hono reads of a request, and no more: a Request of the platform resolves `..` in paths, knows no TRACE, and wants to
 * own the body. The answer to HEAD is the answer to GET, of which send-response.ts leaves the body out.
 */
function requestOf({ method = '', headers: received }: IncomingMessage, target: RequestTarget): Request {
  const headers = target.authority === undefined ? received : { ...received, host: target.authority };
  const query = target.query === undefined ? '' : `?${target.query}`;
  return {
    method: method === 'HEAD' ? 'GET' : method,
    url: `http://localhost${encodedPath(target.parts, target.trailingSlash)}${query}`,
    headers: new Headers(Object.entries(headers).map(([name, value]) => [name, String(value)])),
  } as Request;
}

const everybody = { who: 'all' } as const;

function changePermission({ uploadToken, localUploads = false }: HttpServerSettings): ChangePermission {
  if (uploadToken !== undefined) return { who: 'token', token: uploadToken };
  return { who: localUploads ? 'local' : 'nobody' };
}

async function existingRoot(root: string): Promise<string> {
  try {
    const realRoot = await realpath(root);
    if ((await stat(realRoot)).isDirectory()) return realRoot;
  } catch (cause) {
    throw new CannotListen(`cannot serve ${root} (${codeOf(cause)}): create it, or name another directory`, { cause });
  }
  throw new CannotListen(`cannot serve ${root}: not a directory; name one`);
}

function whyNotListening(code: string, host: string, port: number): string {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is in use: stop the other program or choose --port`;
    case 'EACCES':
      return `this user may not listen on port ${port}: choose --port 1024 or above`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${host} is not an address of this machine: choose another --host`;
    default:
      return `cannot listen on ${host}, port ${port} (${code}): choose another --host or --port`;
  }
}

/** One line, with the stack of an unexpected error. */
function failureLine({ method, url }: IncomingMessage, error: unknown): string {
  if (!(error instanceof Error)) return `${method} ${url}: ${error}`;
  const text = error instanceof ReaderStalled ? error.message : (error.stack ?? error.message);
  return `${method} ${url}: ${text.replaceAll(/\s*\n\s*/g, ' | ')}`;
}
