/** What the server serves, what it asks of the indexer, and what a handler sees of a request. */

import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import type { Log } from '../log.ts';
import type { PackageSource } from '../package/package-source.ts';
import type { ETag, ObjectKey, Repository } from '../ports.ts';
import type { ConcurrencyLimit } from './concurrency-limit.ts';
import type { RepositoryOverview } from './overview.ts';
import type { RequestTarget } from './request-target.ts';
import type { ServedTree } from './served-tree.ts';
import type { ServerLimits } from './server-limits.ts';
import type { EventCounts, RetryRequest, ServiceStatus } from './service-status.ts';

/** What the server serves, and within which limits. */
export interface Site {
  readonly tree: ServedTree;
  /** For clients, without a slash at its end. */
  readonly url: string;
  readonly changes: ChangePermission;
  readonly views: ViewPermissions;
  readonly uploads: UploadReceiver;
  /** Whether an upload may replace a package. */
  readonly overwrite: boolean;
  readonly findRejection: FindRejection;
  readonly operations: Operations;
  /** Undefined: nobody may send events. */
  readonly events: EventReceiver | undefined;
  readonly limits: ServerLimits;
  readonly uploadsUnderWay: ConcurrencyLimit;
  readonly verdictsUnderWay: ConcurrencyLimit;
  readonly pagesUnderWay: ConcurrencyLimit;
  /** One line for the operator, without its line end. */
  readonly log: Log;
}

/** Who may change packages: clients with this token, programs on the server's own machine, or nobody. */
export type ChangePermission =
  | { readonly who: 'token'; readonly token: string }
  | { readonly who: 'local' }
  | { readonly who: 'nobody' };

/** What shows the state of the server, each with a switch and a token of its own. */
export const viewNames = ['operations', 'metrics', 'health'] as const;

export type ViewName = (typeof viewNames)[number];

/** Who may see a view of the server. */
export type ViewPermission =
  | { readonly who: 'all' }
  | { readonly who: 'token'; readonly token: string }
  | { readonly who: 'nobody' };

export type ViewPermissions = Readonly<Record<ViewName, ViewPermission>>;

export interface ReceiveOptions {
  /** Store the package only where there is none yet. */
  readonly ifNoneMatch?: '*';
  /** Bytes; the body is cut there anyhow. */
  readonly bytesMax: number;
  /** Called with the complete body before it is stored. Where it throws, nothing is stored, and the error is thrown on. */
  readonly check?: (body: PackageSource) => Promise<void>;
}

/**
 * Why the indexer would reject a package; undefined where it would not. Throws where it cannot be read.
 * @param file its name
 */
export type FindRejection = (
  source: PackageSource,
  file: string,
) => Promise<{ readonly code: string; readonly message: string } | undefined>;

/** Where uploads go. It never writes through a link, nor outside of the served directory. */
export interface UploadReceiver {
  /**
   * Stores the whole body under that key, or nothing; fails where the body fails.
   * It may answer `exists` without reading the body.
   */
  receive(
    key: ObjectKey,
    body: AsyncIterable<Uint8Array>,
    options: ReceiveOptions,
  ): Promise<{ readonly outcome: 'created' | 'replaced'; readonly etag: ETag } | { readonly outcome: 'exists' }>;
  /** False where there is no such package. */
  remove(key: ObjectKey): Promise<boolean>;
}

/** Who hears of changes from elsewhere. */
export interface EventReceiver {
  /** What a sender of events must know. */
  readonly token: string;
  /** @param event any JSON. @returns how many of its events were of use, of none, or not understood. */
  receive(event: unknown): Promise<EventCounts>;
}

export interface Operations {
  status(): Promise<ServiceStatus>;
  /** Of all repositories that are not empty, from what is known: it never makes a report. */
  overview(): Promise<readonly RepositoryOverview[]>;
  /** Packages whose files have every word in their names, in all repositories. The best come first. */
  search(text: string): Promise<{ readonly found: readonly FoundPackage[]; readonly isAll: boolean }>;
  /** In Prometheus' text format. It never makes a report either. */
  metrics(): Promise<MetricsText>;
  /** @returns how many packages are read again. */
  retry(wanted: RetryRequest): Promise<number>;
  /** Publishes what is held back. @returns whether anything was. */
  adopt(repository: Repository): Promise<boolean>;
}

export interface FoundPackage {
  readonly repository: Repository;
  /** PKGNAME. */
  readonly name: string;
  readonly comment: string;
}

export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

/** What our connection adds to hono's request. */
export interface Connection {
  /** The request's body is read from here: upload-body.ts. */
  readonly message: IncomingMessage;
  readonly target: RequestTarget;
  /** The address that the server listens on, and the one that the request came from. */
  readonly boundAddress: string | undefined;
  readonly peerAddress: string | undefined;
  /** Asks a client that sent `Expect: 100-continue` for the body. */
  readonly continueBody: () => void;
  /** The body of an answer that has a Content-Length and no body of its own: a web stream costs as much as all the rest. */
  readonly sendPieces: (pieces: AsyncIterable<Uint8Array>) => void;
  /** To run once the answer is sent or given up: gives back an open file, or a place in a limit. */
  readonly afterwards: (release: () => void | Promise<void>) => void;
}

export type ServerEnvironment = { readonly Bindings: Connection };
export type ServedRequest = Context<ServerEnvironment>;

/** Names in lower case; fields of one name are joined by commas, or the first one is kept (Node's rules). */
export type RequestHeaders = Readonly<Record<string, string | undefined>>;
