/** What a store answers, or fails to, as a sentence for the operator. */

import { S3ServiceException } from '@aws-sdk/client-s3';
import { CannotRun } from '../../failures.ts';
import { type ClientWithMiddleware, replacingErrors } from '../aws/replaced-errors.ts';
import type { StoreAddress } from './store-address.ts';

/** Any failure of a request that no caller handles: the store is away, or refuses. Retried while `serve` runs. */
export class StoreFailure extends CannotRun {
  override readonly name = 'StoreFailure';
  /** Of the answer, if there was one. */
  readonly status: number | undefined;
  constructor(sentence: string, cause: unknown) {
    super(sentence, { cause });
    this.status = answeredStatus(cause);
  }

  /** The store does not have what was asked for, or has it differently: another request may succeed. */
  get isUnsupported(): boolean {
    return this.status !== undefined && ![401, 403, 429, 500, 502, 503, 504].includes(this.status);
  }
}

/** Answers that say something about an object: those who ask handle them. */
const handled = new Set([404, 409, 412, 416]);

/** Has the client throw a StoreFailure for what is no answer about an object. @returns the same client. */
export function describingFailures<Client extends ClientWithMiddleware>(client: Client, address: StoreAddress): Client {
  return replacingErrors(client, (error) => (isHandled(error) ? error : (failureOf(error, address) ?? error)));
}

function isHandled(error: unknown): boolean {
  if (!(error instanceof S3ServiceException) || error.name === 'NoSuchBucket') return false;
  return handled.has(error.$metadata.httpStatusCode ?? 0);
}

/** Also of an answer that the SDK cannot read: a proxy's page, say. */
function answeredStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  return (error.$metadata as { readonly httpStatusCode?: number }).httpStatusCode;
}

const withoutCredentials = new Set(['CredentialsProviderError', 'TokenProviderError', 'ProviderError']);
const badCredentials = new Set(['ExpiredToken', 'InvalidAccessKeyId', 'InvalidToken', 'SignatureDoesNotMatch']);

/** Undefined for an error that is neither the store's nor the network's. */
function failureOf(error: unknown, { name, bucket, endpoint = 'AWS' }: StoreAddress): StoreFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  const status = answeredStatus(error);
  const code = 'code' in error ? String(error.code) : '';
  const found = `${error.name}${status === undefined ? '' : `, ${status}`}: ${error.message || code}`;
  const failure = (sentence: string) => new StoreFailure(sentence, error);

  if (error.name === 'AbortError') return undefined;
  if (withoutCredentials.has(error.name))
    return failure(`no credentials for ${name}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use --profile`);
  if (/region is missing/i.test(error.message))
    return failure(`no region for ${name}: use --region, or set AWS_REGION`);
  if (badCredentials.has(error.name)) return failure(`${name} refused the credentials (${found}): use others`);
  if (error.name === 'RequestTimeTooSkewed')
    return failure(`the clock of this machine is wrong, says ${name} (${found})`);
  if (status === 401 || status === 403)
    return failure(`${name} denied access (${found}): the key needs to read, list, write and delete there`);
  if (error.name === 'NoSuchBucket') return failure(`there is no bucket ${bucket} at ${endpoint}: create it`);
  if (status !== undefined) return failure(`${name} failed (${found})`);
  const isOfTheNetwork = 'syscall' in error || error.name === 'TimeoutError' || /^E[A-Z]+$/.test(code);
  return isOfTheNetwork ? failure(`cannot reach ${name} at ${endpoint} (${error.message || code})`) : undefined;
}
