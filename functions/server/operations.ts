/** `/-/`: what is going on, as a page, as JSON and for Prometheus, and a retry of what failed. */

import { operationsPage } from '../adapters/pages.ts';
import { isPackageKey } from '../keys.ts';
import type { ObjectKey } from '../ports.ts';
import { printable, repositoryName } from '../wording.ts';
import { answered, Refusal } from './answer.ts';
import { isServedName } from './request-target.ts';
import { textOf } from './request-text.ts';
import type { AdoptAnswer, RetryAnswer, RetryRequest, ServiceStatus } from './service-status.ts';
import type { ServedRequest, Site } from './site.ts';

const kibibyte = 1024;

export const operationsLimits = {
  /** A request to retry is one key in a few words of JSON. */
  retryBytesMax: 4 * kibibyte,
} as const;

/** `GET /-/` */
export async function showOperations(request: ServedRequest): Promise<Response> {
  const { html, policy } = await operationsPage();
  const headers = { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-cache' };
  return request.body(html, 200, { ...headers, 'Content-Security-Policy': policy });
}

/** `GET /-/status` */
export async function answerStatus(request: ServedRequest, site: Site): Promise<Response> {
  return json(request, 200, await answered(() => site.operations.status()));
}

/** `GET /-/metrics` */
export async function answerMetrics(request: ServedRequest, site: Site): Promise<Response> {
  const { contentType, text } = await answered(() => site.operations.metrics());
  return request.body(text, 200, { 'Content-Type': contentType, 'Cache-Control': 'no-store' });
}

/** `POST /-/retry` with `{"key": "All/x-1.0.tgz"}` or `{"all": true}` */
export async function retry(request: ServedRequest, site: Site): Promise<Response> {
  const wanted = await retryRequest(request, site);
  return json(request, 202, { retried: await answered(() => site.operations.retry(wanted)) });
}

/** `POST /-/adopt` with `{"repository": "All"}` */
export async function adopt(request: ServedRequest, site: Site): Promise<Response> {
  const { repository, ...others } = await requestedJson(request, site, adoptExpected);
  if (typeof repository !== 'string' || Object.keys(others).length > 0) throw new Refusal(400, adoptExpected);
  if (!(await answered(() => site.operations.adopt(repository))))
    throw new Refusal(409, `Nothing is held back in ${printable(repositoryName(repository))}.`);
  return json(request, 202, { adopted: true });
}

const adoptExpected = 'Expected JSON, {"repository": "All"}.';

/** On lines of their own, since people read it with curl. */
function json(request: ServedRequest, status: 200 | 202, value: ServiceStatus | RetryAnswer | AdoptAnswer): Response {
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
  return request.body(`${JSON.stringify(value, null, 2)}\n`, status, headers);
}

const expected = 'Expected JSON, {"key": "All/x-1.0.tgz"} or {"all": true}.';

/** @throws {Refusal} 400, 413, 415 */
async function retryRequest(request: ServedRequest, site: Site): Promise<RetryRequest> {
  const wanted = await requestedJson(request, site, expected);
  if (wanted.all === true && wanted.key === undefined) return { all: true };
  if (typeof wanted.key !== 'string' || wanted.all !== undefined) throw new Refusal(400, expected);
  if (!isKey(wanted.key)) throw new Refusal(400, `${expected} Found a key that no package can have.`);
  return { key: wanted.key };
}

/**
 * JSON must be declared: a form of another site cannot declare it, and a script of another site must ask the server first.
 * @param what is expected, for the client.
 * @throws {Refusal} 400, 413, 415
 */
async function requestedJson(
  request: ServedRequest,
  site: Site,
  what: string,
): Promise<Readonly<Record<string, unknown>>> {
  if (!/^application\/json *(?:;|$)/i.test(request.req.header('content-type') ?? ''))
    throw new Refusal(415, 'Expected Content-Type: application/json.');
  return parsed(await textOf(request, site, operationsLimits.retryBytesMax, what), what);
}

function parsed(text: string, what: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch {
    // Not JSON at all: the same answer as for JSON of something else.
  }
  throw new Refusal(400, what);
}

function isKey(key: ObjectKey): boolean {
  return key.isWellFormed() && key.split('/').every(isServedName) && isPackageKey(key);
}
