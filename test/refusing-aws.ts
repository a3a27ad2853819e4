/** An AWS that refuses every request, and answers with all that was signed: as AWS does where a signature is wrong. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

const credentials = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLEOFATEST01',
  AWS_SECRET_ACCESS_KEY: 'secret/Example+KeyOfATest/0123456789abcdef',
  AWS_SESSION_TOKEN: 'IQoExampleOfASessionToken//////////wEaCXVzLWVhc3QtMSJHMEUCIQ==',
};

/** The key's id is none: AWS itself shows it. */
export const secrets = [credentials.AWS_SECRET_ACCESS_KEY, credentials.AWS_SESSION_TOKEN];

/** As AWS answers a request whose signature is wrong (a clock that is off, a key that was replaced): with all that was signed. */
function answerOfWrongSignature({ method, url, headers, rawHeaders }: IncomingMessage): { type: string; body: string } {
  const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  const signed = names.sort().map((name) => `${name}:${headers[name]}`);
  const canonical = [method, url, ...signed].join('\n');
  const message = `The request signature we calculated does not match. The Canonical String for this request should have been\n'${canonical}'`;
  if (headers['x-amz-target'] !== undefined) {
    const error = { __type: 'com.amazon.coral.service#InvalidSignatureException', message };
    return { type: 'application/x-amz-json-1.0', body: JSON.stringify(error) };
  }
  const fields = {
    Code: 'SignatureDoesNotMatch',
    Message: message,
    CanonicalRequest: canonical,
    StringToSign: canonical,
  };
  const xml = Object.entries(fields).map(([name, value]) => `<${name}>${value}</${name}>`);
  return { type: 'application/xml', body: `<?xml version="1.0"?><Error>${xml.join('')}</Error>` };
}

/** An AWS that refuses everything like that; `asked` is what it was asked for. */
export async function withRefusingAws(work: (environment: Record<string, string>, asked: string[]) => Promise<void>) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      asked.push(`${request.method} ${request.headers['x-amz-target'] ?? request.url}`);
      const { type, body } = answerOfWrongSignature(request);
      response.writeHead(request.method === 'HEAD' ? 500 : 403, { 'Content-Type': type }).end(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await work({ ...credentials, AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: endpoint, AWS_MAX_ATTEMPTS: '1' }, asked);
  } finally {
    server.close();
  }
}

/** Neither as it is, nor in any way in which it may be written. */
export function assertFreeOf(text: string, secrets: readonly string[]): void {
  for (const secret of secrets) {
    for (const written of [
      secret,
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
      Buffer.from(secret).toString('base64'),
    ]) {
      const at = text.indexOf(written);
      assert.equal(at, -1, `…${text.slice(Math.max(0, at - 300), at)}[it]…`);
    }
  }
}
