import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { S3Client } from '@aws-sdk/client-s3';
import { S3Aliases } from '../../../functions/adapters/aws/s3-aliases.ts';
import { aliasMetadata, type ObjectKey } from '../../../functions/ports.ts';
import { MemoryObjects } from '../memory-objects.ts';
import { type Answer, scriptedAnswers } from './scripted-answers.ts';

const key = 'All/gtk2+-1.0.tgz';
const aliasKey = 'All/gtk2 -1.0.tgz';
const bytes = Buffer.from('a package');
const copied: Answer = { body: '<CopyObjectResult><ETag>"copy"</ETag></CopyObjectResult>' };

/** A bucket whose objects are in memory; copies go to a client that answers as told. */
function aliasesIn(objects: MemoryObjects, answers: readonly Answer[] = []) {
  const { settings, asked } = scriptedAnswers(answers);
  const client = new S3Client({ ...settings, forcePathStyle: true });
  return { aliases: new S3Aliases(client, { bucket: 'bucket', objects }), asked };
}

/** Reconciles as extract does: with what is at the key now. */
async function reconcile(objects: MemoryObjects, at: ObjectKey, answers: readonly Answer[] = []) {
  const { aliases, asked } = aliasesIn(objects, answers);
  await aliases.reconcile(at, await objects.head(at));
  return asked;
}

async function putAlias(objects: MemoryObjects, mark: string): Promise<void> {
  await objects.put(aliasKey, bytes, {
    condition: { ifNoneMatch: '*' },
    metadata: { [aliasMetadata]: mark },
    contentType: 'application/octet-stream',
    lastModified: new Date(0),
  });
}

describe('the alias of a package with a plus in its name', () => {
  it('is a copy of the package, marked with its ETag and its key', async () => {
    const objects = new MemoryObjects();
    const etag = objects.upload(key, bytes);
    const [copy, ...others] = await reconcile(objects, key, [copied]);
    assert.deepEqual(others, []);
    assert.equal(copy?.method, 'PUT');
    assert.equal(copy?.path, '/bucket/All/gtk2%20-1.0.tgz');
    assert.equal(copy?.headers['x-amz-copy-source'], 'bucket/All%2Fgtk2%2B-1.0.tgz');
    assert.equal(copy?.headers[`x-amz-meta-${aliasMetadata}`], `${etag} All%2Fgtk2%2B-1.0.tgz`);
  });

  it('is copied again only after its package changed', async () => {
    const objects = new MemoryObjects();
    const etag = objects.upload(key, bytes);
    await putAlias(objects, `${etag} All%2Fgtk2%2B-1.0.tgz`);
    assert.deepEqual(await reconcile(objects, key), []);
    objects.upload(key, bytes);
    assert.equal((await reconcile(objects, key, [copied])).length, 1);
  });

  it('goes with its package', async () => {
    const objects = new MemoryObjects();
    await putAlias(objects, 'etag All%2Fgtk2%2B-1.0.tgz');
    await reconcile(objects, key);
    assert.equal(objects.objects.has(aliasKey), false);
  });

  it('goes with a hint of its own, too, where the event of its package was lost', async () => {
    const objects = new MemoryObjects();
    await putAlias(objects, 'etag All%2Fgtk2%2B-1.0.tgz');
    await reconcile(objects, aliasKey);
    assert.equal(objects.objects.has(aliasKey), false);
  });

  it('stays as long as its package is there', async () => {
    const objects = new MemoryObjects();
    objects.upload(key, bytes);
    await putAlias(objects, 'etag All%2Fgtk2%2B-1.0.tgz');
    await reconcile(objects, aliasKey);
    assert.equal(objects.objects.has(aliasKey), true);
  });

  it('is never made of, or in the place of, what somebody uploaded under its key', async () => {
    const objects = new MemoryObjects();
    objects.upload(aliasKey, bytes);
    for (const at of [key, aliasKey]) await reconcile(objects, at);
    objects.upload(key, bytes);
    for (const at of [key, aliasKey]) await reconcile(objects, at);
    assert.deepEqual(objects.objects.get(aliasKey)?.metadata, {});
  });

  it('is not copied from a package that is gone meanwhile', async () => {
    const objects = new MemoryObjects();
    objects.upload(key, bytes);
    const gone = { status: 404, body: '<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>' };
    await reconcile(objects, key, [gone]);
    await assert.rejects(reconcile(objects, key, [{ ...gone, status: 403 }]));
  });
});
