/** The order of the calls that write, since no test can cut the power. */

import assert from 'node:assert/strict';
import { type FileHandle, mkdir, mkdtemp, open, readdir, rename, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { DirectoryObjects } from '../../../functions/adapters/local/directory-objects.ts';
import { DurableFiles, temporaryPrefix, type WriteCalls } from '../../../functions/adapters/local/durable-files.ts';

/** Records `write All/temporary`, `sync All`, `rename All/temporary → x`; and fails where a test wants that. */
function recording(base: string): {
  readonly calls: WriteCalls;
  readonly made: string[];
  failAt(call: string, code?: string): void;
} {
  const made: string[] = [];
  let failing: string | undefined;
  let failure: { readonly code: string } | undefined;
  const record = (call: string): void => {
    made.push(call);
    if (call === failing) throw Object.assign(new Error(`no ${call}`), failure);
  };
  const nameOf = (path: string) => {
    const name = basename(path).startsWith(temporaryPrefix) ? 'temporary' : basename(path);
    return path === base ? '.' : join(dirname(path).slice(base.length + 1), name);
  };
  const recorded = (file: FileHandle, name: string): FileHandle =>
    new Proxy(file, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== 'function') return value;
        const verbs: Record<string, string> = { writev: 'write', writeFile: 'write', sync: 'sync' };
        return (...args: unknown[]) => {
          const verb = verbs[String(property)];
          if (verb !== undefined) record(`${verb} ${name}`);
          return value.apply(target, args);
        };
      },
    });
  const calls = {
    open: async (path: string, flags: string) => recorded(await open(path, flags), nameOf(path)),
    mkdir: async (path: string) => {
      record(`mkdir ${nameOf(path)}`);
      await mkdir(path);
    },
    rename: async (path: string, target: string) => {
      record(`rename ${nameOf(path)} → ${basename(target).replace(/^[0-9a-f]{64}/, 'hash')}`);
      await rename(path, target);
    },
    unlink: async (path: string) => {
      record(`unlink ${nameOf(path)}`);
      await unlink(path);
    },
  } as unknown as WriteCalls;
  const failAt = (call: string, code?: string): void => {
    failing = call;
    failure = code === undefined ? undefined : { code };
  };
  return { calls, made, failAt };
}

let base: string;
let writes: ReturnType<typeof recording>;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'durable-files-'));
  writes = recording(base);
});
afterEach(() => rm(base, { recursive: true }));

describe('a directory of objects', () => {
  let store: DirectoryObjects;
  beforeEach(async () => {
    await mkdir(join(base, 'root/All'), { recursive: true });
    await mkdir(join(base, 'state/metadata'), { recursive: true });
    store = new DirectoryObjects({
      root: join(base, 'root'),
      stateDirectory: join(base, 'state'),
      writeCalls: writes.calls,
    });
  });
  const put = (metadata: Readonly<Record<string, string>>) =>
    store.put('All/x', Buffer.from('body'), {
      condition: { ifNoneMatch: '*' },
      metadata,
      contentType: 'text/plain',
      lastModified: new Date(0),
    });
  const made = () => writes.made.filter((call) => !call.startsWith('mkdir'));

  it('syncs the body, then the metadata, and then renames the object', async () => {
    await put({ a: 'b' });
    assert.deepEqual(made(), [
      'write root/All/temporary',
      'sync root/All/temporary',
      'write state/metadata/temporary',
      'sync state/metadata/temporary',
      'rename state/metadata/temporary → hash.json',
      'rename root/All/temporary → x',
      'sync root/All',
    ]);
  });

  for (const [code, isRefused] of [
    ['EINVAL', false],
    ['EBADF', false],
    ['EIO', true],
  ] as const)
    it(`${isRefused ? 'fails' : 'does without'} where a directory is not synced: ${code}`, async () => {
      writes.failAt('sync root/All', code);
      await (isRefused ? assert.rejects(put({}), { code }) : put({}));
    });

  it('syncs an upload before anybody can read it', async () => {
    await store.receive(
      'All/x',
      (async function* () {
        yield Buffer.from('one');
        yield Buffer.from('two');
      })(),
      { bytesMax: 10 },
    );
    assert.deepEqual(made(), [
      'write root/All/temporary',
      'write root/All/temporary',
      'sync root/All/temporary',
      'rename root/All/temporary → x',
      'sync root/All',
    ]);
  });

  it('syncs the directory after a removal', async () => {
    await put({});
    writes.made.splice(0);
    await store.delete('All/x');
    assert.deepEqual(made(), ['unlink root/All/x', 'sync root/All']);
  });

  for (const call of [
    'write root/All/temporary',
    'sync root/All/temporary',
    'write state/metadata/temporary',
    'sync state/metadata/temporary',
    'rename state/metadata/temporary → hash.json',
    'rename root/All/temporary → x',
  ])
    it(`leaves nothing behind where "${call}" fails`, async () => {
      writes.failAt(call);
      await assert.rejects(put({ a: 'b' }), new Error(`no ${call}`));
      assert.deepEqual(await readdir(join(base, 'root/All')), []);
      assert.equal(await store.head('All/x'), undefined);
    });
});

describe('a directory', () => {
  it('is synced into its parent when it is made, and only then', async () => {
    const files = new DurableFiles(writes.calls);
    assert.equal(await files.makeDirectory(join(base, 'new')), true);
    assert.deepEqual(writes.made, ['mkdir new', 'sync .']);
    assert.equal(await files.makeDirectory(join(base, 'new')), true);
    assert.deepEqual(writes.made, ['mkdir new', 'sync .', 'mkdir new']);
  });

  it('is not made where a file has its name', async () => {
    const files = new DurableFiles(writes.calls);
    await (await open(join(base, 'file'), 'w')).close();
    assert.equal(await files.makeDirectory(join(base, 'file')), false);
  });
});
