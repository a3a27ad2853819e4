/** No credential is ever written to a log, whatever goes wrong, and whatever others answer. */

import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { inTemporaryDirectory, run, ServingIndexer, soon } from './local/indexer-process.ts';
import { makeRepository } from './local/made-repository.ts';
import { makePackage } from './package-maker.ts';
import { assertFreeOf, secrets, withRefusingAws } from './refusing-aws.ts';

test('the upload token is in no log, no answer, no file and no help, however it is shown', async () => {
  const token = 'wOnderfu1-token';
  const environment = { PKGSRC_INDEXER_UPLOAD_TOKEN: token };
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
    assert.deepEqual(statuses, [201, 204, 422, 401, 401, 401, 401, 401]);
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
      environment: { PKGSRC_INDEXER_UPLOAD_TOKEN: `${token} blank` },
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

test('a command shows no credential, even where AWS answers with what was signed', () =>
  withRefusingAws(async (environment, asked) => {
    const { exitCode, stdout, stderr } = await run(['status', '--stack', 'some'], { environment });
    assert.equal(exitCode, 3);
    assert.match(stderr, /AWS refused these credentials|Canonical String/);
    assert.notEqual(asked.length, 0);
    assertFreeOf(stdout + stderr, secrets);
  }));
