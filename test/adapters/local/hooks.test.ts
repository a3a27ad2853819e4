import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { commandHook, type Hook, Hooks, hookLimits, webhook } from '../../../functions/adapters/local/hooks.ts';
import type { PublicationEvent } from '../../../functions/publication-event.ts';
import { ManualClock, settle } from '../manual-clock.ts';

const event = (sequence: number): PublicationEvent => ({
  repository: 'All',
  sequence,
  published: '2026-11-07T09:05:03.000Z',
  packages: 1,
  added: ['é-1.0.tgz'],
  removed: [],
  changed: [],
  totals: { added: 1, removed: 0, changed: 0 },
});
const never = new AbortController().signal;

describe('hooks', () => {
  interface Delivery {
    readonly sequence: number;
    readonly signal: AbortSignal;
    readonly end: (error?: Error) => void;
  }

  /** Deliveries that the test ends. */
  function started() {
    const clock = new ManualClock();
    const log: string[] = [];
    const outcomes: string[] = [];
    const deliveries: Delivery[] = [];
    const hook: Hook = {
      name: 'hook',
      deliver: ({ sequence }, signal) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          deliveries.push({ sequence, signal, end: (error) => (error ? reject(error) : resolve()) });
        }),
    };
    const hooks = new Hooks({
      hooks: [hook],
      clock,
      log: (line, level = 'info') => log.push(`${level} ${line}`),
      onEnded: (outcome) => outcomes.push(outcome),
    });
    return { clock, log, outcomes, deliveries, hooks };
  }

  it('get each publication, one at a time and in order', async () => {
    const { deliveries, hooks, outcomes } = started();
    for (const sequence of [1, 2, 3]) hooks.published(event(sequence));
    for (const sequence of [1, 2, 3]) {
      await settle();
      assert.deepEqual(deliveries.map((each) => each.sequence).at(-1), sequence);
      assert.equal(deliveries.length, sequence);
      deliveries.at(-1)?.end();
    }
    await hooks.close();
    assert.deepEqual(outcomes, ['delivered', 'delivered', 'delivered']);
  });

  it('are tried three times, with a pause that grows', async () => {
    const { clock, log, outcomes, deliveries, hooks } = started();
    hooks.published(event(7));
    await settle();
    deliveries[0]?.end(new Error('it answered 500'));
    await clock.advance(hookLimits.backOffMilliseconds[0] - 1);
    assert.equal(deliveries.length, 1);
    await clock.advance(1);
    deliveries[1]?.end(new Error('it answered 502'));
    await clock.advance(hookLimits.backOffMilliseconds[1] - 1);
    assert.equal(deliveries.length, 2);
    await clock.advance(1);
    deliveries[2]?.end(new Error('it answered 503'));
    await clock.advance(100_000);
    assert.equal(deliveries.length, 3);
    assert.deepEqual(log, [
      'warn hook: it answered 500; will retry',
      'error hook: missed publication All 7: it answered 503',
    ]);
    assert.deepEqual(outcomes, ['failed']);
  });

  it('go on with the next publication after one that failed', async () => {
    const { clock, outcomes, deliveries, hooks } = started();
    hooks.published(event(1));
    hooks.published(event(2));
    for (let tries = 0; tries < 3; tries += 1) {
      await settle();
      deliveries.at(-1)?.end(new Error('no'));
      await clock.advance(100_000);
    }
    assert.equal(deliveries.at(-1)?.sequence, 2);
    deliveries.at(-1)?.end();
    await settle();
    assert.deepEqual(outcomes, ['failed', 'delivered']);
  });

  it('that are slow have so many publications waiting; of one more, the oldest is dropped', async () => {
    const { log, deliveries, hooks } = started();
    hooks.published(event(0));
    await settle();
    for (let sequence = 1; sequence <= hookLimits.waitingMax; sequence += 1) hooks.published(event(sequence));
    assert.deepEqual(log, []);
    hooks.published(event(hookLimits.waitingMax + 1));
    assert.deepEqual(log, ['error hook: missed publication All 1: too many are waiting']);
    deliveries[0]?.end();
    await settle();
    assert.equal(deliveries[1]?.sequence, 2);
  });

  it('do not hold up the end of the server for long', async () => {
    const { clock, log, deliveries, hooks } = started();
    hooks.published(event(1));
    hooks.published(event(2));
    await settle();
    let isClosed = false;
    const closed = hooks.close().then(() => {
      isClosed = true;
    });
    await clock.advance(hookLimits.closeMilliseconds - 1);
    assert.equal(isClosed, false);
    await clock.advance(1);
    await closed;
    assert.equal(deliveries.length, 1);
    assert.deepEqual(log, [
      'error hook: missed publication All 1: the server is stopping',
      'error hook: missed publication All 2: the server is stopping',
    ]);
  });
});

describe('a web hook', () => {
  interface Received {
    readonly method: string | undefined;
    readonly headers: IncomingHttpHeaders;
    readonly body: string;
  }

  async function receiver(test: TestContext, status: number) {
    const received: Received[] = [];
    const server = createServer(async (request, response) => {
      received.push({ method: request.method, headers: request.headers, body: await text(request) });
      response.writeHead(status, { Location: '/elsewhere' }).end('an answer');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    test.after(() => server.close());
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/secret-path`, received };
  }

  it('gets the event as JSON, signed with HMAC-SHA256', async (test) => {
    const { url, received } = await receiver(test, 204);
    await webhook(url, 'the secret').deliver(event(1), never);
    const [{ method, headers, body } = assert.fail()] = received;
    assert.deepEqual([method, headers['content-type']], ['POST', 'application/json']);
    assert.deepEqual(JSON.parse(body), event(1));
    const digest = createHmac('sha256', 'the secret').update(Buffer.from(body)).digest('hex');
    assert.equal(headers['x-pkgsrc-indexer-signature'], `sha256=${digest}`);
  });

  it('without a secret is not signed', async (test) => {
    const { url, received } = await receiver(test, 200);
    await webhook(url, undefined).deliver(event(1), never);
    assert.equal(received[0]?.headers['x-pkgsrc-indexer-signature'], undefined);
  });

  for (const status of [302, 404, 500])
    it(`that answers ${status} has not taken it`, async (test) => {
      const { url, received } = await receiver(test, status);
      await assert.rejects(webhook(url, undefined).deliver(event(1), never), new Error(`it answered ${status}`));
      assert.equal(received.length, 1, 'a redirect is not followed');
    });

  it('is named without its path, which may hold a token', () => {
    assert.equal(webhook('https://u:p@example.org/token', undefined).name, 'web hook https://example.org');
  });

  it('that cannot be reached is reported with the reason', async () => {
    const log: string[] = [];
    const hooks = new Hooks({
      hooks: [webhook('http://127.0.0.1:1/', undefined)],
      clock: new ManualClock(),
      log: (line) => log.push(line),
    });
    hooks.published(event(1));
    for (const deadline = Date.now() + 30_000; log.length === 0 && Date.now() < deadline; )
      await new Promise((resolve) => setTimeout(resolve, 5));
    assert.match(log[0] ?? '', /^web hook http:\/\/127\.0\.0\.1:1: .+; will retry$/);
    assert.doesNotMatch(log[0] ?? '', /fetch failed/);
  });
});

describe('a command', () => {
  async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), 'hooks-'));
    await work(directory).finally(() => rm(directory, { recursive: true }));
  }

  it('gets the event on its standard input, and its main facts as variables, but no setting of the server', () =>
    inDirectory(async (directory) => {
      const settings = { PKGSRC_INDEXER_UPLOAD_TOKEN: 'secret', PKGSRC_INDEXER_STATE: '/state' };
      Object.assign(process.env, settings);
      const out = join(directory, 'out');
      await commandHook(
        `cat > '${out}'; echo " $PKGSRC_INDEXER_REPOSITORY $PKGSRC_INDEXER_SEQUENCE $PKGSRC_INDEXER_UPLOAD_TOKEN$PKGSRC_INDEXER_STATE" >> '${out}'`,
      )
        .deliver(event(5), never)
        .finally(() => {
          for (const name of Object.keys(settings)) delete process.env[name];
        });
      assert.equal(await readFile(out, 'utf8'), `${JSON.stringify(event(5))} All 5 \n`);
    }));

  it('need not read the event', () => commandHook('true').deliver(event(1), never));

  it('that fails is reported with what it wrote last', async () => {
    await assert.rejects(
      commandHook("echo 'no route' >&2; exit 7").deliver(event(1), never),
      new Error('it ended with 7: no route'),
    );
  });

  it('ends, with all that it started, when it is given up', () =>
    inDirectory(async (directory) => {
      const stop = new AbortController();
      const out = join(directory, 'pid');
      const over = commandHook(`sleep 300 & echo $! > '${out}'; wait`).deliver(event(1), stop.signal);
      let pid = 0;
      for (const deadline = Date.now() + 30_000; pid === 0 && Date.now() < deadline; )
        pid = Number(await readFile(out, 'utf8').catch(() => ''));
      stop.abort();
      await assert.rejects(over, /it took longer than 60 s/);
      for (const deadline = Date.now() + 30_000; isRunning(pid); )
        assert.ok(Date.now() < deadline, 'sleep is still running');
    }));
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
