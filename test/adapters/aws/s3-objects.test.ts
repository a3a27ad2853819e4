import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { S3Client } from '@aws-sdk/client-s3';
import { S3Objects, type S3ObjectsOptions } from '../../../functions/adapters/aws/s3-objects.ts';
import { ObjectChanged, type PutCondition } from '../../../functions/ports.ts';
import { type Answer, scriptedAnswers } from './scripted-answers.ts';

function storeAnswering(answers: readonly Answer[], more: Partial<S3ObjectsOptions> = {}) {
  const { settings, asked } = scriptedAnswers(answers);
  const client = new S3Client({ ...settings, forcePathStyle: true });
  return { store: new S3Objects(client, { bucket: 'bucket', ...more }), asked };
}

function refusal(status: number, code: string): Answer {
  return { status, body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}!</Message></Error>` };
}

const facts = { etag: '"e1"', 'content-length': '3', 'last-modified': 'Tue, 03 Feb 2026 04:05:06 GMT' };
const found: Answer = { headers: facts };
const bytes = new Uint8Array([1, 2, 3]);

function put(store: S3Objects, condition: PutCondition) {
  return store.put('All/x-1.0.tgz', bytes, {
    condition,
    metadata: { 'summary-sha256': 'abc' },
    contentType: 'application/gzip',
    lastModified: new Date(0),
  });
}

describe('S3Objects.head', () => {
  it('gives the facts, the ETag without its quotes', async () => {
    const { store } = storeAnswering([{ headers: { ...facts, 'x-amz-meta-run': '7' } }]);
    assert.deepEqual(await store.head('x'), {
      etag: 'e1',
      size: 3,
      lastModified: new Date('2026-02-03T04:05:06Z'),
      metadata: { run: '7' },
    });
  });

  it('takes 404 for absence, and nothing else', async () => {
    assert.equal(await storeAnswering([{ status: 404 }]).store.head('x'), undefined);
    for (const status of [400, 403, 412, 500, 503]) await assert.rejects(storeAnswering([{ status }]).store.head('x'));
  });

  it('says which permissions are missing, since the answer to a HEAD cannot', async () => {
    const { store } = storeAnswering([{ status: 403 }]);
    await assert.rejects(store.head('All/x.tgz'), /bucket: .* All\/x\.tgz .* s3:GetObject and s3:ListBucket/);
  });

  it('says what a store left out', async () => {
    const { etag: _, ...noEtag } = facts;
    const { store } = storeAnswering([{ headers: noEtag }]);
    await assert.rejects(store.head('All/x.tgz'), /bucket: expected the store to answer with ETag of All\/x\.tgz/);
  });
});

describe('S3Objects.readRange', () => {
  it('asks for the range of that version', async () => {
    for (const [quoteIfMatch, expected] of [
      [true, '"e1"'],
      [false, 'e1'],
    ] as const) {
      const { store, asked } = storeAnswering([{ status: 206, headers: { etag: '"e1"' }, body: 'abc' }], {
        quoteIfMatch,
      });
      assert.equal(Buffer.from(await store.readRange('a+b c', 'e1', 16, 3)).toString(), 'abc');
      assert.equal(asked[0]?.path, '/bucket/a%2Bb%20c');
      assert.equal(asked[0]?.headers.range, 'bytes=16-18');
      assert.equal(asked[0]?.headers['if-match'], expected);
    }
  });

  const changes: readonly [what: string, answers: Answer[]][] = [
    ['If-Match failed', [refusal(412, 'PreconditionFailed')]],
    ['the object is gone', [refusal(404, 'NoSuchKey')]],
    ['the store ignored If-Match', [{ status: 206, headers: { etag: '"e2"' }, body: 'abc' }]],
    [
      'the range is behind the end of another version',
      [refusal(416, 'InvalidRange'), { headers: { ...facts, etag: '"e2"' } }],
    ],
    ['the range is behind the end, and then there is no end', [refusal(416, 'InvalidRange'), { status: 404 }]],
  ];
  for (const [what, answers] of changes) {
    it(`says ObjectChanged where ${what}`, async () => {
      await assert.rejects(storeAnswering(answers).store.readRange('x', 'e1', 0, 3), ObjectChanged);
    });
  }

  it('reads nothing behind the end of the same version', async () => {
    const { store } = storeAnswering([refusal(416, 'InvalidRange'), found]);
    assert.equal((await store.readRange('x', 'e1', 3, 3)).byteLength, 0);
  });

  it('reads nothing where nothing is asked for, of the same version only', async () => {
    assert.equal((await storeAnswering([found]).store.readRange('x', 'e1', 0, 0)).byteLength, 0);
    await assert.rejects(storeAnswering([found]).store.readRange('x', 'e2', 0, 0), ObjectChanged);
  });

  it('throws what is no answer on', async () => {
    for (const [status, code] of [
      [403, 'AccessDenied'],
      [404, 'NoSuchBucket'],
      [503, 'SlowDown'],
    ] as const) {
      await assert.rejects(storeAnswering([refusal(status, code)]).store.readRange('x', 'e1', 0, 3), { name: code });
    }
  });
});

describe('S3Objects.put', () => {
  const ifMatch = { ifMatch: 'e1' };
  const ifNoneMatch = { ifNoneMatch: '*' } as const;

  it('sends the condition and what the object carries', async () => {
    const { store, asked } = storeAnswering([{ headers: { etag: '"e2"' } }, { headers: { etag: '"e2"' } }]);
    assert.deepEqual(await put(store, ifMatch), { outcome: 'stored', etag: 'e2' });
    assert.deepEqual(await put(store, ifNoneMatch), { outcome: 'stored', etag: 'e2' });
    const headers = asked.map(({ headers }) => [headers['if-match'], headers['if-none-match']]);
    assert.deepEqual(headers, [
      ['"e1"', undefined],
      [undefined, '*'],
    ]);
    assert.equal(asked[0]?.headers['content-type'], 'application/gzip');
    assert.equal(asked[0]?.headers['x-amz-meta-summary-sha256'], 'abc');
  });

  const cases: readonly [status: number, code: string, condition: PutCondition, expected: 'lost-race' | 'thrown'][] = [
    [412, 'PreconditionFailed', ifMatch, 'lost-race'],
    [412, 'PreconditionFailed', ifNoneMatch, 'lost-race'],
    [409, 'ConditionalRequestConflict', ifMatch, 'lost-race'],
    [409, 'ConditionalRequestConflict', ifNoneMatch, 'lost-race'],
    [404, 'NoSuchKey', ifMatch, 'lost-race'],
    [404, 'NoSuchKey', ifNoneMatch, 'thrown'],
    [404, 'NoSuchBucket', ifMatch, 'thrown'],
    [403, 'AccessDenied', ifMatch, 'thrown'],
    [500, 'InternalError', ifMatch, 'thrown'],
    [503, 'SlowDown', ifNoneMatch, 'thrown'],
  ];
  for (const [status, code, condition, expected] of cases) {
    it(`${status} ${code} under ${Object.keys(condition)[0]}: ${expected}`, async () => {
      const { store } = storeAnswering([refusal(status, code)]);
      if (expected === 'thrown') await assert.rejects(put(store, condition), { name: code });
      else assert.deepEqual(await put(store, condition), { outcome: expected });
    });
  }
});

describe('S3Objects.delete', () => {
  it('is content where there is nothing to delete, but not where there is no bucket', async () => {
    await storeAnswering([{ status: 204 }]).store.delete('x');
    await storeAnswering([refusal(404, 'NoSuchKey')]).store.delete('x');
    await assert.rejects(storeAnswering([refusal(404, 'NoSuchBucket')]).store.delete('x'), { name: 'NoSuchBucket' });
  });
});

describe('S3Objects.list', () => {
  function page(keys: readonly string[], more: string): Answer {
    const contents = keys.map(
      (key) => `<Contents><Key>${key}</Key><ETag>&quot;e&quot;</ETag><Size>3</Size></Contents>`,
    );
    return { body: `<?xml version="1.0"?><ListBucketResult>${more}${contents.join('')}</ListBucketResult>` };
  }

  async function keysOf(answers: readonly Answer[]) {
    const { store, asked } = storeAnswering(answers);
    const keys: string[] = [];
    for await (const { key, etag, size } of store.list('All/')) {
      assert.deepEqual([etag, size], ['e', 3]);
      keys.push(key);
    }
    return { keys, asked };
  }

  it('follows the pages', async () => {
    const { keys, asked } = await keysOf([
      page(['All/1'], '<IsTruncated>true</IsTruncated><NextContinuationToken>t+1</NextContinuationToken>'),
      page([], '<IsTruncated>true</IsTruncated><NextContinuationToken>t2</NextContinuationToken>'),
      page(['All/2'], '<IsTruncated>false</IsTruncated>'),
    ]);
    assert.deepEqual(keys, ['All/1', 'All/2']);
    assert.deepEqual(
      asked.map(({ query }) => [query.prefix, query['encoding-type'], query['continuation-token']]),
      [
        ['All/', 'url', undefined],
        ['All/', 'url', 't+1'],
        ['All/', 'url', 't2'],
      ],
    );
  });

  it('decodes keys where the store says that it encoded them, and only there', async () => {
    const written = ['All/gtk2%2B-2.tgz', 'All/two+blanks', 'All/%C3%BC', 'All/%01'];
    const encoded = await keysOf([page(written, '<EncodingType>url</EncodingType>')]);
    assert.deepEqual(encoded.keys, ['All/gtk2+-2.tgz', 'All/two blanks', 'All/ü', 'All/\u0001']);
    assert.deepEqual((await keysOf([page(written, '')])).keys, written);
  });

  it('leaves out a key that is not UTF-8', async () => {
    assert.deepEqual((await keysOf([page(['All/%FC', 'All/b'], '<EncodingType>url</EncodingType>')])).keys, ['All/b']);
  });

  it('does not take a bucket that is absent for an empty one', async () => {
    await assert.rejects(keysOf([refusal(404, 'NoSuchBucket')]), { name: 'NoSuchBucket' });
  });
});
