/** The commands over `s3://`: a store in this process, which ignores conditional puts, and a table in a temporary directory. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { anyCredentials, type StandInStore, startStandInStore } from '../adapters/store/stand-in-store.ts';
import { makePackage } from '../package-maker.ts';
import { runHere, withoutAws } from './command-process.ts';

let store: StandInStore;
let state: string;

before(async () => {
  store = await startStandInStore();
  state = await mkdtemp(join(tmpdir(), 'store-commands-'));
});
after(async () => {
  await store.stop();
  await rm(state, { recursive: true });
});

const command = async (
  name: string,
  args: readonly string[],
  { endpoint = store.endpoint, ...more }: Readonly<Record<string, string>> = {},
) =>
  await runHere(name, [...args, '--endpoint', endpoint], {
    ...withoutAws,
    XDG_STATE_HOME: state,
    ...anyCredentials,
    ...more,
  });

async function upload(bucket: string, key: string, body: Uint8Array): Promise<void> {
  await store.client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
}

describe('a store in the place of a directory', () => {
  let bucket: string;
  before(async () => {
    bucket = store.newBucket();
    await upload(bucket, 'main/All/good-1.0.tgz', makePackage({ name: 'good-1.0' }));
    await upload(bucket, 'main/All/gtk2+-2.0.tgz', makePackage({ name: 'gtk2+-2.0' }));
    await upload(bucket, 'main/All/bad-1.0.tgz', Buffer.from('no package'));
    await upload(bucket, 'other/All/other-1.0.tgz', makePackage({ name: 'other-1.0' }));
  });

  it('is indexed, and what is outside of its prefix is left alone', async () => {
    const { exitCode, stdout, stderr } = await command('index', [`s3://${bucket}/main`]);
    assert.match(stdout, /^All: 2 packages, 1 rejected, 0 warnings, .* published/m);
    assert.match(stderr, /^the store has .*; it lacks conditional puts/m);
    assert.match(stderr, /^All\/bad-1\.0\.tgz: rejected: not-a-package/m);
    assert.equal(exitCode, 1);
    const again = await command('index', [`s3://${bucket}/main`]);
    assert.match(again.stdout, /^All: 2 packages, 1 rejected, 0 warnings, index unchanged/m);
  });

  it('has a status, findings and explanations, also of a part of it', async () => {
    const status = await command('status', [`s3://${bucket}/main`, '--json']);
    const { store: abilities, repositories } = JSON.parse(status.stdout);
    assert.equal(abilities.conditionalPuts, 'no');
    assert.equal(repositories[0].repository, 'All');
    assert.deepEqual([repositories[0].packages, repositories[0].rejected.length], [2, 1]);
    assert.match((await command('status', [`s3://${bucket}/main/All`])).stdout, /it lacks conditional puts/);
    const explained = await command('explain', [`s3://${bucket}/main/All/bad-1.0.tgz`]);
    assert.match(explained.stdout, /^All\/bad-1\.0\.tgz: .*rejected/);
    const checked = await command('check', [`s3://${bucket}/main`, '--json']);
    assert.equal(JSON.parse(checked.stdout).repositories[0].report.packages, 2);
  });

  it('is only read by commands that read', async () => {
    const unused = store.newBucket();
    for (const [name, place] of [
      ['status', `s3://${unused}`],
      ['check', `s3://${unused}`],
      ['explain', `s3://${unused}/All/x-1.0.tgz`],
    ] as const) {
      const { exitCode, stdout, stderr } = await command(name, [place]);
      assert.doesNotMatch(stdout + stderr, /the store has/);
      assert.equal(exitCode, name === 'status' ? 0 : 3, stderr);
    }
  });

  it('stands in a configuration file with others, each with its own credentials', async () => {
    const shared = store.newBucket();
    for (const name of ['one', 'two'])
      await upload(shared, `${name}/All/${name}-1.0.tgz`, makePackage({ name: `${name}-1.0` }));
    const file = join(state, 'indexer.toml');
    const block = (path: string) => `[[directories]]
path = "${path}"
endpoint = "${store.endpoint}"
access-key-id = "SOMEKEY"
secret-access-key = "SOMESECRET"
state = "${path.replace(/.*\//, '')}-table"
`;
    await writeFile(file, block(`s3://${shared}/one`) + block(`s3://${shared}/two`));
    const environment = { ...withoutAws, XDG_STATE_HOME: state };
    const { exitCode, stdout, stderr } = await runHere('index', ['--config', file], environment);
    for (const name of ['one', 'two'])
      assert.match(stdout, new RegExp(`^s3://${shared}/${name}: All: 1 package, .* published`, 'm'), stderr);
    assert.equal(exitCode, 0);
    assert.doesNotMatch(stdout + stderr, /SOMESECRET/);
    const status = await runHere('status', [`s3://${shared}/two/All`, '--config', file, '--json'], environment);
    assert.equal(JSON.parse(status.stdout).repositories[0].packages, 1);
    const half = await runHere('status', [`s3://${shared}`, '--access-key-id', 'x'], environment);
    assert.deepEqual(
      [half.exitCode, /expected both --access-key-id and --secret-access-key/.test(half.stderr)],
      [2, true],
    );
  });

  it('is described where it cannot be used: no bucket, no store, no credentials, a wrong name', async () => {
    const noStore = { endpoint: 'http://127.0.0.1:1' };
    const anonymous = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' };
    for (const [place, more, expected] of [
      ['s3://no-such-bucket', {}, /^pkgsrc-indexer: there is no bucket no-such-bucket at http.*: create it$/m],
      ['s3://b', noStore, /^pkgsrc-indexer: cannot reach s3:\/\/b at http:\/\/127.0.0.1:1 \(connect ECONNREFUSED/m],
      [`s3://${bucket}`, anonymous, /^pkgsrc-indexer: no credentials for s3:\/\/bucket-.*: set AWS_ACCESS_KEY_ID/m],
      ['s3:///x', {}, /^pkgsrc-indexer: expected s3:\/\/BUCKET or s3:\/\/BUCKET\/PREFIX, found s3:\/\/\/x$/m],
    ] as const) {
      const { exitCode, stderr } = await command('index', [place], more);
      assert.match(stderr, expected);
      assert.ok(exitCode === 3 || exitCode === 2);
      assert.equal(stderr.includes(anyCredentials.AWS_SECRET_ACCESS_KEY), false);
    }
  });
});
