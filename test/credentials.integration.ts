/** No credential is ever written to a log, whatever goes wrong, and whatever others answer. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeHint } from '../functions/events.ts';
import { inTemporaryDirectory, run, ServingIndexer, soon } from './local/indexer-process.ts';
import { makeRepository } from './local/made-repository.ts';
import { makePackage } from './package-maker.ts';

test('the upload token is in no log, no answer, no file and no help, however it is shown', async () => {
  const token = 'wOnderfu1-token';
  const environment = { INDEXER_UPLOAD_TOKEN: token };
  await inTemporaryDirectory(async (directory) => {
    await makeRepository(directory, 2);
    const indexer = await ServingIndexer.start(directory, soon, { environment });
    const basic = Buffer.from(`user:${token}`).toString('base64');
    const answers: string[] = [];
    const statuses: number[] = [];
    for (const [authorization, body] of [
      [`Bearer ${token}`, makePackage({ name: 'shown-1.0' })],
      [`Basic ${basic}`, makePackage({ name: 'shown-1.0', comment: 'Again\n' })],
      [`Bearer ${token}`, 'no package'],
      [`Bearer ${token}x`, 'x'],
      [`Bearer ${token.slice(1)}`, 'x'],
      [`Digest ${token}`, 'x'],
      [token, 'x'],
      ['', 'x'],
    ] as const) {
      const request = { method: 'PUT', headers: { authorization }, body };
      const answer = await fetch(`${indexer.url}/All/shown-1.0.tgz`, request);
      statuses.push(answer.status);
      answers.push(await answer.text(), JSON.stringify([...answer.headers]));
    }
    assert.deepEqual(statuses, [201, 204, 204, 401, 401, 401, 401, 401]);
    // Where it cannot be stored; and where the connection breaks.
    await mkdir(join(directory, 'All', 'directory-1.0.tgz'));
    for (const path of ['All/directory-1.0.tgz', 'All/x.txt', 'All/x-1.0.tgz?x', '.indexer/x-1.0.tgz'])
      await fetch(`${indexer.url}/${path}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}` },
        body: 'x',
      });
    const broken = AbortSignal.timeout(100);
    const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(10)) });
    const upload = {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}` },
      body,
      duplex: 'half',
      signal: broken,
    };
    await fetch(`${indexer.url}/All/broken-1.0.tgz`, upload as RequestInit).catch(() => undefined);
    for (const path of ['/', '/All/', '/-/status', '/-/healthz', '/.indexer/holder'])
      answers.push(await (await fetch(`${indexer.url}${path}`)).text());
    assert.equal(await indexer.interrupt(), 0);
    assert.match(indexer.output, /broke off/);
    const help = await run(['serve', '--help'], { environment });
    const odd = await run(['serve', directory, '--port', '0'], {
      environment: { INDEXER_UPLOAD_TOKEN: `${token} blank` },
    });
    assert.equal(odd.exitCode, 3);
    const said = [indexer.output, help.stdout, odd.stdout, odd.stderr, ...answers, ...(await textsBelow(directory))];
    assertFreeOf(said.join('\n'), [token, basic]);
  });
});

/** Also those of the state directory. */
async function textsBelow(directory: string): Promise<string[]> {
  const texts: string[] = [];
  for (const path of await readdir(directory, { recursive: true })) {
    if ((await stat(join(directory, path))).isFile()) texts.push(await readFile(join(directory, path), 'latin1'));
  }
  return texts;
}

const credentials = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLEOFATEST01',
  AWS_SECRET_ACCESS_KEY: 'secret/Example+KeyOfATest/0123456789abcdef',
  AWS_SESSION_TOKEN: 'IQoExampleOfASessionToken//////////wEaCXVzLWVhc3QtMSJHMEUCIQ==',
};

/** The key's id is none: AWS itself shows it. */
const secrets = [credentials.AWS_SECRET_ACCESS_KEY, credentials.AWS_SESSION_TOKEN];

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
async function withRefusingAws(work: (environment: Record<string, string>, asked: string[]) => Promise<void>) {
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

test('the functions log no credential, even where AWS answers with what was signed', () =>
  withRefusingAws(async (environment, asked) => {
    // What a handler throws goes to the log, too: by Lambda's runtime.
    const program = `
    const lambda = await import(${JSON.stringify(new URL('../functions/lambda.ts', import.meta.url))});
    const context = { functionName: 'reindex', getRemainingTimeInMillis: () => 900_000 };
    const hint = { messageId: '1', body: ${JSON.stringify(encodeHint({ key: 'All/x-1.0.tgz' }))} };
    const change = { dynamodb: { SequenceNumber: '1', Keys: { repository: { S: 'All' }, file: { S: 'x-1.0.tgz' } } } };
    for (const invoke of [
      () => lambda.extract({ Records: [{ ...hint, eventSource: 'aws:sqs' }] }),
      () => lambda.summarize({ Records: [change] }),
      () => lambda.reindex({}, context),
      () => lambda.reindex({ round: 'x' }, context),
    ]) {
      try {
        console.log(JSON.stringify(await invoke()));
      } catch (error) {
        console.error(error);
        console.error(JSON.stringify({ errorType: error.name, errorMessage: error.message, trace: error.stack }));
      }
    }`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      env: {
        ...process.env,
        ...environment,
        BUCKET: 'bucket',
        RECORDS_TABLE: 'records',
        REPOSITORIES_TABLE: 'repositories',
        QUEUE_URL: `${environment.AWS_ENDPOINT_URL}/1/queue`,
        FORMATS: 'gz,zst',
        PAGE: 'on',
        POWERTOOLS_LOG_LEVEL: 'DEBUG',
        POWERTOOLS_SERVICE_NAME: 'test',
        POWERTOOLS_METRICS_NAMESPACE: 'test',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let log = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (log += text));
    await once(child, 'close');
    assert.match(log, /could not be read/);
    assert.match(log, /could not be published/);
    assert.ok(
      asked.some((target) => target.includes('DynamoDB')),
      asked.join('\n'),
    );
    assert.ok(
      asked.some((target) => target.includes('list-type')),
      asked.join('\n'),
    );
    assertFreeOf(log, secrets);
  }));

test('nor does a command of the person at the terminal', () =>
  withRefusingAws(async (environment, asked) => {
    const { exitCode, stdout, stderr } = await run(['status', '--stack', 'some'], { environment });
    assert.equal(exitCode, 3);
    assert.match(stderr, /AWS does not take these credentials|Canonical String/);
    assert.notEqual(asked.length, 0);
    assertFreeOf(stdout + stderr, secrets);
  }));

/** Neither as it is, nor in any way in which it may be written. */
function assertFreeOf(text: string, secrets: readonly string[]): void {
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
