/** PUT and DELETE of a package. Nothing of an upload is seen before its last byte has come, and nothing of a broken one stays. */

import type { ObjectKey } from '../ports.ts';
import { type Answer, ClientGone, emptyAnswer, notFound, plainText, Refusal } from './answer.ts';
import { encodedPath, packageKeyOf } from './request-key.ts';
import { codeOf } from './served-path.ts';
import type { RequestHeaders, ServedRequest, Site } from './served-request.ts';
import type { ServerLimits } from './server-limits.ts';
import { emptyUpload, tooLarge, UploadBody } from './upload-body.ts';

export interface ReceiveOptions {
  /** Only where there is no such package yet. */
  readonly ifNoneMatch?: '*';
  /** Bytes; the body is cut there anyhow. */
  readonly bytesMax: number;
}

/** Where uploads go. It never writes through a link, nor outside of the served directory. */
export interface UploadReceiver {
  /**
   * Stores the body under that key, whole or not at all; fails where the body does.
   * It may answer `exists` without having read the body.
   */
  receive(
    key: ObjectKey,
    body: AsyncIterable<Uint8Array>,
    options: ReceiveOptions,
  ): Promise<{ readonly outcome: 'created' | 'replaced' | 'exists' }>;
  /** False where there is no such package. */
  remove(key: ObjectKey): Promise<boolean>;
}

/** `PUT /All/x-1.0.tgz` */
export async function receivePackage(request: ServedRequest, site: Site): Promise<Answer> {
  const { headers, target, message } = request;
  const key = packageKeyOf(target, site.limits);
  refuseOtherConditions(headers, ['if-none-match']);
  refuseEncodings(headers);
  refuseByDeclaredLength(headers, site.limits);
  const ifNoneMatch = createOnly(headers);

  const leave = site.uploadPlaces.take();
  const body = new UploadBody(message, request.continueBody, site.limits);
  const options = { bytesMax: site.limits.uploadBytesMax, ...(ifNoneMatch && { ifNoneMatch }) };
  try {
    const { outcome } = await site.uploads.receive(key, body, options);
    switch (outcome) {
      case 'created':
        return plainText(201, `Stored ${key}.`, { Location: encodedPath(target.parts, false) });
      case 'replaced':
        return emptyAnswer(204);
      case 'exists':
        return plainText(412, `Kept ${key}, which exists: "If-None-Match: *" says not to replace it.`);
    }
  } catch (error) {
    const failure = body.failure ?? error;
    if (isBrokenOff(failure)) site.log(brokenOffLine(key, body, headers, failure));
    throw storingFailed(failure, site);
  } finally {
    leave();
  }
}

/** `DELETE /All/x-1.0.tgz` */
export async function removePackage({ target, headers }: ServedRequest, site: Site): Promise<Answer> {
  const key = packageKeyOf(target, site.limits);
  refuseOtherConditions(headers, []);
  let wasThere: boolean;
  try {
    wasThere = await site.uploads.remove(key);
  } catch (error) {
    throw storingFailed(error, site);
  }
  if (!wasThere) throw notFound();
  return emptyAnswer(204);
}

function createOnly(headers: RequestHeaders): '*' | undefined {
  const condition = headers['if-none-match']?.trim();
  if (condition === undefined || condition === '*') return condition;
  throw new Refusal(501, 'Of the conditions, an upload understands "If-None-Match: *" only.');
}

/** A condition that is not understood must not be passed over: its author would take the change for a safe one. */
function refuseOtherConditions(headers: RequestHeaders, understood: readonly string[]): void {
  const conditions = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range'];
  const found = conditions.find((name) => name in headers && !understood.includes(name));
  if (found !== undefined) throw new Refusal(501, `The condition ${found} is not understood here: leave it out.`);
}

/** The body is stored as it comes; anything that says it has to be put together or unpacked first is refused. */
function refuseEncodings(headers: RequestHeaders): void {
  if ('content-range' in headers)
    throw new Refusal(400, 'An upload is a whole package: send it without Content-Range.');
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new Refusal(415, 'An upload is stored as it comes: send the package without Content-Encoding.');
  if ((headers['transfer-encoding'] ?? 'chunked').toLowerCase() !== 'chunked')
    throw new Refusal(501, 'Of the transfer encodings, only "chunked" is understood.');
}

function refuseByDeclaredLength(headers: RequestHeaders, limits: ServerLimits): void {
  if ('transfer-encoding' in headers) return;
  const bytes = Number(headers['content-length'] ?? 0);
  if (bytes === 0) throw emptyUpload();
  if (bytes > limits.uploadBytesMax) throw tooLarge(limits);
}

/** What the client is told about an error of the place where packages are stored. */
function storingFailed(error: unknown, site: Site): unknown {
  if (error instanceof Refusal || error instanceof ClientGone) return error;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  // The two errors of functions/adapters/local/directory-objects.ts, told by name: another store may have its own classes.
  if (name === 'ObjectTooLarge') return tooLarge(site.limits);
  const inTheWay = new Refusal(409, 'No package can be stored there: a directory, a file or a link is in the way.');
  if (name === 'UnusableKey') return inTheWay;

  switch (codeOf(error)) {
    case 'ENOTDIR':
    case 'EISDIR':
    case 'EEXIST':
    case 'ENOTEMPTY':
    case 'ELOOP':
      return inTheWay;
    case 'ENAMETOOLONG':
      return new Refusal(400, 'The path is too long for the file system of the repository.');
    case 'EFBIG':
      return new Refusal(413, 'The package is too large for the file system of the repository.');
    case 'ENOSPC':
    case 'EDQUOT':
      site.log(`an upload failed, no space is left: ${message}`);
      return new Refusal(507, 'No space is left for packages: make room, then upload again. Nothing was changed.');
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      site.log(`the repository cannot be written to: ${message}`);
      return new Refusal(500, 'The server has no right to write to its repository: its operator has to allow that.');
    default:
      return error;
  }
}

function isBrokenOff(failure: unknown): failure is Error {
  return failure instanceof ClientGone || (failure instanceof Refusal && failure.status === 408);
}

function brokenOffLine(key: ObjectKey, body: UploadBody, headers: RequestHeaders, failure: Error): string {
  const expected = headers['content-length'] ?? 'an unknown number of';
  return `upload of ${key} broke off at byte ${body.receivedBytes} of ${expected}, nothing was kept: ${failure.message}`;
}
