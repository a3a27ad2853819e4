/**
 * The HTTP server of `serve DIR`: packages and indexes to read, uploads into the same directory.
 *
 *     connection → request → route → handler → answer → connection
 *                  (one at a time per connection)
 *
 * routes.ts has the table. Handlers return an answer or throw a Refusal; this file alone knows about connections.
 */

import { realpath, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { permitChange } from './access.ts';
import { type Answer, ClientGone, plainText, Refusal } from './answer.ts';
import { ConcurrencyLimit } from './concurrency-limit.ts';
import type { Operations } from './operations.ts';
import { parseRequestTarget } from './request-key.ts';
import { routeOf } from './routes.ts';
import { ReaderStalled, sendAnswer } from './send-answer.ts';
import { codeOf } from './served-path.ts';
import type { RequestHeaders, ServedRequest, Site } from './served-request.ts';
import type { ServerLimits } from './server-limits.ts';
import { serverLimits } from './server-limits.ts';
import { refuseUnparsed } from './unparsed-request.ts';
import type { UploadReceiver } from './uploads.ts';

export interface HttpServerSettings {
  /** The directory to serve; it must exist. */
  readonly root: string;
  /** The address, or a name for one, to listen on. Uploads without a token need a loopback address. */
  readonly host: string;
  /** Whoever shows it may change packages, from anywhere; without it, only this machine may. */
  readonly uploadToken?: string;
  readonly uploads: UploadReceiver;
  readonly operations: Operations;
  /** Those that differ from `serverLimits`. */
  readonly limits?: Partial<ServerLimits>;
  readonly log?: (line: string) => void;
}

export interface HttpServer {
  /**
   * @param port 0 takes any that is free
   * @throws {CannotListen}
   */
  listen(port: number): Promise<AddressInfo>;
  /** Accepts nothing more, lets what is under way finish (`closeMilliseconds` at most), then closes every connection. */
  close(): Promise<void>;
}

/** The message is for the person who started the server: what was wrong, and what to do. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen';
}

/**
 * @throws {CannotListen} where the token is none
 */
export function createHttpServer(settings: HttpServerSettings): HttpServer {
  const { uploadToken } = settings;
  if (uploadToken !== undefined && !/^[\x21-\x7e]+$/.test(uploadToken))
    throw new CannotListen('the upload token is empty, or holds blanks or characters beyond ASCII: choose another one');
  return new DirectoryServer(settings);
}

class DirectoryServer implements HttpServer {
  readonly #settings: HttpServerSettings;
  readonly #limits: ServerLimits;
  readonly #log: (line: string) => void;
  readonly #server: Server;
  readonly #underWay = new Set<Promise<void>>();
  /** The request that each connection answers last so far: the next one waits for it. */
  readonly #lastTurns = new WeakMap<Duplex, Promise<void>>();
  #site: Site | undefined;
  /** Kept: a server that is closing, and answers what is under way, has none any more. */
  #boundAddress: string | undefined;
  #isClosing = false;

  constructor(settings: HttpServerSettings) {
    this.#settings = settings;
    this.#limits = { ...serverLimits, ...settings.limits };
    this.#log = settings.log ?? (() => {});
    this.#server = this.#createServer();
  }

  async listen(port: number): Promise<AddressInfo> {
    const { host, uploads, operations } = this.#settings;
    const limits = this.#limits;
    this.#site = {
      root: await existingRoot(this.#settings.root),
      uploads,
      operations,
      limits,
      uploadPlaces: new ConcurrencyLimit('uploads', limits.uploadsMax),
      pagePlaces: new ConcurrencyLimit('directory pages', limits.pagesMax),
      log: this.#log,
    };
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
    this.#server.on('error', (error) => this.#log(`the server's socket failed: ${error.message}`));
    const address = this.#server.address() as AddressInfo;
    this.#boundAddress = address.address;
    return address;
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
      // Checked in #answerTo: its own answer would lack the headers that all of ours have.
      requireHostHeader: false,
    });
    server.maxConnections = limits.connectionsMax;
    server.maxRequestsPerSocket = limits.connectionRequestsMax;
    // Node drops the fields beyond its limit in silence; #answerTo refuses such a request instead.
    server.maxHeadersCount = limits.headerFieldsMax + 1;
    server.on('request', (message, response) => this.#enqueue(message, response, false));
    server.on('checkContinue', (message, response) => this.#enqueue(message, response, true));
    server.on('checkExpectation', (message, response) => this.#enqueue(message, response, false));
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#refuseUnparsed(error.code, socket));
    server.on('connect', (_, socket) => this.#refuseUnparsed('CONNECT', socket));
    return server;
  }

  /** One request of a connection after the other: a client that sends a thousand at once gets one file opened at a time. */
  #enqueue(message: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const { socket } = message;
    // Whoever writes hears of it too; without a listener it would end the process.
    response.on('error', () => {});
    const turn = (this.#lastTurns.get(socket) ?? Promise.resolve()).then(() =>
      this.#serve(message, response, expectsContinue),
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

  /** Never rejects: this is the boundary where what went wrong is answered, or logged, once. */
  async #serve(message: IncomingMessage, response: ServerResponse, expectsContinue: boolean): Promise<void> {
    // The client left before its turn came.
    if (message.socket.destroyed) return;
    let awaitsContinue = expectsContinue;
    const continueBody = (): void => {
      if (awaitsContinue) response.writeContinue();
      awaitsContinue = false;
    };
    try {
      const answer = await this.#answerTo(message, continueBody);
      const isClosing = this.#isClosing;
      await sendAnswer(answer, { message, response, awaitsContinue, isClosing }, this.#limits);
    } catch (error) {
      response.destroy();
      if (!(error instanceof ClientGone)) this.#log(failureLine(message, error));
    }
  }

  /** @throws {ClientGone} */
  async #answerTo(message: IncomingMessage, continueBody: () => void): Promise<Answer> {
    try {
      const site = this.#site;
      if (site === undefined) throw new Error('a request came before the server listened');
      this.#refuseUnusable(message);
      const { method = '', url = '' } = message;
      // Set-Cookie alone would be a list, and it is a header of answers.
      const headers = message.headers as RequestHeaders;
      const target = parseRequestTarget(url, this.#limits);
      const request: ServedRequest = { method, headers, target, message, continueBody };
      const route = routeOf(request);
      if (route.access === 'change') this.#permitChange(request);
      return await route.handle(request, site);
    } catch (error) {
      if (error instanceof ClientGone) throw error;
      if (error instanceof Refusal) return plainText(error.status, error.message, error.headers);
      this.#log(failureLine(message, error));
      return plainText(500, 'The server failed to answer this request; its log says why.');
    }
  }

  #refuseUnusable({ rawHeaders, headersDistinct, headers, httpVersion }: IncomingMessage): void {
    if (rawHeaders.length / 2 > this.#limits.headerFieldsMax)
      throw new Refusal(431, `A request may have ${this.#limits.headerFieldsMax} header fields.`);
    const hosts = headersDistinct.host?.length ?? 0;
    if (hosts > 1 || (hosts === 0 && httpVersion !== '1.0'))
      throw new Refusal(400, `Expected one Host header, found ${hosts}.`);
    if ((headers.expect ?? '100-continue').toLowerCase() !== '100-continue')
      throw new Refusal(417, 'Of the expectations, only "100-continue" is understood.');
  }

  #permitChange({ headers, message }: ServedRequest): void {
    const peerAddress = message.socket.remoteAddress;
    permitChange({ headers, boundAddress: this.#boundAddress, peerAddress }, this.#settings.uploadToken);
  }
}

async function existingRoot(root: string): Promise<string> {
  try {
    const realRoot = await realpath(root);
    if ((await stat(realRoot)).isDirectory()) return realRoot;
  } catch (cause) {
    throw new CannotListen(`cannot serve ${root} (${codeOf(cause)}): create the directory or name another one`, {
      cause,
    });
  }
  throw new CannotListen(`cannot serve ${root}, it is no directory: name one`);
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
      return `${host} is no address of this machine: choose another --host`;
    default:
      return `cannot listen on ${host}, port ${port} (${code}): choose another --host or --port`;
  }
}

/** One line, with the stack where the error is one that nobody expected. */
function failureLine({ method, url }: IncomingMessage, error: unknown): string {
  if (!(error instanceof Error)) return `${method} ${url}: ${error}`;
  const text = error instanceof ReaderStalled ? error.message : (error.stack ?? error.message);
  return `${method} ${url}: ${text.replaceAll(/\s*\n\s*/g, ' | ')}`;
}
