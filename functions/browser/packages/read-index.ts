/** Fetches the index beside the page, and yields its records while they arrive. */

import { IndexDecoder } from './index-decoder.ts';
import type { IndexFacts, IndexProblem } from './messages.ts';
import { RecordSplitter } from './record-splitter.ts';

/** Of those that we publish, in the order in which pkgin asks for them: so the page shows what pkgin sees. */
const indexFiles = ['pkg_summary.zst', 'pkg_summary.gz'] as const;

export interface IndexReader {
  readonly onRecords: (records: readonly Uint8Array[]) => void;
  /** The records so far are void. */
  readonly onRestart: () => void;
}

export type IndexReading =
  | { readonly outcome: 'read'; readonly index: IndexFacts }
  | { readonly outcome: 'failed'; readonly problems: readonly IndexProblem[] };

/** Takes the first index that is there and sound. */
export async function readIndex(repositoryUrl: string, reader: IndexReader): Promise<IndexReading> {
  const problems: IndexProblem[] = [];
  for (const file of indexFiles) {
    const url = new URL(file, repositoryUrl).href;
    try {
      // Asks whether the browser's copy is still the published one.
      const response = await fetch(url, { cache: 'no-cache' });
      if (response.ok) {
        await readRecords(response, reader.onRecords);
        return { outcome: 'read', index: { url, ...versionOf(response), up: linkUp(response, url) } };
      }
      await response.body?.cancel();
      // S3 says 403 of what is not there to those who may not list.
      const isAbsent = [403, 404, 410].includes(response.status);
      problems.push({ file, problem: `the server answers ${response.status} ${response.statusText}`.trim(), isAbsent });
    } catch (error) {
      problems.push({ file, problem: error instanceof Error ? error.message : String(error), isAbsent: false });
      reader.onRestart();
    }
  }
  return { outcome: 'failed', problems };
}

export function versionOf({ headers }: Response): Pick<IndexFacts, 'lastModified' | 'version'> {
  const date = headers.get('last-modified') ?? '';
  return { lastModified: Date.parse(date) || 0, version: headers.get('etag') ?? date };
}

/** `Link: <../?repositories>; rel="up"`, of the server itself. A bucket sends none. */
function linkUp({ headers }: Response, url: string): string | undefined {
  const [, reference = ''] = /<([^<>]*)>; *rel="up"/.exec(headers.get('link') ?? '') ?? [];
  if (reference === '' || !URL.canParse(reference, url)) return undefined;
  const up = new URL(reference, url);
  return up.origin === new URL(url).origin ? up.href : undefined;
}

async function readRecords(response: Response, onRecords: IndexReader['onRecords']): Promise<void> {
  const splitter = new RecordSplitter();
  const decoder = new IndexDecoder((bytes) => onRecords(splitter.push(bytes)));
  if (response.body !== null) {
    const chunks = response.body.getReader();
    for (let chunk = await chunks.read(); !chunk.done; chunk = await chunks.read()) decoder.push(chunk.value);
  }
  decoder.end();
  if (splitter.end().length > 0) throw new Error('expected an empty line at the end, found none: the index is cut off');
}
