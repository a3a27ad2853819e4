/** A request handler for SDK clients that never leaves the process: it answers from a script, and keeps what was asked. */

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Spread `settings` into a client's configuration. Each request is tried once. */
export function scriptedAnswers(answer: readonly Answer[] | ((asked: Asked) => Answer)) {
  const asked: Asked[] = [];
  const script = typeof answer === 'function' ? undefined : [...answer];
  const handle = async ({ method, path, query = {}, headers, body }: Request) => {
    const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : String(body ?? '');
    const request = { method, path, query, headers, body: text };
    asked.push(request);
    const found = typeof answer === 'function' ? answer(request) : script?.shift();
    assert.ok(found, `expected no further request, found ${method} ${path}`);
    const { status = 200, headers: answerHeaders = {}, body: answerBody = '' } = found;
    return {
      response: { statusCode: status, headers: { ...answerHeaders }, body: Readable.from([Buffer.from(answerBody)]) },
    };
  };
  const settings = {
    region: 'us-east-1',
    endpoint: 'http://store.test',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
    requestHandler: { handle },
  };
  return { settings, asked };
}
