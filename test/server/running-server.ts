/** A server over a temporary directory, on a free port of 127.0.0.1, and clients that send exactly what they are told. */

import { randomUUID } from 'node:crypto';
import {
  access,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileTag } from '../../functions/file-tag.ts';
import { createHttpServer, type HttpServer, type HttpServerSettings } from '../../functions/server/http-server.ts';
import type { ServiceStatus } from '../../functions/server/service-status.ts';
import type { Operations, ReceiveOptions, UploadReceiver } from '../../functions/server/site.ts';

export interface RunningServer {
  readonly server: HttpServer;
  readonly root: string;
  readonly port: number;
  /** What the server logged. */
  readonly log: readonly string[];
  /** Sends these bytes on a connection of their own, and reads until the server closes it. */
  send(text: string | Uint8Array): Promise<RawAnswer>;
  /** A request with `Host` and `Connection: close`; the target is sent as it is. */
  request(method: string, target: string, options?: RequestOptions): Promise<RawAnswer>;
  /** Writes a file below the root, with its directories. */
  put(path: string, content: string | Uint8Array): Promise<string>;
}

/** A test, or whoever else cleans up in the end. */
export interface Cleanup {
  after(clean: () => Promise<void>): void;
}

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly text: string;
}

/** Of a service that has nothing to do. */
export const idleStatus: ServiceStatus = {
  startedAt: '2026-11-24T12:00:00.000Z',
  uptimeSeconds: 1,
  memoryBytes: 1,
  counts: { uploads: 0, indexed: 0, rejected: 0, removed: 0, publications: 0 },
  queue: { pending: 0, publications: 0, deadLetters: [] },
  polled: [],
  publications: [],
  totals: {
    repositories: 0,
    packages: 0,
    packageBytes: 0,
    rejected: 0,
    pending: 0,
    warnings: 0,
    findings: 0,
    deadLetters: 0,
  },
  repositories: [],
};

export const idleOperations: Operations = {
  status: async () => idleStatus,
  overview: async () => [],
  search: async () => ({ found: [], isAll: true }),
  metrics: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', text: '' }),
  retry: async () => 0,
  adopt: async () => false,
};

/** Stopped, and its directory removed, when the test ends. */
export async function startServer(
  test: Cleanup,
  settings: Partial<Omit<HttpServerSettings, 'root' | 'log'>> = {},
): Promise<RunningServer> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'serve-')));
  const log: string[] = [];
  const server = createHttpServer({
    host: '127.0.0.1',
    uploads: new FolderReceiver(root),
    operations: idleOperations,
    localUploads: true,
    ...settings,
    root,
    log: (line) => log.push(line),
  });
  test.after(async () => {
    await server.close();
    await rm(root, { recursive: true, force: true });
  });
  const { port } = await server.listen(0);
  const send = (text: string | Uint8Array): Promise<RawAnswer> => sendRaw(port, text);
  return {
    server,
    root,
    port,
    log,
    send,
    request: (method, target, options = {}) => send(requestBytes(method, target, port, options)),
    put: async (path, content) => {
      const target = join(root, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content);
      return target;
    },
  };
}

export function requestBytes(
  method: string,
  target: string,
  port: number,
  { headers = {}, body = '' }: RequestOptions,
): Buffer {
  const length = body.length === 0 ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const fields = { Host: `127.0.0.1:${port}`, Connection: 'close', ...length, ...headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
  return Buffer.concat([head, Buffer.from(body as string)]);
}

async function sendRaw(port: number, bytes: string | Uint8Array): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  return parseAnswer(await allBytes(socket));
}

/** Everything that comes until the connection is closed. A reset after an answer is no error: the answer is what counts. */
export async function allBytes(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('close', resolve));
  return Buffer.concat(chunks);
}

/** The answer in these bytes; a `100 Continue` before it is left out. */
export function parseAnswer(bytes: Buffer): RawAnswer {
  const answer = bytes.subarray(bytes.indexOf('HTTP/1.1 100 Continue') === 0 ? bytes.indexOf('\r\n\r\n') + 4 : 0);
  const headEnd = answer.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = answer.toString('latin1', 0, headEnd).split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const name = line.slice(0, line.indexOf(':')).toLowerCase();
    const value = line.slice(line.indexOf(':') + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  const body = answer.subarray(headEnd + 4);
  return {
    status: Number(statusLine.split(' ')[1] ?? 0),
    headers,
    body,
    get text() {
      return body.toString();
    },
  };
}

/** How many files below the root this process holds open; 0 on systems that do not tell. */
export async function openFilesBelow(root: string): Promise<number> {
  const descriptors = await readdir('/proc/self/fd').catch(() => []);
  const paths = await Promise.all(descriptors.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
  return paths.filter((path) => path.startsWith(`${root}/`)).length;
}

/** Polls; fails after five seconds. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited five seconds in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Stores uploads as the real thing does: beside the target, in a hidden place, and renamed once they are whole. */
export class FolderReceiver implements UploadReceiver {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async receive(
    key: string,
    body: AsyncIterable<Uint8Array>,
    options: ReceiveOptions,
  ): ReturnType<UploadReceiver['receive']> {
    const target = join(this.#root, key);
    const exists = await access(target).then(
      () => true,
      () => false,
    );
    if (exists && options.ifNoneMatch === '*') return { outcome: 'exists' };
    await mkdir(dirname(target), { recursive: true });
    const temporary = join(dirname(target), `.upload-${randomUUID()}`);
    const file = await open(temporary, 'wx+');
    try {
      for await (const chunk of body) await file.writeFile(chunk);
      await options.check?.({
        size: (await file.stat()).size,
        read: async (offset, length) => (await file.read(Buffer.alloc(length), 0, length, offset)).buffer,
      });
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary);
      throw error;
    } finally {
      await file.close();
    }
    const etag = fileTag(key, await stat(target, { bigint: true }));
    return { outcome: exists ? 'replaced' : 'created', etag };
  }

  async remove(key: string): Promise<boolean> {
    return rm(join(this.#root, key)).then(
      () => true,
      () => false,
    );
  }
}
