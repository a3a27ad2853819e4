import assert from 'node:assert/strict';
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { DirectoryObjects } from '../../../functions/adapters/local/directory-objects.ts';
import { asyncCalls, syncCalls } from '../../../functions/adapters/local/file-calls.ts';
import type { PutOptions } from '../../../functions/ports.ts';
import { readDirectoryEntries } from '../../../functions/server/directory-entries.ts';
import { openServed } from '../../../functions/server/open-served.ts';
import { serverLimits } from '../../../functions/server/server-limits.ts';

const created: PutOptions = {
  condition: { ifNoneMatch: '*' },
  contentType: 'text/plain',
  lastModified: new Date(0),
  metadata: {},
};

for (const [flavour, calls] of Object.entries({ waiting: asyncCalls, blocking: syncCalls }))
  describe(`DirectoryObjects that follows links, ${flavour}`, () => {
    let place: string;
    let root: string;
    let store: DirectoryObjects;
    let skipped: string[];

    beforeEach(async () => {
      place = await realpath(await mkdtemp(join(tmpdir(), 'followed-links-')));
      root = join(place, 'root');
      skipped = [];
      for (const name of ['root/real', 'root/.hidden', 'outside/deep', 'other', 'state'])
        await mkdir(join(place, name), { recursive: true });
      for (const name of ['root/real/a', 'root/.hidden/h', 'outside/b', 'outside/deep/c', 'state/table'])
        await writeFile(join(place, name), name);
      store = new DirectoryObjects({
        root,
        stateDirectory: join(place, 'state'),
        calls,
        followsLinks: true,
        onSkipped: (path, reason) => {
          assert.equal(reason, 'symbolic link');
          skipped.push(
            Buffer.from(path)
              .toString()
              .slice(root.length + 1),
          );
        },
      });
    });
    afterEach(() => rm(place, { recursive: true }));

    async function listed(prefix = ''): Promise<string[]> {
      const keys = [];
      for await (const { key, etag, size } of store.list(prefix)) {
        const facts = await store.head(key);
        assert.deepEqual({ etag: facts?.etag, size: facts?.size }, { etag, size });
        keys.push(key);
      }
      return keys.sort();
    }

    it('takes a link for what it leads to, in the directory or outside', async () => {
      await symlink('real/a', join(root, 'near'));
      await symlink(join(place, 'outside/b'), join(root, 'far'));
      await symlink('near', join(root, 'twice'));
      await symlink(join(place, 'outside'), join(root, 'linked'));
      assert.deepEqual(await listed(), ['far', 'linked/b', 'linked/deep/c', 'near', 'real/a', 'twice']);
      assert.deepEqual(await listed('linked/'), ['linked/b', 'linked/deep/c']);
      assert.deepEqual(skipped, []);
      const facts = await store.head('linked/b');
      assert.equal(facts?.size, (await stat(join(place, 'outside/b'))).size);
      assert.equal(Buffer.from(await store.readRange('linked/b', facts?.etag ?? '', 3, 4)).toString(), 'side');
      const opened = store.openedObject('far');
      const { etag = '' } = (await opened.head()) ?? {};
      assert.equal(Buffer.from(await opened.readRange('far', etag, 0, 100)).toString(), 'outside/b');
      await opened.close();
    });

    it('has another ETag once the target is another', async () => {
      await symlink(join(place, 'outside/b'), join(root, 'far'));
      const before = await store.head('far');
      await writeFile(join(place, 'new'), 'outside/b');
      await rename(join(place, 'new'), join(place, 'outside/b'));
      assert.notEqual((await store.head('far'))?.etag, before?.etag);
    });

    it('leaves out and names what leads to nothing, to what is hidden, or back to where it is', async () => {
      const links = {
        dangling: 'nowhere',
        round: 'round',
        above: '.',
        'real/parent': '..',
        'known-already': 'real',
        parent: place,
        slash: '/',
        hidden: '.hidden',
        'hidden-file': '.hidden/h',
        state: '../state',
        'state-file': '../state/table',
      };
      for (const [name, target] of Object.entries(links)) await symlink(target, join(root, name));
      // Two directories outside that link to each other.
      await symlink(join(place, 'outside'), join(root, 'linked'));
      await symlink(join(place, 'other'), join(place, 'outside/other'));
      await symlink(join(place, 'outside'), join(place, 'other/back'));
      await symlink('.', join(place, 'outside/self'));
      assert.deepEqual(await listed(), ['linked/b', 'linked/deep/c', 'real/a']);
      assert.deepEqual(skipped.sort(), [...Object.keys(links), 'linked/other/back', 'linked/self'].sort());
      for (const key of ['hidden/h', 'hidden-file', 'state/table', 'state-file', 'above/real/a', 'linked/self/b'])
        for (const name of ['head', 'settlingFile'] as const) assert.equal(await store[name](key), undefined, key);
      assert.equal(await store.openedObject('hidden-file').head(), undefined);
    });

    it('replaces and deletes a link, and never its target', async () => {
      for (const name of ['a', 'b', 'c']) await symlink(join(place, 'outside/b'), join(root, name));
      const ifMatch = (await store.head('a'))?.etag ?? '';
      const stored = await store.put('a', Buffer.from('new'), { ...created, condition: { ifMatch } });
      assert.equal(stored.outcome, 'stored');
      const { outcome } = await store.receive(
        'b',
        (async function* () {
          yield Buffer.from('new');
        })(),
        { bytesMax: 3 },
      );
      assert.equal(outcome, 'replaced');
      await store.delete('c');
      assert.deepEqual((await readdir(root)).sort(), ['.hidden', 'a', 'b', 'real']);
      for (const name of ['a', 'b']) {
        assert.ok((await lstat(join(root, name))).isFile());
        assert.equal(await readFile(join(root, name), 'utf8'), 'new');
      }
      assert.equal(await readFile(join(place, 'outside/b'), 'utf8'), 'outside/b');
    });

    it('writes into a linked directory, where its index belongs', async () => {
      await symlink(join(place, 'outside'), join(root, 'linked'));
      await store.put('linked/index', Buffer.from('x'), created);
      assert.equal(await readFile(join(place, 'outside/index'), 'utf8'), 'x');
      assert.ok((await lstat(join(root, 'linked'))).isSymbolicLink());
    });
  });

describe('the server that follows links', () => {
  it('serves what is outside, but neither the state directory nor what is hidden', async (t) => {
    const place = await realpath(await mkdtemp(join(tmpdir(), 'followed-links-')));
    t.after(() => rm(place, { recursive: true }));
    const [root, state] = [join(place, 'root'), join(place, 'state')];
    for (const name of [join(root, '.hidden'), state]) await mkdir(name, { recursive: true });
    for (const name of ['far', 'state/table', 'root/.hidden/h']) await writeFile(join(place, name), name);
    const links = { far: '../far', table: '../state/table', hidden: '.hidden/h', around: '..' };
    for (const [name, target] of Object.entries(links)) await symlink(target, join(root, name));
    const open = async (hidden: string | undefined, ...parts: string[]) => {
      const opened = await openServed(root, parts, hidden);
      if (opened?.kind === 'file') await opened.handle.close();
      return opened?.kind;
    };
    assert.equal(await open(state, 'far'), 'file');
    assert.equal(await open(undefined, 'far'), undefined);
    for (const parts of [['table'], ['hidden'], ['around', 'state', 'table']])
      assert.equal(await open(state, ...parts), undefined, parts.join('/'));
    const names = async (hidden?: string) =>
      (await readDirectoryEntries(root, root, serverLimits, hidden)).map(({ name }) => name);
    assert.deepEqual(await names(state), ['around', 'far']);
    assert.deepEqual(await names(), []);
  });
});
