import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  appendFile,
  chmod,
  copyFile,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import {
  DirectoryObjects,
  type DirectoryObjectsOptions,
  ObjectTooLarge,
  UnusableKey,
} from '../../../functions/adapters/local/directory-objects.ts';
import type { SkipReason } from '../../../functions/adapters/local/directory-tree.ts';
import { asyncCalls, type FileCalls, type OpenFile, syncCalls } from '../../../functions/adapters/local/file-calls.ts';
import type { PackageSource } from '../../../functions/package/package-source.ts';
import { ObjectChanged, type ObjectKey, type PutOptions } from '../../../functions/ports.ts';
import { anyText } from '../../any-text.ts';
import { runs } from '../../thoroughness.ts';
import { objectStoreContract } from '../object-store.contract.ts';

async function openBelow(base: string, more: Partial<DirectoryObjectsOptions> = {}) {
  const directory = await mkdtemp(join(base, 'directory-objects-'));
  const root = join(directory, 'root');
  const stateDirectory = join(directory, 'state');
  await mkdir(root);
  await mkdir(stateDirectory);
  const store = new DirectoryObjects({ root, stateDirectory, ...more });
  return { directory, root, stateDirectory, store, close: () => rm(directory, { recursive: true }) };
}

/** In memory where there is such a place: hundreds of puts, each synced to the disk, take long on a busy one. */
const fastDirectory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
for (const [flavour, calls] of Object.entries({ waiting: asyncCalls, blocking: syncCalls })) {
  const traits = { etagOf: 'write', lastModified: 'as asked', objectsListed: 300 } as const;
  objectStoreContract(`DirectoryObjects, ${flavour}`, () => openBelow(fastDirectory, { calls }), traits);
  describe(`DirectoryObjects, ${flavour}`, () => directoryObjectsTests(calls));
}

function directoryObjectsTests(calls: FileCalls): void {
  let opened: Awaited<ReturnType<typeof openBelow>>;
  let store: DirectoryObjects;
  let root: string;
  let skipped: [string, SkipReason][];

  beforeEach(async () => {
    skipped = [];
    const onSkipped = (path: Uint8Array, reason: SkipReason) =>
      skipped.push([Buffer.from(path).toString('latin1'), reason]);
    opened = await openBelow(tmpdir(), { calls, onSkipped });
    ({ store, root } = opened);
  });
  afterEach(() => opened.close());

  const created: PutOptions = {
    condition: { ifNoneMatch: '*' },
    metadata: {},
    contentType: 'text/plain',
    lastModified: new Date('2026-02-03T04:05:06Z'),
  };
  async function keys(prefix = ''): Promise<ObjectKey[]> {
    const found: ObjectKey[] = [];
    for await (const { key } of store.list(prefix)) found.push(key);
    return found.sort();
  }
  async function etagOf(key: ObjectKey): Promise<string> {
    const facts = await store.head(key);
    assert.ok(facts, `${key} is absent`);
    return facts.etag;
  }
  /** Every path below the root, hidden ones too. */
  const everything = () => readdir(root, { recursive: true });

  describe('what other programs do to a file', () => {
    const changes: Record<string, (path: string) => Promise<void>> = {
      'writing to it': (path) => writeFile(path, 'other'),
      'appending to it': (path) => appendFile(path, 'more'),
      'cutting it': (path) => truncate(path, 2),
      'renaming another onto it': async (path) => {
        await writeFile(`${path}.new`, 'first');
        await utimes(`${path}.new`, (await stat(path)).atime, (await stat(path)).mtime);
        await rename(`${path}.new`, path);
      },
      'setting its time': (path) => utimes(path, 1, 1),
    };
    for (const [change, apply] of Object.entries(changes)) {
      it(`${change} gives it a new ETag, and reading the old one fails`, async () => {
        const path = join(root, 'a');
        await writeFile(path, 'first');
        const before = await etagOf('a');
        await apply(path);
        assert.notEqual(await etagOf('a'), before);
        await assert.rejects(store.readRange('a', before, 0, 5), ObjectChanged);
      });
    }

    const ofAPackage: Record<string, (path: string) => Promise<void>> = {
      'writing as many bytes and setting its time back': (path) => writeFile(path, 'other'),
      'changing its mode': (path) => chmod(path, 0o600),
      'linking it': (path) => link(path, `${path}.link`),
    };
    for (const [change, apply] of Object.entries(ofAPackage)) {
      it(`${change} gives a package a new ETag, and no other file`, async () => {
        for (const key of ['x-1.0.tgz', 'pkg_summary.gz', 'index.html']) {
          const path = join(root, key);
          await writeFile(path, 'first');
          await utimes(path, 1_700_000_000.25, 1_700_000_000.25);
          const before = await etagOf(key);
          await sleep(20); // more than a tick of the kernel's clock
          await apply(path);
          await utimes(path, 1_700_000_000.25, 1_700_000_000.25);
          const isPackage = key === 'x-1.0.tgz';
          assert.equal((await etagOf(key)) !== before, isPackage, key);
          if (isPackage) await assert.rejects(store.readRange(key, before, 0, 5), ObjectChanged);
          else assert.equal((await store.readRange(key, before, 0, 5)).length, 5);
        }
      });
    }

    it('writing to it between look and read makes the read fail', async () => {
      const path = join(root, 'a');
      await writeFile(path, 'first');
      let reads = 0;
      const open: FileCalls['open'] = async (...args) => {
        const file = await calls.open(...args);
        const read: OpenFile['read'] = async (...range) => {
          reads += 1;
          await writeFile(path, 'other');
          return await file.read(...range);
        };
        return { ...file, read };
      };
      const overtaken = new DirectoryObjects({
        root,
        stateDirectory: opened.stateDirectory,
        calls: { ...calls, open },
      });
      const etag = (await overtaken.head('a'))?.etag ?? '';
      await assert.rejects(overtaken.readRange('a', etag, 0, 5), ObjectChanged);
      assert.equal(reads, 1);
    });

    it('renaming it to another key keeps its ETag, so that it need not be read again for that', async () => {
      await mkdir(join(root, 'All'));
      await writeFile(join(root, 'All/a'), 'x');
      const before = await etagOf('All/a');
      await rename(join(root, 'All'), join(root, 'Every'));
      assert.equal(await etagOf('Every/a'), before);
      assert.equal(await store.head('All/a'), undefined);
    });

    it('replacing it by other means drops the metadata', async () => {
      await store.put('a', Buffer.from('x'), { ...created, metadata: { run: '1' } });
      assert.deepEqual((await store.head('a'))?.metadata, { run: '1' });
      await writeFile(join(root, 'a'), 'y');
      assert.deepEqual((await store.head('a'))?.metadata, {});
    });

    it('damaged metadata is no metadata', async () => {
      await store.put('a', Buffer.from('x'), { ...created, metadata: { run: '1' } });
      const [file = ''] = await readdir(join(opened.stateDirectory, 'metadata'));
      for (const text of ['', '{', 'null', '[]', '{"key":"a"}', '{"metadata":{"run":1}}']) {
        await writeFile(join(opened.stateDirectory, 'metadata', file), text);
        assert.deepEqual((await store.head('a'))?.metadata, {}, text);
      }
    });
  });

  describe('what is no object', () => {
    async function assertNoObject(key: ObjectKey, because: string): Promise<void> {
      assert.equal(await store.head(key), undefined, because);
      await assert.rejects(store.readRange(key, 'any', 0, 1), ObjectChanged, because);
      await store.delete(key);
    }

    it('a symbolic link to a file, and a file below a linked directory', async () => {
      await mkdir(join(root, 'real'));
      await writeFile(join(root, 'real/a'), 'x');
      const etag = await etagOf('real/a');
      await symlink('a', join(root, 'real/link'));
      await symlink('real', join(root, 'linked'));
      await symlink('nowhere', join(root, 'dangling'));
      await symlink('round', join(root, 'round'));
      const before = await everything();
      for (const key of ['real/link', 'linked/a', 'linked', 'dangling', 'round', 'round/a']) {
        await assertNoObject(key, key);
        await assert.rejects(store.readRange(key, etag, 0, 1), ObjectChanged, key);
      }
      assert.deepEqual(await keys(), ['real/a']);
      assert.deepEqual(await keys('linked/'), []);
      assert.deepEqual(
        skipped.map(([path, reason]) => [path.slice(root.length + 1), reason]).sort(),
        ['dangling', 'linked', 'real/link', 'round'].map((path) => [path, 'symbolic link']),
      );
      assert.deepEqual(await everything(), before, 'a link was deleted');
    });

    it('a dot file, and a file below a dot directory', async () => {
      await mkdir(join(root, '.state/deep'), { recursive: true });
      await writeFile(join(root, '.state/deep/a'), 'x');
      await writeFile(join(root, '.hidden'), 'x');
      for (const key of ['.hidden', '.state/deep/a']) await assertNoObject(key, key);
      assert.deepEqual(await keys(), []);
      assert.deepEqual(await keys('.'), []);
      assert.deepEqual(await keys('.state/'), []);
      assert.deepEqual(skipped, []);
      assert.equal(existsSync(join(root, '.hidden')), true, 'delete touched a hidden file');
    });

    it('what the operator decided is an object, and is not listed', async () => {
      for (const key of ['.indexer-state/confirmed.json', 'All/.indexer-state/confirmed.json']) {
        assert.equal((await store.put(key, Buffer.from('y'), created)).outcome, 'stored');
        const head = await store.head(key);
        assert.ok(head);
        assert.equal(Buffer.from(await store.readRange(key, head.etag, 0, 10)).toString(), 'y');
        assert.deepEqual(await keys(), []);
        await store.delete(key);
        assert.equal(await store.head(key), undefined);
      }
    });

    it('a directory, and a path below a file', async () => {
      await mkdir(join(root, 'directory'));
      await writeFile(join(root, 'file'), 'x');
      for (const key of ['directory', 'directory/', 'file/below', 'file/']) await assertNoObject(key, key);
      assert.deepEqual(await keys(), ['file']);
    });

    it('a name that is not UTF-8: it is told, and the others are listed', async () => {
      await writeFile(Buffer.concat([Buffer.from(`${root}/gr`), Buffer.from([0xfc]), Buffer.from('n.tgz')]), 'x');
      await writeFile(join(root, '\ufeffgr\u00fcn.tgz'), 'x');
      assert.deepEqual(await keys(), ['\ufeffgr\u00fcn.tgz']);
      assert.deepEqual(skipped, [[`${root}/gr\xfcn.tgz`, 'name is not UTF-8']]);
    });

    it('a key that climbs out of the directory', async () => {
      await writeFile(join(opened.directory, 'outside'), 'x');
      for (const key of ['../outside', 'a/../../outside', './outside', '/outside', `${opened.directory}/outside`]) {
        await assertNoObject(key, key);
        await assert.rejects(store.put(key, Buffer.from('y'), created), UnusableKey, key);
        await assert.rejects(store.receive(key, body('y'), { bytesMax: 10 }), UnusableKey, key);
        assert.deepEqual(await keys(key), []);
      }
      assert.equal(await readFile(join(opened.directory, 'outside'), 'utf8'), 'x');
    });
  });

  describe('a key that a directory cannot hold', () => {
    const cases: Record<string, { key: ObjectKey; message: RegExp }> = {
      'the empty key': { key: '', message: /it is empty/ },
      'an empty part': { key: 'a//b', message: /empty part/ },
      'a slash at the end': { key: 'a/', message: /empty part/ },
      'a hidden part': { key: 'a/.b/c', message: /begins with a dot/ },
      'the directory of the operator, with one below': { key: 'a/.indexer-state/b/c', message: /begins with a dot/ },
      'a file that is called like it': { key: 'a/.indexer-state', message: /begins with a dot/ },
      'a NUL': { key: 'a\0b', message: /NUL/ },
      'half a surrogate pair': { key: 'a\ud800', message: /not valid Unicode/ },
      'a file name of 256 bytes': { key: `d/${'x'.repeat(256)}`, message: /too long/ },
      'a directory name of 256 bytes': { key: `${'x'.repeat(256)}/f`, message: /too long/ },
      'a file in the place of its directory': { key: 'file/below', message: /file is not a directory/ },
      'a link in the place of its directory': { key: 'link/below', message: /link is not a directory/ },
      'a directory in its place': { key: 'directory', message: /directory is a directory/ },
    };
    for (const [name, { key, message }] of Object.entries(cases)) {
      it(`${name}: put and receive say so, everything else finds nothing`, async () => {
        await writeFile(join(root, 'file'), 'x');
        await mkdir(join(root, 'directory'));
        await symlink('directory', join(root, 'link'));
        const isClear = (error: unknown) => error instanceof UnusableKey && message.test(error.message);
        await assert.rejects(store.put(key, Buffer.from('y'), created), isClear);
        await assert.rejects(store.receive(key, body('y'), { bytesMax: 10 }), isClear);
        assert.equal(await store.head(key), undefined);
        await store.delete(key);
        assert.deepEqual(await keys(), ['file']);
      });
    }

    it('a name of 255 bytes is held', async () => {
      await store.put(`d/${'x'.repeat(255)}`, Buffer.from('y'), created);
      assert.deepEqual(await keys(), [`d/${'x'.repeat(255)}`]);
    });

    it('whatever the key: it is held and listed, or refused and absent', async () => {
      const part = fc.oneof(
        fc.constantFrom('a', 'b', 'All', '.', '..', '', '.x', 'a.b', '\\', '%2e%2e', '~'),
        anyText({ maxLength: 5 }),
      );
      const key = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
      await fc.assert(
        fc.asyncProperty(key, async (key) => {
          await Promise.all((await readdir(root)).map((name) => rm(join(root, name), { recursive: true })));
          const put = await store.put(key, Buffer.from('x'), created).catch((error: unknown) => error);
          if (put instanceof Error) {
            assert.ok(put instanceof UnusableKey, String(put));
            assert.equal(await store.head(key), undefined);
            assert.deepEqual(await keys(), []);
          } else {
            assert.deepEqual(await keys(), [key]);
            assert.deepEqual(await keys(key), [key]);
            assert.equal((await store.head(key))?.size, 1);
          }
          const outside = (await readdir(opened.directory)).filter((name) => name !== 'root' && name !== 'state');
          assert.deepEqual(outside, [], 'something was written outside');
        }),
        { numRuns: runs(30) },
      );
    });
  });

  describe('a directory that cannot be read', () => {
    it('that is missing is an error, not an empty bucket', async () => {
      await rm(root, { recursive: true });
      const isClear = /root: expected a directory of packages, found none/;
      await assert.rejects(keys(), isClear);
      await assert.rejects(store.head('a'), isClear);
      await assert.rejects(store.put('a', Buffer.from('x'), created), isClear);
    });

    it('may itself be reached through a link', async () => {
      await writeFile(join(root, 'a'), 'x');
      await symlink('root', join(opened.directory, 'alias'));
      const aliased = new DirectoryObjects({
        root: join(opened.directory, 'alias'),
        stateDirectory: opened.stateDirectory,
      });
      assert.equal((await aliased.head('a'))?.size, 1);
      assert.equal((await aliased.put('b/c', Buffer.from('x'), created)).outcome, 'stored');
      assert.deepEqual(await keys(), ['a', 'b/c']);
    });

    it('that is another one than before is an error, also where nothing is found in it', async () => {
      await store.put('a', Buffer.from('x'), created);
      assert.equal(await store.isInPlace(), true);
      await rename(root, `${root}-unmounted`);
      assert.equal(await store.isInPlace(), false);
      await mkdir(root);
      assert.equal(await store.isInPlace(), false);
      const isClear = /root: expected the directory that was there before, found another one/;
      await assert.rejects(keys(), isClear);
      await assert.rejects(store.head('a'), isClear);
      await assert.rejects(store.receive('a', Readable.from([Buffer.from('x')]), { bytesMax: 10 }), isClear);
      assert.deepEqual(await readdir(root), [], 'nothing was written there');
      await rmdir(root);
      await rename(`${root}-unmounted`, root);
      assert.deepEqual(await keys(), ['a']);
    });

    it('that goes away while it is listed is an error: what was not listed is not absent', async () => {
      for (const name of ['a/1', 'b/2', 'c/3']) await store.put(name, Buffer.from('x'), created);
      const list = async () => {
        for await (const _ of store.list('')) await rename(root, `${root}-unmounted`).catch(() => {});
      };
      await assert.rejects(list(), /expected a directory of packages, found none/);
      await rename(`${root}-unmounted`, root);
    });

    describe('that is closed to this user', () => {
      /** Nothing is closed to root: be nobody for that while. */
      async function asNobody(work: () => Promise<void>): Promise<void> {
        await mkdir(join(root, 'open'));
        await writeFile(join(root, 'open', 'a'), 'x');
        await mkdir(join(root, 'closed'));
        await writeFile(join(root, 'closed', 'b'), 'x');
        await chmod(opened.directory, 0o755);
        const isRoot = process.geteuid?.() === 0;
        await chmod(join(root, 'closed'), isRoot ? 0o700 : 0);
        if (isRoot) process.seteuid?.(65_534);
        try {
          await work();
        } finally {
          if (isRoot) process.seteuid?.(0);
          else await chmod(join(root, 'closed'), 0o755);
        }
      }

      it('is left out of a list of everything, and told', () =>
        asNobody(async () => {
          assert.deepEqual(await keys(), ['open/a']);
          assert.deepEqual(skipped, [[join(root, 'closed'), 'permission is denied']]);
        }));

      it('is an error where it was asked for: an empty list would be a wrong one', () =>
        asNobody(async () => {
          await assert.rejects(keys('closed/'), /cannot list .*\/root\/closed: permission denied/);
          await assert.rejects(store.head('closed/b'), /EACCES/);
        }));
    });
  });

  describe('put', () => {
    it('replaces a link that stands in its place, and leaves alone what the link leads to', async () => {
      await writeFile(join(opened.directory, 'target'), 'x');
      await symlink('../target', join(root, 'a'));
      assert.equal((await store.put('a', Buffer.from('y'), created)).outcome, 'stored');
      assert.equal(await readFile(join(root, 'a'), 'utf8'), 'y');
      assert.equal(await readFile(join(opened.directory, 'target'), 'utf8'), 'x');
    });

    it('leaves no temporary file, whether it won or lost', async () => {
      await Promise.all(Array.from({ length: 10 }, () => store.put('a', Buffer.from('x'), created)));
      assert.deepEqual(await everything(), ['a']);
    });

    it('gives no ETag twice, though the file system gives an inode twice, and size and time are equal', async () => {
      const etags: string[] = [];
      for (let count = 0; count < 20; count += 1) {
        const ifMatch = etags.at(-1);
        const condition = ifMatch === undefined ? created.condition : { ifMatch };
        const put = await store.put('a', Buffer.from('x'), { ...created, condition });
        assert.ok(put.outcome === 'stored');
        etags.push(put.etag);
      }
      assert.equal(new Set(etags).size, etags.length);
    });

    it('keeps the second of Last-Modified whatever fraction it adds', async () => {
      for (let count = 0; count < 20; count += 1) await store.put(`${count}`, Buffer.from('x'), created);
      for (const key of await keys()) {
        assert.deepEqual((await store.head(key))?.lastModified, created.lastModified);
        assert.equal((await stat(join(root, key))).mtime.toUTCString(), created.lastModified.toUTCString());
      }
    });
  });

  describe('receive', () => {
    it('lets the complete body be checked, in any range, before it is stored', async () => {
      await store.receive('a', body('before'), { bytesMax: 10 });
      const ranges: string[] = [];
      const check = async (source: PackageSource) => {
        for (const [offset, length] of [
          [0, source.size],
          [source.size - 1, 1],
          [2, 3],
        ] as const)
          ranges.push(Buffer.from(await source.read(offset, length)).toString());
        assert.equal(await readFile(join(root, 'a'), 'utf8'), 'before');
      };
      const { outcome } = await store.receive('a', chunked([Buffer.from('pack'), Buffer.from('age')]), {
        bytesMax: 10,
        check,
      });
      assert.deepEqual([outcome, ranges], ['replaced', ['package', 'e', 'cka']]);
      assert.equal(await readFile(join(root, 'a'), 'utf8'), 'package');
    });

    it('stores nothing where the check throws, and keeps what was there', async () => {
      await store.receive('a', body('before'), { bytesMax: 10 });
      const check = () => Promise.reject(new Error('no package'));
      for (const key of ['a', 'b'])
        await assert.rejects(store.receive(key, body('x'), { bytesMax: 10, check }), /^Error: no package$/);
      assert.equal(await readFile(join(root, 'a'), 'utf8'), 'before');
      assert.deepEqual(await readdir(root), ['a']);
    });

    it('stores nothing where its directory is renamed meanwhile', async () => {
      await store.receive('All/a', body('before'), { bytesMax: 10 });
      const check = () => rename(join(root, 'All'), join(root, 'Other'));
      await assert.rejects(store.receive('All/a', body('x'), { bytesMax: 10, check }), { code: 'ENOENT' });
      assert.equal(await readFile(join(root, 'Other/a'), 'utf8'), 'before');
      assert.deepEqual(await readdir(root), ['Other']);
    });

    it('fails, where the check reads beyond the end, as for a disk that fails', async () => {
      const check = async (source: PackageSource) => void (await source.read(0, source.size + 1));
      await assert.rejects(store.receive('a', body('x'), { bytesMax: 10, check }), /expected 2 bytes at byte 0/);
    });

    it('streams a body of any size into an object', async () => {
      const chunks = Array.from({ length: 40 }, () => randomBytes(64 * 1024));
      const outcome = await store.receive('All/a', chunked(chunks), { bytesMax: 40 * 64 * 1024 });
      assert.deepEqual(outcome, { outcome: 'created', etag: await etagOf('All/a') });
      assert.deepEqual(await readFile(join(root, 'All/a')), Buffer.concat(chunks));
    });

    it('answers with the ETag that the package has once it is in place', async () => {
      for (const outcome of ['created', 'replaced'])
        assert.deepEqual(await store.receive('x-1.0.tgz', body('1'), { bytesMax: 10 }), {
          outcome,
          etag: await etagOf('x-1.0.tgz'),
        });
    });

    it('tells whether it created or replaced', async () => {
      const first = await store.receive('a', body('1'), { bytesMax: 10 });
      const second = await store.receive('a', body('2'), { bytesMax: 10 });
      assert.equal(first.outcome, 'created');
      assert.deepEqual(second, { outcome: 'replaced', etag: await etagOf('a') });
      assert.equal(await readFile(join(root, 'a'), 'utf8'), '2');
    });

    it('takes an empty body', async () => {
      assert.equal((await store.receive('a', chunked([]), { bytesMax: 0 })).outcome, 'created');
      assert.equal((await store.head('a'))?.size, 0);
    });

    it('with If-None-Match leaves an object alone, and does not read the body', async () => {
      await writeFile(join(root, 'a'), 'x');
      const unread = chunked([Buffer.from('y')], () => assert.fail('the body was read'));
      assert.deepEqual(await store.receive('a', unread, { ifNoneMatch: '*', bytesMax: 10 }), { outcome: 'exists' });
      assert.equal(await readFile(join(root, 'a'), 'utf8'), 'x');
    });

    it('of 20 uploads at once with If-None-Match one wins', async () => {
      const uploads = Array.from({ length: 20 }, (_, index) =>
        store.receive('a', body(`${index}`), { ifNoneMatch: '*', bytesMax: 10 }),
      );
      const outcomes = (await Promise.all(uploads)).map(({ outcome }) => outcome);
      const winner = outcomes.indexOf('created');
      assert.deepEqual(outcomes.toSpliced(winner, 1), Array(19).fill('exists'));
      assert.equal(await readFile(join(root, 'a'), 'utf8'), `${winner}`);
      assert.deepEqual(await everything(), ['a']);
    });

    it('takes a body of exactly the limit, and refuses one byte more', async () => {
      assert.equal((await store.receive('a', body('12345'), { bytesMax: 5 })).outcome, 'created');
      await assert.rejects(store.receive('a', body('123456'), { bytesMax: 5 }), ObjectTooLarge);
      assert.equal(await readFile(join(root, 'a'), 'utf8'), '12345');
      assert.deepEqual(await everything(), ['a']);
    });

    it('of an upload that breaks off keeps nothing', async () => {
      const broken = chunked([Buffer.from('first half'), Buffer.from('never')], (index) => {
        if (index === 1) throw new Error('connection reset');
      });
      await assert.rejects(store.receive('All/a', broken, { bytesMax: 100 }), /connection reset/);
      assert.deepEqual(await everything(), ['All']);
    });

    it('shows nothing of an upload before its end', async () => {
      const slow = chunked([Buffer.from('1'), Buffer.from('2')], async () => {
        assert.deepEqual(await keys(), []);
        assert.equal(await store.head('a'), undefined);
      });
      assert.equal((await store.receive('a', slow, { bytesMax: 10 })).outcome, 'created');
      assert.deepEqual(await keys(), ['a']);
    });

    it('makes a file that other users may read, as far as the umask lets it', async () => {
      await store.receive('a', body('x'), { bytesMax: 10 });
      await copyFile(join(root, 'a'), join(root, 'b'));
      await writeFile(join(root, 'c'), 'x');
      assert.equal((await stat(join(root, 'a'))).mode, (await stat(join(root, 'c'))).mode);
    });
  });

  it('removes what a crash left half-written, wherever it is, and nothing else', async () => {
    await mkdir(join(root, 'All/deep'), { recursive: true });
    await mkdir(join(opened.stateDirectory, 'metadata'), { recursive: true });
    const leftOvers = ['.indexer-tmp-1', 'All/.indexer-tmp-2', 'All/deep/.indexer-tmp-3'];
    const others = ['a', '.indexer', '.hidden', 'All/indexer-tmp-1', 'All/deep/a'];
    for (const path of [...leftOvers, ...others]) await writeFile(join(root, path), 'x');
    await writeFile(join(opened.stateDirectory, 'metadata/.indexer-tmp-4'), 'x');
    assert.equal(await store.removeTemporaryFiles(), 4);
    assert.equal(await store.removeTemporaryFiles(), 0);
    assert.deepEqual((await everything()).sort(), [...others, 'All', 'All/deep'].sort());
    assert.deepEqual(await readdir(join(opened.stateDirectory, 'metadata')), []);
  });
}

function body(text: string): AsyncIterable<Uint8Array> {
  return chunked([Buffer.from(text)]);
}

/** A body that comes in these chunks, with something to happen before each. */
async function* chunked(
  chunks: readonly Uint8Array[],
  before: (index: number) => void | Promise<void> = () => {},
): AsyncGenerator<Uint8Array> {
  for (const [index, chunk] of chunks.entries()) {
    await before(index);
    yield chunk;
  }
}
