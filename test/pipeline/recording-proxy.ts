/** Stands between a step and a store: passes everything on as it is, tells of it, and can be told to fail. */

import { once } from 'node:events';
import { Agent, createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface StoreRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Exchange extends StoreRequest {
  /** Of the store's answer. */
  readonly status: number;
}

export interface RecordingProxyOptions {
  /** Where the store listens. */
  readonly target: string;
  /** Told before the step gets the store's answer. */
  readonly onExchange: (exchange: Exchange) => void;
  /** Whether to answer 503 in the store's place. */
  readonly isFailing: (request: StoreRequest) => boolean;
}

export interface RecordingProxy {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startRecordingProxy(options: RecordingProxyOptions): Promise<RecordingProxy> {
  const { target, onExchange, isFailing } = options;
  const agent = new Agent({ keepAlive: true });
  const server = createServer(async (incoming, outgoing) => {
    try {
      const { method = '', url = '', headers, rawHeaders } = incoming;
      const asked = { method, url, headers, body: await buffer(incoming) };
      if (isFailing(asked)) {
        outgoing.writeHead(503).end();
        return;
      }
      // The headers as they are, Host too: it is signed.
      const forwarded = request(new URL(url, target), { agent, method, headers: withoutHop(rawHeaders) });
      forwarded.end(asked.body);
      const [answer] = (await once(forwarded, 'response')) as [IncomingMessage];
      const body = await buffer(answer);
      const status = answer.statusCode ?? 0;
      onExchange({ ...asked, status });
      outgoing.writeHead(status, withoutHop(answer.rawHeaders)).end(body);
    } catch (error) {
      // The step sees a lost connection, as it does where a store fails.
      outgoing.destroy(error as Error);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port to listen on');
  const stop = async () => {
    agent.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${address.port}`, stop };
}

/** Headers that are about one connection. */
const hopHeaders = ['connection', 'keep-alive', 'expect', 'transfer-encoding'];

function withoutHop(rawHeaders: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2);
    if (!hopHeaders.includes(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
}
