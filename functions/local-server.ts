/** The web server of `serve`, over a directory or a store. */

import type { OpenedPlace } from './adapters/opened-place.ts';
import type { LocalIndexer } from './local.ts';
import type { LocalOperations } from './local-operations.ts';
import type { AnsweredRequest, Log } from './log.ts';
import { createHttpServer, type HttpServer, type ListeningAddress } from './server/http-server.ts';
import { servedDirectory } from './server/served-directory.ts';
import { servedStore } from './server/served-store.ts';
import type { ServedTree } from './server/served-tree.ts';
import type { ViewPermissions } from './server/site.ts';

/** Of the server over a store, where they differ from its others. */
const storeServerLimits = {
  /** Each may hold 24 MiB, three parts of a large package. */
  uploadsMax: 16,
} as const;

export interface ServerOptions {
  readonly host?: string;
  /** Without it, nothing is served. */
  readonly port?: number;
  /** Where clients find the server; by default its address. */
  readonly publicUrl?: string;
  readonly uploadToken?: string;
  /** Permits events from elsewhere to those who send it. */
  readonly eventsToken?: string;
  /** Whether an upload may replace a package: by default it may. */
  readonly overwrite?: boolean;
  /** Permits uploads from this machine; it has no effect with a token. */
  readonly localUploads?: boolean;
  /** Bytes. */
  readonly uploadMax?: number;
  /** Who may see what the server is doing; by default everybody who reaches it. */
  readonly views?: Partial<ViewPermissions>;
}

function servedPlace(stores: OpenedPlace): string | ServedTree {
  if (!('directory' in stores)) return servedStore(stores.objects);
  const { directory, followsLinks, stateDirectory } = stores;
  return followsLinks ? servedDirectory(directory, stateDirectory) : directory;
}

/** @returns undefined where nothing is to be served. @throws {CannotListen} */
export async function listen(
  { indexer, operations }: { readonly indexer: LocalIndexer<OpenedPlace>; readonly operations: LocalOperations },
  options: ServerOptions,
  { log, onAnswered }: { readonly log: Log; readonly onAnswered?: (request: AnsweredRequest) => void },
): Promise<{ readonly server: HttpServer; readonly address: ListeningAddress } | undefined> {
  const { host = '127.0.0.1', port, publicUrl, uploadToken, uploadMax, views } = options;
  const { localUploads = false, overwrite = true } = options;
  const { stores } = indexer;
  if (port === undefined) return undefined;
  const server = createHttpServer({
    root: servedPlace(stores),
    host,
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...(uploadToken === undefined ? {} : { uploadToken }),
    localUploads,
    limits: {
      ...('directory' in stores ? {} : storeServerLimits),
      ...(uploadMax === undefined ? {} : { uploadBytesMax: uploadMax }),
    },
    uploads: indexer,
    overwrite,
    findRejection: (source, file) => indexer.findRejection(source, file),
    operations,
    events: operations.events,
    ...(views === undefined ? {} : { views }),
    log,
    ...(onAnswered === undefined ? {} : { onAnswered }),
  });
  return { server, address: await server.listen(port) };
}
