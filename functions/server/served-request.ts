/** A request on its way through the server: what handlers see of it, and of the server. */

import type { IncomingMessage } from 'node:http';
import type { ConcurrencyLimit } from './concurrency-limit.ts';
import type { Operations } from './operations.ts';
import type { RequestTarget } from './request-key.ts';
import type { ServerLimits } from './server-limits.ts';
import type { UploadReceiver } from './uploads.ts';

/** Names in lower case; fields of one name are joined by commas, or the first one is kept (Node's rules). */
export type RequestHeaders = Readonly<Record<string, string | undefined>>;

export interface ServedRequest {
  readonly method: string;
  readonly headers: RequestHeaders;
  readonly target: RequestTarget;
  /** The connection's side of it: its body, and its peer. */
  readonly message: IncomingMessage;
  /** Tells a client that asked (`Expect: 100-continue`) to send the body. */
  readonly continueBody: () => void;
}

/** What the server serves, and within which bounds. */
export interface Site {
  /** The directory, without any link in it. */
  readonly root: string;
  readonly uploads: UploadReceiver;
  readonly operations: Operations;
  readonly limits: ServerLimits;
  /** Uploads, and directory pages, under way. */
  readonly uploadPlaces: ConcurrencyLimit;
  readonly pagePlaces: ConcurrencyLimit;
  /** One line, without its end, of what an operator may want to know. */
  readonly log: (line: string) => void;
}
