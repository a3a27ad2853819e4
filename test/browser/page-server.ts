/** Serves repositories from memory, as S3 or a web server would: whole files, their length, date and ETag. */

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pageContentType, pageFile } from '../../functions/page/page.ts';

const contentTypes: Readonly<Record<string, string>> = {
  html: pageContentType,
  gz: 'application/gzip',
  zst: 'application/zstd',
};

export class PageServer {
  /** By path, decoded: `/sample/All/index.html`. A path that ends in `/` stands for its index.html. */
  readonly files = new Map<string, Uint8Array>();
  /** Every path that was asked for, decoded. */
  readonly requested: string[] = [];
  readonly publishedAt = new Date(Date.now() - 7_200_000);
  readonly #etags = new WeakMap<Uint8Array, string>();
  readonly #server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    this.requested.push(path);
    const file = path.endsWith('/') ? `${path}${pageFile}` : path;
    const body = this.files.get(file);
    if (body === undefined) {
      response.writeHead(404, { 'content-type': 'text/plain', 'content-length': 0 }).end();
      return;
    }
    response.writeHead(200, {
      'content-type': contentTypes[file.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
      'content-length': body.length,
      'last-modified': this.publishedAt.toUTCString(),
      etag: this.#etagOf(body),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  });

  /** Computed once, so that an answer takes no longer than that of a server that knows its files. */
  #etagOf(body: Uint8Array): string {
    const etag = this.#etags.get(body) ?? `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"`;
    this.#etags.set(body, etag);
    return etag;
  }

  /** @returns where it is, without a slash at the end. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
