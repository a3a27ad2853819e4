/** `/-/`: what is going on, as a page and as JSON, and another try for what failed. */

import { operationsPage } from '../adapters/pages.ts';
import { failureSentence } from '../failures.ts';
import { isPackageKey } from '../keys.ts';
import type { ObjectKey } from '../ports.ts';
import { type Answer, plainText, Refusal } from './answer.ts';
import { isServedName } from './request-key.ts';
import type { ServedRequest, Site } from './served-request.ts';
import type { RetryAnswer, RetryRequest, ServiceStatus } from './service-status.ts';
import { statusLimits } from './status-limits.ts';
import { UploadBody } from './upload-body.ts';

/** What the server asks of whoever indexes. */
export interface Operations {
  status(): Promise<ServiceStatus>;
  /** @returns how many packages are looked at again. */
  retry(wanted: RetryRequest): Promise<number>;
}

/** `GET /-` */
export async function leadToOperations(): Promise<Answer> {
  return plainText(301, 'It is at /-/', { Location: '/-/' });
}

/** `GET /-/` */
export async function showOperations(): Promise<Answer> {
  const { html, policy } = await operationsPage();
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-cache',
    'Content-Security-Policy': policy,
  };
  return { status: 200, headers, body: { kind: 'bytes', bytes: Buffer.from(html) } };
}

/** `GET /-/status` */
export async function tellStatus(_: ServedRequest, site: Site): Promise<Answer> {
  return json(200, await answered(() => site.operations.status()));
}

/** `POST /-/retry` with `{"key": "All/x-1.0.tgz"}` or `{"all": true}` */
export async function retry(request: ServedRequest, site: Site): Promise<Answer> {
  const wanted = await retryRequest(request, site);
  const retried: RetryAnswer = { retried: await answered(() => site.operations.retry(wanted)) };
  return json(202, retried);
}

function json(status: number, value: ServiceStatus | RetryAnswer): Answer {
  const bytes = Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
  return { status, headers, body: { kind: 'bytes', bytes } };
}

/** A disk that fails, or a directory that was taken away, is no fault of the server: it says so, and goes on. */
async function answered<Value>(ask: () => Promise<Value>): Promise<Value> {
  try {
    return await ask();
  } catch (error) {
    const sentence = failureSentence(error);
    throw sentence === undefined ? error : new Refusal(503, `Nobody can tell at the moment: ${sentence}`);
  }
}

const expected = 'Expected JSON, {"key": "All/x-1.0.tgz"} or {"all": true}.';

/**
 * JSON has to be declared: what a form of another site can send is not that, and for what is a browser asks the server first.
 * @throws {Refusal} 400, 413, 415
 */
async function retryRequest(request: ServedRequest, site: Site): Promise<RetryRequest> {
  const { headers, message, continueBody } = request;
  if (!/^application\/json *(?:;|$)/i.test(headers['content-type'] ?? ''))
    throw new Refusal(415, 'Expected Content-Type: application/json.');
  const wanted = parsed(await textOf(new UploadBody(message, continueBody, { ...site.limits, uploadBytesMax })));
  if (wanted.all === true && wanted.key === undefined) return { all: true };
  if (typeof wanted.key !== 'string' || wanted.all !== undefined) throw new Refusal(400, expected);
  if (!isKey(wanted.key)) throw new Refusal(400, `${expected} Found a key that no package has.`);
  return { key: wanted.key };
}

const uploadBytesMax = statusLimits.retryBytesMax;

async function textOf(body: UploadBody): Promise<string> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of body) pieces.push(Buffer.from(piece));
  } catch (error) {
    // Its own words are about uploads.
    if (error instanceof Refusal && error.status === 400) throw new Refusal(400, expected);
    if (error instanceof Refusal && error.status === 413)
      throw new Refusal(413, `${expected} It may have ${uploadBytesMax} bytes.`);
    throw error;
  }
  return Buffer.concat(pieces).toString();
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch {
    // Not JSON at all: told the same as JSON of something else.
  }
  throw new Refusal(400, expected);
}

function isKey(key: ObjectKey): boolean {
  return key.isWellFormed() && key.split('/').every(isServedName) && isPackageKey(key);
}
