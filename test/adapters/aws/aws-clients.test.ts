import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { clientLimits, createClient, createS3Client } from '../../../functions/adapters/aws/aws-clients.ts';
import { S3Objects } from '../../../functions/adapters/aws/s3-objects.ts';
import { scriptedAnswers } from './scripted-answers.ts';

/** As much of the SDK's own as this reads: it is no dependency of ours. */
interface NodeHttpHandler {
  handle(request: never): Promise<unknown>;
  httpHandlerConfigs(): Readonly<Record<string, unknown>>;
}

const credentials = { accessKeyId: 'test', secretAccessKey: 'the/secret+key', sessionToken: 'the//session+token==' };
const short = 100;

/** A server that answers like that, on a port of its own. */
async function withServer(answer: RequestListener, work: (endpoint: string) => Promise<void>): Promise<void> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const never: RequestListener = () => undefined;

/** Half of what it promises, and then nothing. */
const half: RequestListener = (_, response) => {
  response.writeHead(206, { ETag: '"e"', 'Content-Length': '6' });
  response.write('abc');
};

function configOf(endpoint: string) {
  return { endpoint, region: 'us-east-1', credentials, maxAttempts: 1 };
}

function objectsAt(endpoint: string, requestMillisecondsMax?: number): S3Objects {
  const client = createS3Client({ isCompatibleStore: true }, configOf(endpoint), requestMillisecondsMax);
  return new S3Objects(client, { bucket: 'bucket' });
}

describe('a client of a service that accepts and never answers', () => {
  const requests: Readonly<Record<string, (endpoint: string) => Promise<unknown>>> = {
    DynamoDB: (endpoint) => createClient(DynamoDBClient, configOf(endpoint), short).send(new ListTablesCommand()),
    Lambda: (endpoint) => createClient(LambdaClient, configOf(endpoint), short).send(new ListFunctionsCommand()),
    SQS: (endpoint) => createClient(SQSClient, configOf(endpoint), short).send(new ListQueuesCommand()),
    'S3, head': (endpoint) => objectsAt(endpoint, short).head('x'),
    'S3, read': (endpoint) => objectsAt(endpoint, short).readRange('x', 'e', 0, 6),
    'S3, delete': (endpoint) => objectsAt(endpoint, short).delete('x'),
  };
  for (const [service, request] of Object.entries(requests)) {
    it(`gives up in time (${service})`, () =>
      withServer(never, (endpoint) => assert.rejects(request(endpoint), { name: 'TimeoutError' })));
  }

  it('also in the middle of an answer', () =>
    withServer(half, (endpoint) => assert.rejects(objectsAt(endpoint, short).readRange('x', 'e', 0, 6))));

  it('has the limits of this project unless told otherwise', async () => {
    const { requestHandler } = createClient(DynamoDBClient, { region: 'us-east-1' }).config;
    const handler = requestHandler as unknown as NodeHttpHandler;
    // It reads its configuration with the first request, whatever that is.
    await handler.handle({} as never).catch(() => undefined);
    const { connectionTimeout, requestTimeout, socketTimeout, throwOnRequestTimeout } = handler.httpHandlerConfigs();
    const { connectionMillisecondsMax, requestMillisecondsMax } = clientLimits;
    assert.deepEqual(
      [connectionTimeout, requestTimeout, socketTimeout, throwOnRequestTimeout],
      [connectionMillisecondsMax, requestMillisecondsMax, requestMillisecondsMax, true],
    );
  });
});

describe('a signal', () => {
  for (const [what, answer] of [
    ['that waits for an answer', never],
    ['in the middle of an answer', half],
  ] as const) {
    it(`ends a read ${what}`, () =>
      withServer(answer, (endpoint) => {
        const signal = AbortSignal.timeout(short);
        return assert.rejects(objectsAt(endpoint).readRange('x', 'e', 0, 6, signal));
      }));
  }

  it('ends a head and a delete', () =>
    withServer(never, async (endpoint) => {
      const objects = objectsAt(endpoint);
      await assert.rejects(objects.head('x', AbortSignal.timeout(short)), { name: 'AbortError' });
      await assert.rejects(objects.delete('x', AbortSignal.timeout(short)), { name: 'AbortError' });
    }));
});

describe('an error of a service', () => {
  it('holds no credential, whatever the service says', async () => {
    const body = JSON.stringify({
      __type: 'InvalidSignatureException',
      message: `signed was ${credentials.sessionToken} with ${credentials.secretAccessKey}`,
    });
    const headers = { 'content-type': 'application/x-amz-json-1.0' };
    const { settings } = scriptedAnswers([{ status: 403, headers, body }]);
    const client = createClient(DynamoDBClient, { ...settings, credentials });
    await assert.rejects(client.send(new ListTablesCommand()), (error: Error) => {
      assert.equal(error.message, 'signed was [withheld] with [withheld]');
      assert.doesNotMatch(error.stack ?? '', /the\//);
      return true;
    });
  });
});
