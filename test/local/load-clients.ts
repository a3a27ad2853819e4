/**
 * The clients of the load test, in a process of their own: `node load-clients.ts URL UPLOADS CLIENTS READERS`. Prints one line of
 * JSON, see `LoadResult`.
 *
 * Every reader fetches the index again and again, without pause, until the uploads are done, and holds each against the pkgin reader.
 */

import { createHash } from 'node:crypto';
import { Agent, type IncomingMessage, request } from 'node:http';
import { makePackage } from '../package-maker.ts';
import { readIndex } from '../pkgin-reader.ts';
import { madeName } from './made-repository.ts';

export interface LoadResult {
  readonly uploads: number;
  readonly uploadSeconds: number;
  readonly reads: number;
  /** Different indexes that were read: how often it was replaced, as far as readers saw. */
  readonly indexes: number;
  /** From the request to the last byte. */
  readonly readMilliseconds: Percentiles;
  readonly uploadMilliseconds: Percentiles;
  /** What should not have happened, each in a sentence. */
  readonly failures: readonly string[];
}

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

interface Received {
  readonly status: number;
  readonly body: Buffer;
}

const [url = '', ...numbers] = process.argv.slice(2);
const [uploads = 0, clients = 0, readers = 0] = numbers.map(Number);
const agent = new Agent({ keepAlive: true, maxSockets: clients + readers });
const failures: string[] = [];
const readTimes: number[] = [];
const uploadTimes: number[] = [];
/** The packages in each index that was read, by the hash of its bytes. */
const indexes = new Map<string, number>();
let isUploading = true;

const packages = Array.from({ length: uploads }, (_, number) =>
  makePackage({ name: madeName(number), payload: { 'bin/made': 2_000 } }),
);
const begin = performance.now();
const reading = Array.from({ length: readers }, (_, reader) => read(reader % 2 === 0 ? 'gz' : 'zst'));
await Promise.all(Array.from({ length: clients }, (_, client) => uploadFrom(client)));
const uploadSeconds = (performance.now() - begin) / 1000;
isUploading = false;
await Promise.all(reading);
agent.destroy();

const result: LoadResult = {
  uploads: uploadTimes.length,
  uploadSeconds,
  reads: readTimes.length,
  indexes: indexes.size,
  readMilliseconds: percentiles(readTimes),
  uploadMilliseconds: percentiles(uploadTimes),
  failures: failures.slice(0, 20),
};
console.log(JSON.stringify(result));

async function uploadFrom(client: number): Promise<void> {
  for (let number = client; number < uploads; number += clients) {
    const [milliseconds, { status, body }] = await timed('PUT', `/All/${madeName(number)}.tgz`, packages[number]);
    uploadTimes.push(milliseconds);
    if (status !== 201) failures.push(`upload ${number}: ${status}: ${body}`);
  }
}

async function read(format: 'gz' | 'zst'): Promise<void> {
  let most = 0;
  while (isUploading) {
    const [milliseconds, { status, body }] = await timed('GET', `/All/pkg_summary.${format}`);
    readTimes.push(milliseconds);
    if (status !== 200) {
      failures.push(`read: ${status}: ${body}`);
      continue;
    }
    const found = packagesIn(body, format);
    if (found < most) failures.push(`an index with ${found} packages came after one with ${most}`);
    most = found;
  }
}

/** Each index is read through once, whoever gets it first. */
function packagesIn(body: Buffer, format: 'gz' | 'zst'): number {
  const hash = createHash('sha256').update(body).digest('hex');
  const known = indexes.get(hash);
  if (known !== undefined) return known;
  let found = 0;
  try {
    found = readIndex(new Uint8Array(body), format).records;
  } catch (error) {
    failures.push(String(error));
  }
  indexes.set(hash, found);
  return found;
}

async function timed(method: string, path: string, body?: Buffer): Promise<[milliseconds: number, Received]> {
  const start = performance.now();
  const received = await send(method, path, body).catch((error: Error) => ({
    status: 0,
    body: Buffer.from(error.message),
  }));
  return [performance.now() - start, received];
}

async function send(method: string, path: string, body?: Buffer): Promise<Received> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request(new URL(path, url), { method, agent }, resolve).on('error', reject).end(body);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const received = Buffer.concat(chunks);
  const length = Number(answer.headers['content-length'] ?? received.length);
  if (received.length !== length) throw new Error(`expected ${length} bytes, found ${received.length}`);
  return { status: answer.statusCode ?? 0, body: received };
}

function percentiles(values: number[]): Percentiles {
  values.sort((a, b) => a - b);
  const at = (share: number) => Math.round(10 * (values[Math.ceil(share * values.length) - 1] ?? 0)) / 10;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
