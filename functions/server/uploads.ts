/** PUT and DELETE of a package. An upload is not visible before its last byte has arrived, and a failed one leaves nothing. */

import type { PackageSource } from '../package/package-source.ts';
import type { ObjectKey } from '../ports.ts';
import { recordLimits } from '../record/limits.ts';
import { printable } from '../wording.ts';
import { ClientGone, notFound, plainText, Refusal } from './answer.ts';
import { BodyDigests } from './body-digests.ts';
import { codeOf } from './open-served.ts';
import { encodedPath, packageKeyOf, uploadKeyOf } from './request-target.ts';
import type { ServerLimits } from './server-limits.ts';
import type { ReceiveOptions, RequestHeaders, ServedRequest, Site } from './site.ts';
import { emptyUpload, tooLarge, UploadBody } from './upload-body.ts';

/** `PUT /All/x-1.0.tgz` */
export async function receivePackage(request: ServedRequest, site: Site): Promise<Response> {
  const { message, target, continueBody, afterwards } = request.env;
  const headers = request.req.header();
  const key = uploadKeyOf(target, site.limits);
  refuseOtherConditions(headers, ['if-none-match']);
  refuseEncodings(headers);
  refuseByDeclaredLength(headers, site.limits);
  const ifNoneMatch = createOnly(headers);
  const digests = new BodyDigests(headers);

  afterwards(site.uploadsUnderWay.take());
  const body = new UploadBody(message, continueBody, site.limits, digests);
  const options: ReceiveOptions = {
    bytesMax: site.limits.uploadBytesMax,
    ...((ifNoneMatch || !site.overwrite) && { ifNoneMatch: '*' }),
    check: (source) => refuseRejected(source, target.parts.at(-1) ?? '', site),
  };
  try {
    const stored = await site.uploads.receive(key, body, options);
    switch (stored.outcome) {
      case 'created':
        return plainText(201, `Stored ${key}.`, {
          Location: encodedPath(target.parts, false),
          ETag: `"${stored.etag}"`,
        });
      case 'replaced':
        return request.body(null, 204, { ETag: `"${stored.etag}"` });
      case 'exists':
        if (ifNoneMatch === undefined)
          return plainText(409, `${key} already exists, and this server does not replace packages.`);
        return plainText(412, `${key} already exists, and "If-None-Match: *" forbids replacing it.`);
    }
  } catch (error) {
    const failure = body.failure ?? error;
    if (isBrokenOff(failure)) site.log(brokenOffLine(key, body, headers, failure), 'warn');
    throw storingFailed(failure, site);
  }
}

/** `DELETE /All/x-1.0.tgz` */
export async function removePackage(request: ServedRequest, site: Site): Promise<Response> {
  const key = packageKeyOf(request.env.target, site.limits);
  refuseOtherConditions(request.req.header(), []);
  let wasThere: boolean;
  try {
    wasThere = await site.uploads.remove(key);
  } catch (error) {
    throw storingFailed(error, site);
  }
  if (!wasThere) throw notFound();
  return request.body(null, 204);
}

/** The indexer would reject it a second later, when the client has left. */
async function refuseRejected(source: PackageSource, file: string, site: Site): Promise<void> {
  const rejection = await site.verdictsUnderWay.run(() => site.findRejection(source, file));
  if (rejection === undefined) return;
  const reason = printable(rejection.message.slice(0, recordLimits.reasonCharactersMax)).replace(/\.$/, '');
  throw new Refusal(422, `Rejected, ${rejection.code}: ${reason}. Nothing was changed.`);
}

function createOnly(headers: RequestHeaders): '*' | undefined {
  const condition = headers['if-none-match']?.trim();
  if (condition === undefined || condition === '*') return condition;
  throw new Refusal(501, 'Unsupported condition: an upload supports only "If-None-Match: *".');
}

/** A condition that is not supported must not be ignored: the client relies on it to make the change safe. */
function refuseOtherConditions(headers: RequestHeaders, supported: readonly string[]): void {
  const conditions = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range'];
  const found = conditions.find((name) => name in headers && !supported.includes(name));
  if (found !== undefined) throw new Refusal(501, `Unsupported condition: ${found}. Send the request without it.`);
}

/** The body is stored as it comes: one that would have to be assembled or unpacked first is refused. */
function refuseEncodings(headers: RequestHeaders): void {
  if ('content-range' in headers)
    throw new Refusal(400, 'Partial uploads are not supported: send the whole package, without Content-Range.');
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new Refusal(415, 'Unsupported Content-Encoding: send the package as it is.');
  if ((headers['transfer-encoding'] ?? 'chunked').toLowerCase() !== 'chunked')
    throw new Refusal(501, 'Unsupported Transfer-Encoding: only "chunked" is supported.');
}

function refuseByDeclaredLength(headers: RequestHeaders, limits: ServerLimits): void {
  if ('transfer-encoding' in headers) return;
  const bytes = Number(headers['content-length'] ?? 0);
  if (bytes === 0) throw emptyUpload();
  if (bytes > limits.uploadBytesMax) throw tooLarge(limits);
}

/** The answer to an error of the place where packages are stored. */
function storingFailed(error: unknown, site: Site): unknown {
  if (error instanceof Refusal || error instanceof ClientGone) return error;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  // The errors of functions/adapters/local/directory-objects.ts, by name: another store may have its own classes.
  if (name === 'ObjectTooLarge') return tooLarge(site.limits);
  const inTheWay = new Refusal(409, 'Cannot store a package there: a directory, a file or a link is in the way.');
  if (name === 'UnusableKey') return inTheWay;
  const isOfStore = name === 'StoreFailure' || name === 'LeaseLost';
  if (isOfStore) site.log(`an upload or a deletion failed: ${message}`, 'warn');
  if (isOfStore || name === 'DirectoryLost') return new Refusal(503, 'The repository is temporarily unavailable.');

  switch (codeOf(error)) {
    case 'ENOENT':
      return new Refusal(409, 'The directory was moved or removed during the upload. Nothing was stored.');
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
      site.log(`an upload failed, no space left: ${message}`, 'error');
      return new Refusal(507, 'No space left on the server. Nothing was changed.');
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      site.log(`the repository cannot be written to: ${message}`, 'error');
      return new Refusal(500, 'The server has no permission to write to its repository.');
    default:
      return error;
  }
}

function isBrokenOff(failure: unknown): failure is Error {
  return failure instanceof ClientGone || (failure instanceof Refusal && failure.status === 408);
}

function brokenOffLine(key: ObjectKey, body: UploadBody, headers: RequestHeaders, failure: Error): string {
  const expected = headers['content-length'] ?? 'an unknown number of';
  return `upload of ${key} broke off at byte ${body.receivedBytes} of ${expected}, nothing was stored: ${failure.message}`;
}
